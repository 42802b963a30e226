//! Record batches back into documents.

use super::{Document, TokenRow, encode::residual_column};
use crate::{LabError, Result};
use arrow::{
    array::{
        Array, BooleanArray, FixedSizeListArray, Float16Array, Int32Array, RecordBatch,
        StringArray, UInt32Array,
    },
    datatypes::DataType,
};
use half::f16;
use std::path::Path;
use themecast_plugin_api::Site;

/// The column `name` of a batch as the Arrow type `T`.
///
/// # Errors
/// [`LabError::Format`] where it is missing or of another type.
pub(crate) fn column<'a, T: Array + 'static>(
    batch: &'a RecordBatch,
    name: &str,
    path: &Path,
) -> Result<&'a T> {
    let found = batch
        .column_by_name(name)
        .ok_or_else(|| LabError::format(path, format!("no column '{name}'")))?;
    found.as_any().downcast_ref().ok_or_else(|| {
        let message = format!("column '{name}' has the type {}", found.data_type());
        LabError::format(path, message)
    })
}

/// The heads in a batch of a documents file, each with the number of its token rows.
///
/// # Errors
/// [`LabError::Format`].
pub(super) fn heads(batch: &RecordBatch, path: &Path) -> Result<Vec<(Document, usize)>> {
    let text = |name| column::<StringArray>(batch, name, path);
    let (ids, prompt_ids, prompts) = (text("id")?, text("prompt_id")?, text("prompt")?);
    let (groups, splits) = (text("group")?, text("split")?);
    let (texts, reasons) = (text("text")?, text("finish_reason")?);
    let samples: &UInt32Array = column(batch, "sample", path)?;
    let looping: &BooleanArray = column(batch, "looping", path)?;
    let counts: &UInt32Array = column(batch, "tokens", path)?;
    let maybe = |of: &StringArray, row: usize| of.is_valid(row).then(|| of.value(row).to_owned());
    let head = |row: usize| Document {
        id: ids.value(row).to_owned(),
        prompt_id: prompt_ids.value(row).to_owned(),
        prompt: prompts.value(row).to_owned(),
        group: maybe(groups, row),
        split: maybe(splits, row),
        sample: samples.value(row),
        text: texts.value(row).to_owned(),
        finish_reason: reasons.value(row).to_owned(),
        looping: looping.value(row),
        tokens: Vec::new(),
    };
    Ok((0..batch.num_rows()).map(|row| (head(row), counts.value(row) as usize)).collect())
}

/// The columns of a batch of a tokens file.
pub(super) struct TokenColumns<'a> {
    documents: &'a StringArray,
    index: &'a Int32Array,
    token: &'a UInt32Array,
    text: &'a StringArray,
    position: &'a UInt32Array,
    segment: &'a Int32Array,
    segment_end: &'a BooleanArray,
    residuals: Vec<(&'a FixedSizeListArray, &'a Float16Array, usize)>,
}

impl<'a> TokenColumns<'a> {
    /// Finds the columns, with the residuals of `sites` in that order.
    ///
    /// # Errors
    /// [`LabError::Format`] where one is missing or of another type.
    pub(super) fn new(batch: &'a RecordBatch, sites: &[Site], path: &Path) -> Result<Self> {
        let residual = |&site: &Site| {
            let name = residual_column(site);
            let list: &FixedSizeListArray = column(batch, &name, path)?;
            let DataType::FixedSizeList(_, width) = list.data_type() else {
                return Err(LabError::format(path, format!("column '{name}' is no fixed list")));
            };
            let values = list.values().as_any().downcast_ref::<Float16Array>();
            let values = values
                .ok_or_else(|| LabError::format(path, format!("column '{name}' is no Float16")))?;
            Ok((list, values, *width as usize))
        };
        Ok(Self {
            documents: column(batch, "document", path)?,
            index: column(batch, "index", path)?,
            token: column(batch, "token", path)?,
            text: column(batch, "text", path)?,
            position: column(batch, "position", path)?,
            segment: column(batch, "segment", path)?,
            segment_end: column(batch, "segment_end", path)?,
            residuals: sites.iter().map(residual).collect::<Result<_>>()?,
        })
    }

    /// The document that row `row` belongs to.
    pub(super) fn document(&self, row: usize) -> &'a str {
        self.documents.value(row)
    }

    /// Row `row`.
    pub(super) fn row(&self, row: usize) -> TokenRow {
        TokenRow {
            index: self.index.value(row),
            token: self.token.value(row),
            text: self.text.value(row).to_owned(),
            position: self.position.value(row),
            segment: self.segment.value(row),
            segment_end: self.segment_end.value(row),
            residuals: self.residuals(row),
        }
    }

    fn residuals(&self, row: usize) -> Option<Vec<f16>> {
        let known = !self.residuals.is_empty()
            && self.residuals.iter().all(|(list, ..)| list.is_valid(row));
        known.then(|| {
            let mut all = Vec::with_capacity(self.residuals.iter().map(|(.., width)| width).sum());
            for (list, values, width) in &self.residuals {
                let start = list.value_offset_at(row);
                all.extend_from_slice(&values.values()[start..start + width]);
            }
            all
        })
    }
}
