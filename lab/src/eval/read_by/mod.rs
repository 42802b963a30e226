//! The road not taken: what another model's activations, reading the same texts, tell of the
//! coming themes beside those of the model that wrote them.
//!
//! Whatever a reader can forecast was in the text; only what the writer's own activations tell
//! beyond that can be a plan of its own. Both are treated alike: softmax regressions on the last
//! residual, its means, the position and the true themes so far, from whichever site (or all of
//! them together) does best on the validation split. No bundle is judged here.

mod fit;
mod paired;
mod report;
#[cfg(test)]
mod tests;

pub use report::{ReadByReport, ReadByRow};

use super::{
    EvalConfig,
    collected::{Collected, Reading},
    embeddings::Embeddings,
    events::Part,
    fit::Setup,
    judge::Judge,
    models::Workshop,
};
use crate::{
    LabError, Result,
    dataset::{self, CollectionInfo},
    embed::Embed,
    label::Labels,
    replay::{self, Chain},
};
use std::{collections::HashMap, path::Path};

/// One model's reading of the texts.
struct Side {
    info: CollectionInfo,
    collected: Collected,
}

/// Compares the labelled collection in `dir` with what another model read of it, the collection
/// in `read`; documents that only one of them has are left out. The bundle of `config` is not
/// used.
///
/// # Errors
/// [`LabError::Data`] where they share no documents or a split is empty; of reading and fitting.
pub fn run(
    dir: &Path,
    read: &Path,
    config: &EvalConfig,
    embedder: Option<&dyn Embed>,
    progress: &dyn Fn(&str),
) -> Result<ReadByReport> {
    let labels = Labels::load(dir)?;
    let chains = shared(&labels, read)?;
    progress("reading both collections");
    let mut own = Side::read(dir, &labels, &chains, progress)?;
    let other = Side::read(read, &labels, &chains, progress)?;
    let paired = paired::pair(&own.collected, &other.collected);
    let sites = [paired::sites(&own.collected, 0), paired::sites(&other.collected, paired.own)];
    own.collected.boundary = paired.parts;
    let embeddings = match embedder {
        Some(embedder) => Some(Embeddings::of_collected(&own.collected, dir, embedder, progress)?),
        None => None,
    };
    let (themes, horizons) = (labels.themes.len(), config.horizons.max(1));
    let setup = Setup { themes, aheads: (1..=horizons).collect(), steps: config.steps };
    let seen = (&own.info.sites[..], config);
    let workshop = Workshop::new(&own.collected, embeddings.as_ref(), (themes, horizons), seen);
    let fit::Compared { models, sites } = fit::models(&workshop, sites, &setup, progress)?;
    let parts = &own.collected.boundary;
    let draws = (config.resamples, config.seed);
    let judge = Judge::new(&parts.test.events, &own.collected.stories, themes, draws);
    let documents = |part: &Part| part.events.iter().filter(|event| event.segment < 0).count();
    Ok(ReadByReport {
        writer: own.info.model_name,
        reader: other.info.model_name,
        sites,
        documents: [&parts.train, &parts.validation, &parts.test].map(documents),
        resamples: config.resamples,
        seed: config.seed,
        rows: report::rows(&judge, &models, &parts.test, &setup),
    })
}

/// The chains of the documents that `read` has too.
fn shared(labels: &Labels, read: &Path) -> Result<HashMap<String, Chain>> {
    let there = dataset::completed_ids(read)?;
    let mut chains = replay::chains(labels)?;
    chains.retain(|document, _| there.contains(document));
    if chains.is_empty() {
        let message = format!(
            "{}: no document of the labelled collection is in it: it has to be made of that \
             collection with `read`",
            read.display()
        );
        return Err(LabError::Data(message));
    }
    Ok(chains)
}

impl Side {
    fn read(
        dir: &Path,
        labels: &Labels,
        chains: &HashMap<String, Chain>,
        progress: &dyn Fn(&str),
    ) -> Result<Self> {
        let info = CollectionInfo::load(dir)?;
        let (sites, hidden) = (&*info.sites, info.model.hidden_size);
        let reading = Reading { sites, hidden, layer_norm: false, within: false };
        let mut collected = Collected::read(dir, labels, chains, reading, progress)?;
        collected.within = Default::default();
        Ok(Self { info, collected })
    }
}
