//! `labels/segments.parquet`: its columns.

use super::SegmentLabel;
use crate::{
    LabError, Result,
    dataset::parquet_io::{column, open_columns, properties, write_parquet},
};
use arrow::{
    array::{ArrayRef, Float32Array, RecordBatch, StringArray, UInt32Array},
    datatypes::{DataType, Field, Schema},
};
use std::{path::Path, sync::Arc};

/// Writes `segments`, their topics where they have some, to the file `path`.
///
/// # Errors
/// [`LabError::Io`], [`LabError::Format`].
pub(super) fn write(path: &Path, segments: &[SegmentLabel]) -> Result<()> {
    let text = |of: fn(&SegmentLabel) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(segments.iter().map(of)))
    };
    let number = |of: fn(&SegmentLabel) -> u32| -> ArrayRef {
        Arc::new(UInt32Array::from_iter_values(segments.iter().map(of)))
    };
    let distances = Float32Array::from_iter_values(segments.iter().map(|one| one.distance));
    let mut all: Vec<(&str, ArrayRef)> = vec![
        ("document", text(|one| &one.document)),
        ("segment", number(|one| one.segment)),
        ("first_token", number(|one| one.first_token)),
        ("end_token", number(|one| one.end_token)),
        ("text", text(|one| &one.text)),
        ("theme", number(|one| one.theme)),
        ("distance", Arc::new(distances)),
    ];
    let topics: Option<Vec<u32>> = segments.iter().map(|one| one.topic).collect();
    if let Some(topics) = topics {
        all.push(("topic", Arc::new(UInt32Array::from(topics))));
    }
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) =
        all.into_iter().map(|(name, array)| (field(name, &array), array)).unzip();
    let schema = Arc::new(Schema::new(fields));
    let batch =
        RecordBatch::try_new(schema.clone(), arrays).map_err(|error| LabError::format(path, error));
    write_parquet(path, &schema, properties().build(), std::iter::once(batch))
}

fn field(name: &str, array: &ArrayRef) -> Field {
    let kind: &DataType = array.data_type();
    Field::new(name, kind.clone(), false)
}

/// Reads the file `path`; `topics`: there are some.
///
/// # Errors
/// [`LabError::Io`]; [`LabError::Format`] where a column is missing.
pub(super) fn read(path: &Path, topics: bool) -> Result<Vec<SegmentLabel>> {
    let mut segments = Vec::new();
    for batch in open_columns(path, |_| true)? {
        let batch = batch.map_err(|error| LabError::format(path, error))?;
        read_batch(&batch, (path, topics), &mut segments)?;
    }
    Ok(segments)
}

fn read_batch(
    batch: &RecordBatch,
    (path, topics): (&Path, bool),
    into: &mut Vec<SegmentLabel>,
) -> Result<()> {
    let number = |name| column::<UInt32Array>(batch, name, path);
    let documents: &StringArray = column(batch, "document", path)?;
    let texts: &StringArray = column(batch, "text", path)?;
    let distances: &Float32Array = column(batch, "distance", path)?;
    let (segments, themes) = (number("segment")?, number("theme")?);
    let (first, end) = (number("first_token")?, number("end_token")?);
    let topics = topics.then(|| number("topic")).transpose()?;
    into.extend((0..batch.num_rows()).map(|row| SegmentLabel {
        document: documents.value(row).to_owned(),
        segment: segments.value(row),
        first_token: first.value(row),
        end_token: end.value(row),
        text: texts.value(row).to_owned(),
        theme: themes.value(row),
        distance: distances.value(row),
        topic: topics.map(|topics| topics.value(row)),
    }));
    Ok(())
}
