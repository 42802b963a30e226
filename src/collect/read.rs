//! Another model reads what was collected: the same texts and segments, its own tokens and
//! residuals.
//!
//! The control that tells the plans of the writing model from what anyone could gather from the
//! text. What is made is a collection with the same documents; labels of the first one fit it,
//! since segments keep their numbers. Nothing is sampled here.

use super::{Folder, record, resample::told_nothing, splice};
use crate::host::{Call, Event, Host, RawStep, Route, Tap, TextDecoder};
use anyhow::{Result, bail, ensure};
use futures::StreamExt;
use std::{path::PathBuf, sync::Arc};
use themecast_lab::dataset::{CollectionInfo, Document, DocumentReader, Load, TokenRow, to_half};
use themecast_plugin_api::{Interest, Positions, Residuals, Site};

/// What to read.
#[derive(Debug, Clone)]
pub struct Config {
    /// The collection's folder.
    pub data: PathBuf,
    /// How many of its answers, in an order that hashes give; all where not given.
    pub documents: Option<usize>,
    /// How many spliced answers are read instead.
    pub splices: Option<usize>,
    /// Where residuals are read.
    pub sites: Vec<Site>,
    /// Where it goes.
    pub folder: Folder,
}

/// Reads what is not there yet; how many answers were read.
///
/// # Errors
/// When the collection can't be read, a request fails or a part can't be written; what was
/// committed stays.
pub async fn run(
    host: &Arc<dyn Host>,
    config: &Config,
    progress: &(dyn Fn(usize, usize) + Send + Sync),
) -> Result<usize> {
    let source = CollectionInfo::load(&config.data)?;
    told_nothing(&source, &config.data)?;
    let info = CollectionInfo {
        model: host.model().clone(),
        model_name: host.name().to_owned(),
        sites: config.sites.clone(),
        ..source
    };
    let wanted = wanted(config)?;
    let there = config.folder.begin(&info)?;
    let own = config.folder.own(wanted.into_iter());
    let jobs: Vec<Document> = own.filter(|document| !there.contains(&document.id)).collect();
    let read = jobs.into_iter().map(|document| read(host.clone(), &info, document));
    config.folder.keep(&info, read, progress).await
}

/// The answers to read, in an order that does not depend on how they were collected.
fn wanted(config: &Config) -> Result<Vec<Document>> {
    let all = DocumentReader::open(&config.data, Load::Tokens)?;
    let mut all: Vec<Document> = all.collect::<Result<_, _>>()?;
    if let Some(count) = config.splices {
        return splice::splices(&all, count);
    }
    all.retain(|document| !document.looping);
    all.sort_by_key(|document| record::seed(0, &document.id));
    all.truncate(config.documents.unwrap_or(usize::MAX));
    Ok(all)
}

async fn read(host: Arc<dyn Host>, info: &CollectionInfo, document: Document) -> Result<Document> {
    let text: String = document.tokens.iter().map(|row| row.text.as_str()).collect();
    let after = host.tokenize(text).await?;
    let recorder = Arc::new(record::Recorder::default());
    let interest = Interest { sites: info.sites.clone(), positions: Positions::Prompt };
    let body = serde_json::json!({
        "messages": [{"role": "user", "content": document.prompt}],
        "max_tokens": 1,
        "temperature": 0.0,
    });
    let call = Call {
        tap: Some(Tap { interest, sink: recorder.clone() }),
        after: after.clone(),
        ..Call::new(Route::Chat, body)
    };
    let mut events = host.generate(call).await?;
    match events.next().await {
        Some(Event::Done { .. }) => {}
        Some(Event::Failed(error)) => bail!("{}: {error}", document.id),
        other => bail!("{}: the host answered {other:?}", document.id),
    }
    let Some(step) = recorder.first()? else { bail!("{}: nothing was read", document.id) };
    ensure!(
        step.positions > after.len(),
        "{}: {} positions were read, not {}",
        document.id,
        step.positions,
        after.len() + 1
    );
    let mut decoder = TextDecoder::default();
    let texts = after.iter().map(|&token| decoder.push(host.vocabulary().bytes(token))).collect();
    let read = Residuals::new(&step.residuals, step.positions, info.model.hidden_size);
    let tokens = rows(&document.tokens, &after, texts, &read, &step);
    Ok(Document { tokens, ..document })
}

/// The rows of the other model's tokens, in the segments of the first one's: the token that
/// reaches a segment's last character ends it.
fn rows(
    own: &[TokenRow],
    tokens: &[u32],
    texts: Vec<String>,
    read: &Residuals<'_>,
    step: &RawStep,
) -> Vec<TokenRow> {
    let mut length = 0;
    let mut ends = Vec::new();
    for row in own {
        length += row.text.len();
        if row.segment_end {
            ends.push(length);
        }
    }
    let first = step.positions - tokens.len() - 1;
    let offset = step.position + 1 - step.positions;
    let residuals = |place: usize| Some(to_half(&at(read, first + place)));
    let position = |place: usize| (offset + first + place) as u32;
    let mut all = vec![TokenRow {
        index: -1,
        segment: -1,
        position: position(0),
        residuals: residuals(0),
        ..TokenRow::default()
    }];
    let mut written = 0;
    for (index, (&token, text)) in tokens.iter().zip(texts).enumerate() {
        let segment = ends.partition_point(|&end| end <= written);
        written += text.len();
        all.push(TokenRow {
            index: index as i32,
            token,
            position: position(index + 1),
            segment: segment as i32,
            segment_end: ends.get(segment).is_some_and(|&end| end <= written),
            residuals: residuals(index + 1),
            text,
        });
    }
    all
}

/// The residuals of one position, *shape* `[sites, hidden]`.
fn at(read: &Residuals<'_>, position: usize) -> Vec<f32> {
    let hidden = read.hidden_size();
    let of = |site| &read.all(site)[position * hidden..(position + 1) * hidden];
    (0..read.sites()).flat_map(of).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use themecast_plugin_api::Phase;

    #[test]
    fn segments_end_with_the_token_that_reaches_their_end() {
        let row = |text: &str, segment_end| TokenRow {
            text: text.into(),
            segment_end,
            ..TokenRow::default()
        };
        let own = [row("One", false), row(" two.", true), row(" Three.", true), row(" F", false)];
        // Two sites of width 1; three positions of a prompt of which the last one counts.
        let positions = 7;
        let step = RawStep {
            index: 0,
            position: 8,
            token: 0,
            phase: Phase::Decode,
            rows: 1,
            positions,
            residuals: (0..14u8).map(f32::from).collect(),
        };
        let texts = ["One tw", "o.", " Th", "ree. F"].map(str::to_owned).to_vec();
        let rows = rows(&own, &[5, 6, 7, 8], texts, &Residuals::new(&step.residuals, 7, 1), &step);
        let segments: Vec<_> = rows.iter().map(|row| (row.segment, row.segment_end)).collect();
        assert_eq!(segments, [(-1, false), (0, false), (0, true), (1, false), (1, true)]);
        let place = |row: &TokenRow| {
            let all = row.residuals.as_ref().unwrap();
            (row.position, all[0].to_f32(), all[1].to_f32())
        };
        assert_eq!(place(&rows[0]), (4, 2.0, 9.0));
        assert_eq!(place(&rows[4]), (8, 6.0, 13.0));
    }
}
