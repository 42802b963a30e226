//! `labels/`: what a labeller said, on disk.

use super::{Agreement, LABELS_FORMAT, Labeling, Segment};
use crate::{
    LabError, Result, atomic,
    dataset::parquet_io::{column, open_columns, properties, write_parquet},
};
use arrow::{
    array::{ArrayRef, Float32Array, RecordBatch, StringArray, UInt32Array},
    datatypes::{DataType, Field, Schema, SchemaRef},
};
use serde::{Deserialize, Serialize};
use std::{fs, path::Path, sync::Arc};
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
}

/// The labels of a collection.
#[derive(Debug, Clone)]
pub struct Labels {
    /// How they came about.
    pub card: LabelCard,
    /// The catalogue.
    pub themes: Vec<Theme>,
    /// Every labelled segment, document after document, in order.
    pub segments: Vec<SegmentLabel>,
}

impl Labels {
    pub(super) fn new(card: LabelCard, labeling: Labeling, segments: Vec<Segment>) -> Self {
        let given = labeling.assigned.into_iter().zip(labeling.distances);
        let label = |(one, (theme, distance)): (Segment, (u32, f32))| SegmentLabel {
            document: one.document,
            segment: one.segment,
            first_token: one.first_token,
            end_token: one.end_token,
            text: one.text,
            theme,
            distance,
        };
        let segments = segments.into_iter().zip(given).map(label).collect();
        Self { card, themes: labeling.themes, segments }
    }

    /// Writes the folder `out`; `labels.json` goes first away and comes last, so that a folder
    /// that has it is whole.
    ///
    /// # Errors
    /// [`LabError::Io`], [`LabError::Format`].
    pub(super) fn save(&self, out: &Path) -> Result<()> {
        let card = out.join("labels.json");
        match fs::remove_file(&card) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(LabError::io("remove", &card)(error));
            }
            _ => {}
        }
        let path = out.join("segments.parquet");
        let schema = schema();
        let batch = std::iter::once(self.batch(&schema, &path));
        write_parquet(&path, &schema, properties().build(), batch)?;
        atomic::write_json(&out.join("themes.json"), &self.themes)?;
        atomic::write_json(&card, &self.card)
    }

    /// Reads the labels of the collection in the folder `dir`.
    ///
    /// # Errors
    /// [`LabError::Io`] where there are none; [`LabError::Format`] where they are of another
    /// format or do not fit together.
    pub fn load(dir: &Path) -> Result<Self> {
        let dir = dir.join("labels");
        let path = dir.join("labels.json");
        let card: LabelCard = atomic::read_json(&path)?;
        if card.format != LABELS_FORMAT {
            let message = format!("format {}, expected {LABELS_FORMAT}", card.format);
            return Err(LabError::format(&path, message));
        }
        let themes: Vec<Theme> = atomic::read_json(&dir.join("themes.json"))?;
        let path = dir.join("segments.parquet");
        let mut segments = Vec::with_capacity(card.segments);
        for batch in open_columns(&path, |_| true)? {
            let batch = batch.map_err(|error| LabError::format(&path, error))?;
            read_batch(&batch, &path, &mut segments)?;
        }
        if let Some(label) = segments.iter().find(|label| label.theme as usize >= themes.len()) {
            let message = format!("theme {} of a catalogue of {}", label.theme, themes.len());
            return Err(LabError::format(&path, message));
        }
        Ok(Self { card, themes, segments })
    }

    fn batch(&self, schema: &SchemaRef, path: &Path) -> Result<RecordBatch> {
        let all = &self.segments;
        let text = |of: fn(&SegmentLabel) -> &str| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(all.iter().map(of)))
        };
        let number = |of: fn(&SegmentLabel) -> u32| -> ArrayRef {
            Arc::new(UInt32Array::from_iter_values(all.iter().map(of)))
        };
        let columns: Vec<ArrayRef> = vec![
            text(|one| &one.document),
            number(|one| one.segment),
            number(|one| one.first_token),
            number(|one| one.end_token),
            text(|one| &one.text),
            number(|one| one.theme),
            Arc::new(Float32Array::from_iter_values(all.iter().map(|one| one.distance))),
        ];
        RecordBatch::try_new(schema.clone(), columns).map_err(|error| LabError::format(path, error))
    }
}

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("document", DataType::Utf8, false),
        Field::new("segment", DataType::UInt32, false),
        Field::new("first_token", DataType::UInt32, false),
        Field::new("end_token", DataType::UInt32, false),
        Field::new("text", DataType::Utf8, false),
        Field::new("theme", DataType::UInt32, false),
        Field::new("distance", DataType::Float32, false),
    ]))
}

fn read_batch(batch: &RecordBatch, path: &Path, into: &mut Vec<SegmentLabel>) -> Result<()> {
    let number = |name| column::<UInt32Array>(batch, name, path);
    let documents: &StringArray = column(batch, "document", path)?;
    let texts: &StringArray = column(batch, "text", path)?;
    let distances: &Float32Array = column(batch, "distance", path)?;
    let (segments, themes) = (number("segment")?, number("theme")?);
    let (first, end) = (number("first_token")?, number("end_token")?);
    into.extend((0..batch.num_rows()).map(|row| SegmentLabel {
        document: documents.value(row).to_owned(),
        segment: segments.value(row),
        first_token: first.value(row),
        end_token: end.value(row),
        text: texts.value(row).to_owned(),
        theme: themes.value(row),
        distance: distances.value(row),
    }));
    Ok(())
}
