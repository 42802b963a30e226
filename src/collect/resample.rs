//! The other ways an answer could have gone on: continuations sampled from places within it.
//!
//! The practical ceiling of any forecast: whoever can afford to let the model run ahead many times
//! sees what it is about to write. Steered from the cut on, they are planted divergences: answers
//! that the model itself turns. What is made is a collection of its own; each document is an answer
//! up to the cut and one way on from there.

use super::{Folder, record};
use crate::host::{Call, Event, Host, Route, SeededSampling, Steering, Tap};
use anyhow::{Result, bail, ensure};
use futures::StreamExt;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use themecast_lab::{
    Split,
    dataset::{CollectionInfo, Document, DocumentReader, Load, TokenRow},
};
use themecast_plugin_api::{Interest, Site};

/// What to resample.
#[derive(Debug, Clone)]
pub struct Config {
    /// The collection's folder.
    pub data: PathBuf,
    /// How many answers of its test split are cut, each at one segment's end.
    pub cuts: usize,
    /// How many continuations of each.
    pub samples: u32,
    /// The longest continuation, in tokens.
    pub max_tokens: usize,
    /// How many segments stand before a cut at least.
    pub before: usize,
    /// Where residuals are kept; none where empty.
    pub sites: Vec<Site>,
    /// What is done to the residual stream from the cut on, and what it is called.
    pub steering: Option<(Steering, String)>,
    /// Where it goes.
    pub folder: Folder,
}

/// An answer up to one of its segments' ends.
#[derive(Clone)]
struct Cut {
    document: Arc<Document>,
    /// How many of the document's token rows stand before the cut.
    rows: usize,
    segment: i32,
}

/// Samples what is not there yet, with the collection's temperature and seed; how many were made.
///
/// # Errors
/// When the collection can't be read, has too few answers to cut, belongs to another model, a
/// request fails or a part can't be written; what was committed stays.
pub async fn run(
    host: &Arc<dyn Host>,
    config: &Config,
    progress: &(dyn Fn(usize, usize) + Send + Sync),
) -> Result<usize> {
    let source = CollectionInfo::load(&config.data)?;
    let same = source.model.tokenizer_sha256 == host.model().tokenizer_sha256;
    ensure!(same, "{}: was collected from {}", config.data.display(), source.model_name);
    if let Some(done) = &source.intervention {
        bail!(
            "{}: its model was {done}; answers go on of a model as it is alone",
            shown(&config.data)
        );
    }
    told_nothing(&source, &config.data)?;
    let info = CollectionInfo {
        sites: config.sites.clone(),
        samples: config.samples,
        max_tokens: config.max_tokens,
        intervention: config.steering.as_ref().map(|(_, name)| name.clone()),
        ..source
    };
    let cuts = cuts(config)?;
    let there = config.folder.begin(&info)?;
    let all = cuts.iter().flat_map(|cut| (0..config.samples).map(move |sample| (cut, sample)));
    let jobs: Vec<(Cut, u32)> = config
        .folder
        .own(all)
        .map(|(cut, sample)| (cut.clone(), sample))
        .filter(|(cut, sample)| !there.contains(&Document::id_of(&cut.id(), *sample)))
        .collect();
    let steering = config.steering.as_ref().map(|(steering, _)| steering);
    let made = jobs
        .into_iter()
        .map(|(cut, sample)| go_on(host.clone(), &info, steering.cloned(), cut, sample));
    config.folder.keep(&info, made, progress).await
}

impl Cut {
    fn id(&self) -> String {
        format!("{}@{}", self.document.id, self.segment)
    }
}

/// One cut in each of the first answers of the test split, in an order that hashes give.
fn cuts(config: &Config) -> Result<Vec<Cut>> {
    let mut found: Vec<(u64, Cut)> = Vec::new();
    let load = match config.sites.is_empty() {
        true => Load::Tokens,
        false => Load::Residuals(config.sites.clone()),
    };
    for document in DocumentReader::open(&config.data, load)? {
        let document = document?;
        if document.looping || Split::of(&document)? != Split::Test {
            continue;
        }
        let ends: Vec<usize> =
            (0..document.tokens.len()).filter(|&row| document.tokens[row].segment_end).collect();
        let order = record::seed(0, &document.id);
        // A whole segment follows the cut.
        let least = config.before.max(1);
        let Some(choices) = ends.len().checked_sub(least).filter(|&choices| choices > 0) else {
            continue;
        };
        let end = ends[least - 1 + (order % choices as u64) as usize];
        let segment = document.tokens[end].segment;
        found.push((order, Cut { document: document.into(), rows: end + 1, segment }));
    }
    found.sort_by_key(|(order, _)| *order);
    let (have, want) = (found.len(), config.cuts);
    ensure!(have >= want, "{}: {have} test answers to cut, not {want}", shown(&config.data));
    Ok(found.into_iter().take(want).map(|(_, cut)| cut).collect())
}

/// Refuses answers that were told something before their prompts, which a collection does not keep.
pub(super) fn told_nothing(source: &CollectionInfo, dir: &Path) -> Result<()> {
    ensure!(
        source.systems_sha256.is_none(),
        "{}: a system prompt stood before some of its prompts, and that is not kept: its answers can \
         be labelled and judged, but neither read again nor gone on with",
        shown(dir)
    );
    Ok(())
}

fn shown(path: &Path) -> impl std::fmt::Display + '_ {
    path.display()
}

async fn go_on(
    host: Arc<dyn Host>,
    info: &CollectionInfo,
    steering: Option<Steering>,
    cut: Cut,
    sample: u32,
) -> Result<Document> {
    let id = Document::id_of(&cut.id(), sample);
    let before = &cut.document.tokens[..cut.rows];
    let recorder = Arc::new(record::Recorder::default());
    let seed = record::seed(info.seed, &id);
    let body = serde_json::json!({
        "messages": [{"role": "user", "content": cut.document.prompt}],
        "max_tokens": info.max_tokens,
    });
    let call = Call {
        tap: Some(Tap { interest: Interest::last(info.sites.clone()), sink: recorder.clone() }),
        sampling: Some(SeededSampling { seed, temperature: info.temperature as f32 }),
        after: before.iter().filter(|row| row.index >= 0).map(|row| row.token).collect(),
        steering,
        ..Call::new(Route::Chat, body)
    };
    let mut events = host.generate(call).await?;
    let finish = match events.next().await {
        Some(Event::Done { finish, .. }) => finish,
        Some(Event::Failed(error)) => bail!("{id}: {error}"),
        other => bail!("{id}: the host answered {other:?}"),
    };
    let more = recorder.rows(host.vocabulary(), &info.segmenter)?;
    let tokens = joined(before, more);
    Ok(Document {
        prompt_id: cut.id(),
        prompt: cut.document.prompt.clone(),
        group: cut.document.group.clone(),
        split: Some(Split::Test.to_string()),
        sample,
        text: tokens.iter().map(|row| row.text.as_str()).collect(),
        finish_reason: finish,
        looping: record::is_looping(&tokens),
        tokens,
        id,
    })
}

/// The rows before the cut and those after it, numbered on.
fn joined(before: &[TokenRow], more: Vec<TokenRow>) -> Vec<TokenRow> {
    let (index, segment) = before.last().map_or((0, 0), |row| (row.index + 1, row.segment + 1));
    let more = more.into_iter().filter(|row| row.index >= 0).map(|row| TokenRow {
        index: row.index + index,
        segment: row.segment + segment,
        ..row
    });
    before.iter().cloned().chain(more).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_a_cut_is_numbered_on() {
        let row = |index, segment, segment_end| TokenRow {
            index,
            segment,
            segment_end,
            ..TokenRow::default()
        };
        let before = [row(-1, -1, false), row(0, 0, false), row(1, 0, true)];
        let all = joined(&before, vec![row(-1, -1, false), row(0, 0, true), row(1, 1, false)]);
        let places: Vec<_> = all.iter().map(|row| (row.index, row.segment)).collect();
        assert_eq!(places, [(-1, -1), (0, 0), (1, 0), (2, 1), (3, 2)]);
    }
}
