//! From a labelled collection to a bundle.
//!
//! A first pass fits the classifier of ended segments (offset 0 at boundaries), cross-fitted over
//! folds of prompts; a second pass builds every other row with the soft history that it gives,
//! as in serving. Each head is a softmax regression of its own: penalty and temperature are
//! chosen on the validation split, and nothing ever looks at the test split. [`chain`] trains a
//! transformer beside the heads; `settle` chooses what follows from both, averaging and sets, `link`
//! how the segments of a chain are tied together.
//! Without a chain the heads are fitted again on halves of the prompts, for how far these are apart.

mod again;
mod card;
pub mod chain;
mod config;
pub(crate) mod detectors;
mod ensemble;
mod fitter;
mod foreseen;
pub(crate) mod head;
mod lag;
pub(crate) mod link;
pub(crate) mod logistic;
mod recogniser;
mod reference;
pub(crate) mod rows;
pub(crate) mod scaler;
mod sets;
pub(crate) mod settle;

pub use again::{SettleReport, again};
pub use chain::{ChainConfig, ChainReport};
pub use config::TrainConfig;
pub use fitter::Fitting;
pub use link::LinkReport;
pub use sets::HeadReport;
pub use settle::SmoothingReport;

use crate::{
    LabError, Result,
    dataset::{CollectionInfo, completed_ids},
    embed::Embed,
    eval::embeddings::Embeddings,
    label::Labels,
    replay::{self, Chain, Player},
};
use head::Sample;
use reference::{Distances, Spread};
use rows::{NowHeads, Source, Splits};
use serde::Serialize;
use std::{collections::HashMap, path::Path, time::Instant};
use themecast_forecast::{
    bundle::Bundle, chain::ChainModel, features::FeatureLayout, linear::LinearPredictor,
};

/// What came out of training.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrainReport {
    /// Training and validation rows at boundaries.
    pub boundary_rows: [usize; 2],
    /// Training and validation rows within segments.
    pub mid_rows: [usize; 2],
    /// Features of a row.
    pub features: usize,
    /// Every head, boundary heads first.
    pub heads: Vec<HeadReport>,
    /// The chain predictor, where one was trained.
    pub chain: Option<ChainReport>,
    /// What averaging within segments does, by weight.
    pub smoothing: Vec<SmoothingReport>,
    /// How segments are linked to those before them.
    pub links: Vec<LinkReport>,
    /// How long it took.
    pub seconds: f64,
}

/// Trains on the labelled collection in the folder `dir` and saves the bundle in `config.out`;
/// where the text is to be seen, `embedder` reads it.
///
/// The same data, configuration and number of cores give the same linear heads; a chain predictor's
/// sums are in no fixed order, and differ in the last digits.
///
/// # Errors
/// [`LabError`] of reading, of too little data, of fitting, or of saving.
pub fn run(
    dir: &Path,
    config: &TrainConfig,
    embedder: Option<&dyn Embed>,
    progress: &dyn Fn(&str),
) -> Result<TrainReport> {
    config.check()?;
    let started = Instant::now();
    let info = CollectionInfo::load(dir)?;
    let labels = Labels::load(dir)?;
    let chains = replay::chains(&labels)?;
    let later = completed_ids(dir)?.len().saturating_sub(labels.card.documents);
    if later > 0 {
        progress(&format!("{later} documents came after the labels and are left out: label again"));
    }
    let sites = if config.sites.is_empty() { &info.sites } else { &config.sites };
    let texts = texts(dir, config, embedder, progress)?;
    let texts = texts.as_ref();
    let layout = FeatureLayout {
        hidden: info.model.hidden_size,
        sites: sites.len(),
        themes: labels.themes.len(),
        text: texts.map_or(0, Embeddings::dimension),
        layer_norm: config.layer_norm,
    };
    let player = Player { layout, texts };
    let (folds, seed) = (config.folds, config.seed);
    let source = Source { dir, sites, player, chains: &chains, folds, seed, progress };
    let trained = train(&source, config, progress)?;
    let (mut bundle, mut report) = card::bundle(&info, &labels, (sites, layout), config, trained)?;
    (report.smoothing, report.links) = follow((dir, texts), &mut bundle, &chains, progress)?;
    progress("fitting the recogniser of prompts");
    let recogniser = recogniser::fit(dir, &info, &chains, progress)?;
    progress(&format!(
        "prompts are recognised at {} by {} directions",
        recogniser.card.site, recogniser.card.rank
    ));
    bundle.card.trust = Some(recogniser.card.clone());
    bundle.trust = Some(recogniser);
    bundle.save(&config.out).map_err(|error| LabError::Forecast(error.to_string()))?;
    report.seconds = started.elapsed().as_secs_f64();
    progress(&format!("saved {} after {:.0} s", config.out.display(), report.seconds));
    Ok(report)
}

/// Chooses on the validation split what follows from the predictors of `bundle`.
fn follow(
    from: (&Path, Option<&Embeddings>),
    bundle: &mut Bundle,
    chains: &HashMap<String, Chain>,
    progress: &dyn Fn(&str),
) -> Result<(Vec<SmoothingReport>, Vec<LinkReport>)> {
    progress("settling averages and sets on the validation split");
    let smoothing = settle::settle(from, bundle, chains, progress)?;
    progress("linking the segments of chains");
    let links = link::link(from, bundle, chains, progress)?;
    progress("tuning detectors of divergence on the validation split");
    bundle.card.calibration.detectors = Some(detectors::tune(from, bundle, chains, progress)?);
    Ok((smoothing, links))
}

/// The embeddings that the predictor is to read.
fn texts(
    dir: &Path,
    config: &TrainConfig,
    embedder: Option<&dyn Embed>,
    progress: &dyn Fn(&str),
) -> Result<Option<Embeddings>> {
    match (&config.text, embedder) {
        (None, _) => Ok(None),
        (Some(_), Some(embedder)) => replay::embed_texts(dir, embedder, progress).map(Some),
        (Some(name), None) => Err(LabError::Data(format!("{name} is needed to read the text"))),
    }
}

struct Trained {
    predictor: LinearPredictor,
    ensemble: Vec<LinearPredictor>,
    chain: Option<ChainModel>,
    distances: Distances,
    excess_std: f32,
    report: TrainReport,
}

fn train(source: &Source<'_>, config: &TrainConfig, progress: &dyn Fn(&str)) -> Result<Trained> {
    let layout = source.layout();
    progress("reading the collection");
    let mut spread = Spread::new(layout.hidden);
    let first = source.without_history(|residual| spread.add(residual))?;
    check_rows(&first)?;
    let now = now_heads(first, source, config, progress)?;
    progress("reading the collection again, with the history that serving will have");
    let mut distances = Distances::new(&spread);
    let (boundary, mid) = source.with_history(&now, config.mid_rows, &mut distances)?;
    check_rows(&mid)?;
    let counts = |rows: &Splits| [rows.train.origins.len(), rows.validation.origins.len()];
    let (boundary_rows, mid_rows) = (counts(&boundary), counts(&mid));
    let kept = config.chain.as_ref().map(|config| (config, boundary.clone(), mid.clone()));
    let boundary = sets::fit("boundary", boundary, layout, config, progress)?;
    let mid = sets::fit("mid", mid, layout, config, progress)?;
    let excess_std = boundary.excess_std;
    let heads = boundary.reports.into_iter().chain(mid.reports).collect();
    let together = |boundary, mid| {
        LinearPredictor::new(boundary, mid, layout.themes, layout.len())
            .map_err(|error| LabError::Forecast(error.to_string()))
    };
    let predictor = together(boundary.heads, mid.heads)?;
    let members = boundary.ensemble.into_iter().zip(mid.ensemble);
    let ensemble = members.map(|(boundary, mid)| together(boundary, mid)).collect::<Result<_>>()?;
    let chained = kept.map(|(of, boundary, mid)| {
        chain::train((&boundary, &mid), (layout, config.horizons), &predictor, of, progress)
    });
    let (chain, chain_report) = chained.transpose()?.unzip();
    let report = TrainReport {
        boundary_rows,
        mid_rows,
        features: layout.len(),
        heads,
        chain: chain_report,
        smoothing: Vec::new(),
        links: Vec::new(),
        seconds: 0.0,
    };
    Ok(Trained { predictor, ensemble, chain, distances, excess_std, report })
}

fn check_rows(rows: &Splits) -> Result<()> {
    let (train, validation) = (rows.train.origins.len(), rows.validation.origins.len());
    if train == 0 || validation == 0 {
        let message = format!(
            "{train} training and {validation} validation rows: collect more prompts, or give \
             prompts a split"
        );
        return Err(LabError::Data(message));
    }
    Ok(())
}

/// The classifier of ended segments, and one per fold fitted on the other folds.
fn now_heads(
    rows: Splits,
    source: &Source<'_>,
    config: &TrainConfig,
    progress: &dyn Fn(&str),
) -> Result<NowHeads> {
    use rayon::prelude::*;
    progress(&format!("classifier of segments: {} rows", rows.train.origins.len()));
    let layout = source.layout();
    let themes = layout.themes;
    let unused = config.unused(layout, true);
    let fitter = config.fitting.fitter(config.steps);
    let [train_targets, validation_targets] = [rows.train.targets(0), rows.validation.targets(0)];
    let folds: Vec<usize> = rows.train.origins.iter().map(|origin| origin.fold).collect();
    let (scaler, train, validation) = sets::matrices(rows, layout)?;
    let train_sample = Sample { rows: &train, targets: &train_targets };
    let validation_sample = Sample { rows: &validation, targets: &validation_targets };
    let whole = fitter.fit(train_sample, validation_sample, themes, &unused)?;
    progress(&format!(
        "classifier of segments: {:.1} % right on the validation split; {} folds",
        100.0 * whole.validation_top1,
        config.folds
    ));
    let without = |fold: usize| {
        let rest = train_targets.iter().zip(&folds);
        let targets: Vec<_> = rest.map(|(target, &of)| target.filter(|_| of != fold)).collect();
        let sample = Sample { rows: &train, targets: &targets };
        let weights = fitter.again(sample, &whole, &unused)?;
        Ok(scaler.fold(&weights, whole.temperature))
    };
    let folds = (0..config.folds).into_par_iter().map(without).collect::<Result<_>>()?;
    Ok(NowHeads { whole: scaler.fold(&whole.weights, whole.temperature), folds })
}
