//! `labels/`: what a labeller said, on disk.

use super::{Agreement, LABELS_FORMAT, Labeling, Segment, TopicCard, columns};
use crate::{LabError, Result, atomic};
use serde::{Deserialize, Serialize};
use std::{fs, path::Path};
use themecast_forecast::{bundle::Theme, segment::SegmenterConfig};

/// How the labels came about; `labels.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LabelCard {
    /// Layout version, [`LABELS_FORMAT`].
    pub format: u32,
    /// The labeller: `cluster`, `taxonomy`, `llm`.
    pub method: String,
    /// The labeller's parameters.
    pub parameters: serde_json::Value,
    /// How the texts were cut.
    pub segmenter: SegmenterConfig,
    /// Documents read.
    pub documents: usize,
    /// Documents left out because they repeat themselves.
    pub looping_left_out: usize,
    /// Of the others, those that the length limit cut off: their unfinished last segment is left
    /// out.
    #[serde(default)]
    pub truncated: usize,
    /// Segments labelled.
    pub segments: usize,
    /// Of them in the training split.
    pub train_segments: usize,
    /// Of them in the validation split.
    pub validation_segments: usize,
    /// Of them in the test split.
    pub test_segments: usize,
    /// Agreement with a second run or labeller.
    pub agreement: Option<Agreement>,
    /// Topics beside themes, where there are topics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topics: Option<TopicCard>,
}

/// One labelled segment.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentLabel {
    /// The document's id.
    pub document: String,
    /// Its number in the document, from 0.
    pub segment: u32,
    /// The index in the answer of its first token.
    pub first_token: u32,
    /// The index in the answer after its last token.
    pub end_token: u32,
    /// Its text.
    pub text: String,
    /// Its theme's place in the catalogue.
    pub theme: u32,
    /// How far it is from its theme, in the method's own measure.
    pub distance: f32,
    /// Its topic's place in the catalogue of topics, where there are topics.
    pub topic: Option<u32>,
}

/// The labels of a collection.
#[derive(Debug, Clone)]
pub struct Labels {
    /// How they came about.
    pub card: LabelCard,
    /// The catalogue.
    pub themes: Vec<Theme>,
    /// The catalogue of topics; `None` where there are none, as in folders of before there were.
    pub topics: Option<Vec<Theme>>,
    /// Every labelled segment, document after document, in order.
    pub segments: Vec<SegmentLabel>,
}

impl Labels {
    pub(super) fn new(
        card: LabelCard,
        (themes, topics): (Labeling, Option<Labeling>),
        segments: Vec<Segment>,
    ) -> Self {
        let topic = |place: usize| topics.as_ref().map(|topics| topics.assigned[place]);
        let given = themes.assigned.into_iter().zip(themes.distances).enumerate();
        let label = |(one, (place, (theme, distance))): (Segment, (usize, (u32, f32)))| {
            let Segment { document, segment, first_token, end_token, text, .. } = one;
            let topic = topic(place);
            SegmentLabel { document, segment, first_token, end_token, text, theme, distance, topic }
        };
        let segments = segments.into_iter().zip(given).map(label).collect();
        let topics = topics.map(|topics| topics.themes);
        Self { card, themes: themes.themes, topics, segments }
    }

    /// The topic of `segment`, one of these labels; `None` where there are no topics.
    pub fn topic(&self, segment: &SegmentLabel) -> Option<&Theme> {
        self.topics.as_ref()?.get(segment.topic? as usize)
    }

    /// Writes the folder `out`; `labels.json` goes first away and comes last, so that a folder
    /// that has it is whole.
    ///
    /// # Errors
    /// [`LabError::Io`], [`LabError::Format`].
    pub(super) fn save(&self, out: &Path) -> Result<()> {
        let (card, topics) = (out.join("labels.json"), out.join("topics.json"));
        remove(&card)?;
        columns::write(&out.join("segments.parquet"), &self.segments)?;
        atomic::write_json(&out.join("themes.json"), &self.themes)?;
        match &self.topics {
            Some(all) => atomic::write_json(&topics, all)?,
            None => remove(&topics)?,
        }
        atomic::write_json(&card, &self.card)
    }

    /// Reads the labels of the collection in the folder `dir`.
    ///
    /// # Errors
    /// [`LabError::Data`] where there are none; [`LabError::Format`] where they are of another
    /// format or do not fit together; [`LabError::Io`] where they can't be read.
    pub fn load(dir: &Path) -> Result<Self> {
        let collection = dir.display();
        let dir = dir.join("labels");
        let path = dir.join("labels.json");
        if !path.exists() {
            let how = format!("`themecast label --data {collection}` makes them");
            return Err(LabError::data(format!("{collection}: has no labels: {how}")));
        }
        let card: LabelCard = atomic::read_json(&path)?;
        if card.format != LABELS_FORMAT {
            let message = format!("format {}, expected {LABELS_FORMAT}", card.format);
            return Err(LabError::format(&path, message));
        }
        let themes: Vec<Theme> = atomic::read_json(&dir.join("themes.json"))?;
        let topics: Option<Vec<Theme>> = match &card.topics {
            Some(_) => Some(atomic::read_json(&dir.join("topics.json"))?),
            None => None,
        };
        let path = dir.join("segments.parquet");
        let segments = columns::read(&path, topics.is_some())?;
        within(&path, "theme", segments.iter().map(|one| one.theme), themes.len())?;
        let given = segments.iter().filter_map(|one| one.topic);
        within(&path, "topic", given, topics.as_ref().map_or(0, Vec::len))?;
        Ok(Self { card, themes, topics, segments })
    }
}

/// Removes the file `path` where there is one.
fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(LabError::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// That every label in the file `path` points into its catalogue of so many.
fn within(
    path: &Path,
    what: &str,
    mut labels: impl Iterator<Item = u32>,
    catalogue: usize,
) -> Result<()> {
    match labels.find(|&label| label as usize >= catalogue) {
        Some(label) => {
            Err(LabError::format(path, format!("{what} {label} of a catalogue of {catalogue}")))
        }
        None => Ok(()),
    }
}
