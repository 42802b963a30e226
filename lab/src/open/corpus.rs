//! A labelled collection as this head sees it: rows of features, segments as embeddings.

use crate::{
    LabError, Result, Split,
    dataset::{Document, Load},
    embed::Embed,
    label::Labels,
    pace::{Documents, Pace},
    replay::{Player, replay},
    split::stable_hash,
};
use ndarray::Array2;
use std::{collections::HashMap, path::Path};
use themecast_forecast::{features::FeatureLayout, linear::RowKind};
use themecast_plugin_api::Site;

/// One labelled answer.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    /// Its document's id.
    pub(super) id: String,
    pub(super) prompt_id: String,
    pub(super) prompt: String,
    pub(super) split: Split,
    /// The length limit cut it off: what would have come is not known.
    pub(super) truncated: bool,
    /// The place of its first segment among all.
    pub(super) first: usize,
    /// How many segments it has.
    pub(super) segments: usize,
    /// The first five and the first ten tokens of each segment.
    pub(super) openings: Vec<[String; 2]>,
}

/// Where a row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Origin {
    /// The answer's place.
    pub(super) answer: usize,
    /// The segment of the token read last; −1 at the prompt's end.
    pub(super) segment: i32,
}

/// Rows of one kind.
#[derive(Debug)]
pub(super) struct RowSet {
    /// *Shape* `[rows, features]`, raw.
    pub(super) rows: Array2<f32>,
    pub(super) origins: Vec<Origin>,
    /// What the text of each row's segment is.
    pub(super) read: Read,
}

/// What was read of the segment that a row stands in.
#[derive(Debug)]
pub(super) enum Read {
    /// All of it.
    Whole,
    /// Its begin, up to the row's token: embeddings, *shape* `[rows, dimension]`.
    Begun(Array2<f32>),
    /// Its begin, which was not embedded.
    Unknown,
}

/// The collection.
#[derive(Debug)]
pub(super) struct Corpus {
    pub(super) answers: Vec<Answer>,
    /// *Shape* `[segments, dimension]`, each of length 1.
    pub(super) embeddings: Array2<f32>,
    /// The theme of each segment.
    pub(super) themes: Vec<u32>,
    pub(super) boundary: RowSet,
    pub(super) mid: RowSet,
}

/// What is read of a collection.
pub(super) struct Wanted<'a> {
    pub(super) dir: &'a Path,
    pub(super) sites: &'a [Site],
    /// The layout of the bundle's rows.
    pub(super) layout: FeatureLayout,
    /// How many tokens of each segment become rows.
    pub(super) mid_rows: usize,
    /// Whether to embed what was read of the segments that those tokens stand in.
    pub(super) begun: bool,
    pub(super) splits: &'a [Split],
}

impl Corpus {
    /// Reads the labelled answers of the wanted splits and embeds their segments.
    ///
    /// # Errors
    /// [`LabError`] of reading or embedding; [`LabError::Data`] where there is no answer.
    pub(super) fn read(
        wanted: &Wanted<'_>,
        labels: &Labels,
        embedder: &dyn Embed,
        progress: &dyn Fn(&str),
    ) -> Result<Self> {
        let mut reading = Reading::new(wanted, labels);
        let load = Load::Residuals(wanted.sites.to_vec());
        for document in Documents::open(wanted.dir, load, progress)? {
            reading.take(&document?)?;
        }
        progress(&format!(
            "{} answers, {} segments to embed",
            reading.answers.len(),
            reading.texts.len()
        ));
        let embeddings = embed_told(embedder, &reading.texts, progress)?;
        let within = match reading.begun.is_empty() {
            true => Read::Unknown,
            false => {
                progress(&format!("{} begun segments to embed", reading.begun.len()));
                Read::Begun(embed_told(embedder, &reading.begun, progress)?)
            }
        };
        let themes = std::mem::take(&mut reading.themes);
        let features = reading.layout.len();
        Ok(Self {
            embeddings,
            themes,
            boundary: set(reading.boundary, features, Read::Whole)?,
            mid: set(reading.mid, features, within)?,
            answers: reading.answers,
        })
    }

    /// The rows of one kind.
    pub(super) fn set(&self, kind: RowKind) -> &RowSet {
        match kind {
            RowKind::Boundary => &self.boundary,
            RowKind::Mid => &self.mid,
        }
    }

    /// The place of the segment `ahead` segments after `origin`, where there is one.
    pub(super) fn target(&self, origin: Origin, ahead: usize) -> Option<usize> {
        let answer = &self.answers[origin.answer];
        let segment = usize::try_from(i64::from(origin.segment) + ahead as i64).ok()?;
        (segment < answer.segments).then_some(answer.first + segment)
    }

    /// Whether one of the `horizons` segments after `origin` has `theme`; none where that is not
    /// known, because the answer was cut off before.
    pub(super) fn comes(&self, origin: Origin, horizons: usize, theme: u32) -> Option<bool> {
        let answer = &self.answers[origin.answer];
        let all = self.target(origin, horizons).is_some();
        let mut ahead = (1..=horizons).filter_map(|ahead| self.target(origin, ahead));
        (all || !answer.truncated).then(|| ahead.any(|segment| self.themes[segment] == theme))
    }

    /// The split of `origin`'s answer.
    pub(super) fn split(&self, origin: Origin) -> Split {
        self.answers[origin.answer].split
    }
}

/// Embeds texts, *shape* `[texts, dimension]`.
///
/// # Errors
/// [`LabError::Embed`]; [`LabError::Data`] where there is no text.
pub(super) fn embed(embedder: &dyn Embed, texts: &[String]) -> Result<Array2<f32>> {
    embed_told(embedder, texts, &|_| {})
}

/// The same, telling how it goes.
fn embed_told(
    embedder: &dyn Embed,
    texts: &[String],
    progress: &dyn Fn(&str),
) -> Result<Array2<f32>> {
    let pace = Pace::new("segments embedded", progress);
    let vectors = embedder.embed(texts, &|done, all| pace.at(done, all))?;
    let dimension = vectors.first().map(Vec::len).unwrap_or_default();
    if dimension == 0 {
        return Err(LabError::data("there is nothing to embed"));
    }
    matrix(vectors.concat(), dimension)
}

fn matrix(values: Vec<f32>, columns: usize) -> Result<Array2<f32>> {
    let rows = values.len() / columns;
    Array2::from_shape_vec((rows, columns), values)
        .map_err(|error| LabError::Data(format!("{rows} rows of {columns}: {error}")))
}

fn set((values, origins): (Vec<f32>, Vec<Origin>), features: usize, read: Read) -> Result<RowSet> {
    match &read {
        Read::Begun(begun) if begun.nrows() != origins.len() => {
            let (texts, rows) = (begun.nrows(), origins.len());
            Err(LabError::Data(format!("{texts} begun segments for {rows} rows")))
        }
        _ => Ok(RowSet { rows: matrix(values, features)?, origins, read }),
    }
}

struct Reading<'a> {
    wanted: &'a Wanted<'a>,
    layout: FeatureLayout,
    /// Text and theme of the labelled segments of each document.
    labelled: HashMap<&'a str, Vec<(&'a str, u32)>>,
    answers: Vec<Answer>,
    texts: Vec<String>,
    themes: Vec<u32>,
    boundary: (Vec<f32>, Vec<Origin>),
    mid: (Vec<f32>, Vec<Origin>),
    /// The text of each row's segment up to its token, where that is wanted.
    begun: Vec<String>,
}

impl<'a> Reading<'a> {
    fn new(wanted: &'a Wanted<'a>, labels: &'a Labels) -> Self {
        let mut labelled: HashMap<&str, Vec<(&str, u32)>> = HashMap::new();
        for label in &labels.segments {
            labelled.entry(&label.document).or_default().push((&label.text, label.theme));
        }
        // Without themes a row has no history: the features that the head looks at, and no other.
        let layout = FeatureLayout { themes: 0, text: 0, ..wanted.layout };
        let (answers, texts, themes) = (Vec::new(), Vec::new(), Vec::new());
        let (boundary, mid) = Default::default();
        let begun = Vec::new();
        Self { wanted, layout, labelled, answers, texts, themes, boundary, mid, begun }
    }

    fn take(&mut self, document: &Document) -> Result<()> {
        let split = Split::of(document)?;
        let Some(segments) = self.labelled.remove(document.id.as_str()) else { return Ok(()) };
        if !self.wanted.splits.contains(&split) {
            return Ok(());
        }
        let answer = self.answers.len();
        self.answers.push(Answer {
            id: document.id.clone(),
            prompt_id: document.prompt_id.clone(),
            prompt: document.prompt.clone(),
            split,
            truncated: document.truncated(),
            first: self.texts.len(),
            segments: segments.len(),
            openings: openings(document, segments.len()),
        });
        self.texts.extend(segments.iter().map(|(text, _)| text.trim().to_owned()));
        self.themes.extend(segments.iter().map(|(_, theme)| *theme));
        let drawn = drawn(document, self.wanted.mid_rows);
        let begun = if self.wanted.begun { begun(document) } else { Vec::new() };
        let mut token = 0;
        replay(
            document,
            Player::plain(self.layout),
            |_, now| now.clear(),
            |moment| {
                let mid = moment.kind == RowKind::Mid;
                let wanted = !mid || drawn.contains(&token);
                token += 1;
                if wanted && moment.segment < segments.len() as i32 {
                    let into = if mid { &mut self.mid } else { &mut self.boundary };
                    into.0.extend_from_slice(moment.features);
                    into.1.push(Origin { answer, segment: moment.segment });
                    self.begun.extend(begun.get(token - 1).filter(|_| mid).cloned());
                }
                Ok(())
            },
        )
    }
}

/// The first five and the first ten tokens of each of the first `count` segments, as text.
fn openings(document: &Document, count: usize) -> Vec<[String; 2]> {
    let mut openings = vec![[String::new(), String::new()]; count];
    let mut seen = vec![0; count];
    for row in document.tokens.iter().filter(|row| row.index >= 0) {
        let segment = row.segment as usize;
        let Some([five, ten]) = openings.get_mut(segment) else { continue };
        if seen[segment] < 5 {
            five.push_str(&row.text);
        }
        if seen[segment] < 10 {
            ten.push_str(&row.text);
        }
        seen[segment] += 1;
    }
    openings
}

/// Of each token that was read, the text of its segment up to it, trimmed; the segment before where
/// that is nothing yet.
fn begun(document: &Document) -> Vec<String> {
    let (mut all, mut text, mut before) = (Vec::new(), String::new(), String::new());
    for row in &document.tokens {
        if row.index >= 0 {
            text.push_str(&row.text);
        }
        if row.residuals.is_some() {
            all.push(if text.trim().is_empty() { &before } else { text.trim() }.to_owned());
        }
        if row.segment_end {
            text.trim().clone_into(&mut before);
            text.clear();
        }
    }
    all
}

/// Which of the tokens that were read to take within segments, up to `count` of each: those whose
/// hash is smallest, so the same in every run.
fn drawn(document: &Document, count: usize) -> Vec<usize> {
    let mut by_segment: HashMap<i32, Vec<(u64, usize)>> = HashMap::new();
    let read = document.tokens.iter().filter(|row| row.residuals.is_some());
    for (token, row) in read.enumerate().filter(|(_, row)| row.index >= 0 && !row.segment_end) {
        let hash = stable_hash(&format!("{}#{token}", document.id));
        by_segment.entry(row.segment).or_default().push((hash, token));
    }
    let smallest = |mut tokens: Vec<(u64, usize)>| {
        tokens.sort_unstable();
        tokens.truncate(count);
        tokens.into_iter().map(|(_, token)| token)
    };
    by_segment.into_values().flat_map(smallest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::TokenRow;

    #[test]
    fn a_begun_segment_is_what_was_read_of_it_and_no_token_more() {
        let token = |(index, text): (usize, &str)| TokenRow {
            index: index as i32 - 1,
            text: text.to_owned(),
            segment_end: text.ends_with('.'),
            residuals: (index != 6).then(Vec::new),
            ..TokenRow::default()
        };
        let texts = ["", "One", " two.", " ", "Three", " four.", "never read"];
        let tokens = texts.into_iter().enumerate().map(token).collect();
        let read = begun(&Document { tokens, ..Document::default() });
        assert_eq!(read, ["", "One", "One two.", "One two.", "Three", "Three four."]);
    }
}
