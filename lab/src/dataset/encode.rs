//! Documents as Arrow record batches.

use super::{CollectionInfo, Document, TokenRow};
use crate::{LabError, Result};
use arrow::{
    array::{
        ArrayRef, BooleanArray, FixedSizeListArray, Float16Array, Int32Array, RecordBatch,
        StringArray, UInt32Array,
    },
    buffer::NullBuffer,
    datatypes::{DataType, Field, FieldRef, Schema, SchemaRef},
    error::ArrowError,
};
use half::f16;
use std::sync::Arc;

/// The name of the column that holds the residuals of a site.
pub(super) fn residual_column(site: themecast_plugin_api::Site) -> String {
    format!("residual.{site}")
}

/// The columns of a tokens file.
///
/// # Errors
/// [`LabError::Data`] where the hidden size exceeds what Parquet lists can hold.
pub(super) fn token_schema(info: &CollectionInfo) -> Result<SchemaRef> {
    let width = i32::try_from(info.model.hidden_size)
        .map_err(|_| LabError::data(format!("hidden size {}", info.model.hidden_size)))?;
    let mut fields = vec![
        Field::new("document", DataType::Utf8, false),
        Field::new("index", DataType::Int32, false),
        Field::new("token", DataType::UInt32, false),
        Field::new("text", DataType::Utf8, false),
        Field::new("position", DataType::UInt32, false),
        Field::new("segment", DataType::Int32, false),
        Field::new("segment_end", DataType::Boolean, false),
    ];
    fields.extend(info.sites.iter().map(|&site| {
        Field::new(residual_column(site), DataType::FixedSizeList(item(), width), true)
    }));
    Ok(Arc::new(Schema::new(fields)))
}

/// The columns of a documents file.
pub(super) fn document_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("id", DataType::Utf8, false),
        Field::new("prompt_id", DataType::Utf8, false),
        Field::new("prompt", DataType::Utf8, false),
        Field::new("group", DataType::Utf8, true),
        Field::new("split", DataType::Utf8, true),
        Field::new("sample", DataType::UInt32, false),
        Field::new("text", DataType::Utf8, false),
        Field::new("finish_reason", DataType::Utf8, false),
        Field::new("looping", DataType::Boolean, false),
        Field::new("tokens", DataType::UInt32, false),
    ]))
}

/// The rows of one document.
///
/// # Errors
/// [`LabError::Data`] where a row's residuals have another length than sites × hidden size, or
/// hold a value that is not finite.
pub(super) fn token_batch(
    document: &Document,
    info: &CollectionInfo,
    schema: &SchemaRef,
) -> Result<RecordBatch> {
    let rows = &document.tokens;
    check_residuals(document, info)?;
    let ids = std::iter::repeat_n(document.id.as_str(), rows.len());
    let mut columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(ids)),
        Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| row.index))),
        Arc::new(UInt32Array::from_iter_values(rows.iter().map(|row| row.token))),
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.text.as_str()))),
        Arc::new(UInt32Array::from_iter_values(rows.iter().map(|row| row.position))),
        Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| row.segment))),
        Arc::new(BooleanArray::from_iter(rows.iter().map(|row| Some(row.segment_end)))),
    ];
    for site in 0..info.sites.len() {
        let column = residuals(rows, site, info.model.hidden_size).map_err(batch_error)?;
        columns.push(Arc::new(column));
    }
    RecordBatch::try_new(schema.clone(), columns).map_err(batch_error)
}

/// The heads of these documents.
///
/// # Errors
/// [`LabError::Data`] where the batch can't be built.
pub(super) fn document_batch(documents: &[Document], schema: &SchemaRef) -> Result<RecordBatch> {
    let text = |of: fn(&Document) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(documents.iter().map(of)))
    };
    let maybe = |of: fn(&Document) -> Option<&str>| -> ArrayRef {
        Arc::new(documents.iter().map(of).collect::<StringArray>())
    };
    let count = documents.iter().map(|document| document.tokens.len() as u32);
    let columns: Vec<ArrayRef> = vec![
        text(|document| &document.id),
        text(|document| &document.prompt_id),
        text(|document| &document.prompt),
        maybe(|document| document.group.as_deref()),
        maybe(|document| document.split.as_deref()),
        Arc::new(UInt32Array::from_iter_values(documents.iter().map(|document| document.sample))),
        text(|document| &document.text),
        text(|document| &document.finish_reason),
        Arc::new(BooleanArray::from_iter(documents.iter().map(|document| Some(document.looping)))),
        Arc::new(UInt32Array::from_iter_values(count)),
    ];
    RecordBatch::try_new(schema.clone(), columns).map_err(batch_error)
}

fn item() -> FieldRef {
    Arc::new(Field::new("item", DataType::Float16, true))
}

fn residuals(
    rows: &[TokenRow],
    site: usize,
    hidden: usize,
) -> Result<FixedSizeListArray, ArrowError> {
    let mut values = Vec::with_capacity(rows.len() * hidden);
    for row in rows {
        match &row.residuals {
            Some(all) => values.extend_from_slice(&all[site * hidden..(site + 1) * hidden]),
            None => values.resize(values.len() + hidden, f16::ZERO),
        }
    }
    let present: NullBuffer = rows.iter().map(|row| row.residuals.is_some()).collect();
    let values = Arc::new(Float16Array::from(values));
    FixedSizeListArray::try_new(item(), hidden as i32, values, Some(present))
}

fn check_residuals(document: &Document, info: &CollectionInfo) -> Result<()> {
    let (sites, hidden) = (info.sites.len(), info.model.hidden_size);
    for row in &document.tokens {
        let Some(values) = &row.residuals else { continue };
        let at = || format!("document {}, token {}", document.id, row.index);
        if values.len() != sites * hidden {
            let found = values.len();
            let message = format!("{}: {found} residuals, expected {sites} × {hidden}", at());
            return Err(LabError::Data(message));
        }
        if let Some(place) = values.iter().position(|value| !value.is_finite()) {
            let site = info.sites[place / hidden];
            return Err(LabError::Data(format!("{}: the residual at {site} is not finite", at())));
        }
    }
    Ok(())
}

fn batch_error(error: ArrowError) -> LabError {
    LabError::Data(format!("cannot build a record batch: {error}"))
}
