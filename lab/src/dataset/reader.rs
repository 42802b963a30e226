//! Reading a collection, one document at a time.

use super::{
    CollectionInfo, Document,
    decode::{self, TokenColumns},
    encode::residual_column,
    part::{self, Part},
};
use crate::{LabError, Result};
use arrow::array::{RecordBatch, StringArray};
use parquet::arrow::{
    ProjectionMask,
    arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder},
};
use std::{
    collections::{HashSet, VecDeque},
    fs::File,
    path::{Path, PathBuf},
};
use themecast_plugin_api::Site;

const ROWS_PER_BATCH: usize = 1024;

/// How much of each document to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Load {
    /// The documents alone; `tokens` stays empty.
    Documents,
    /// The tokens without residuals.
    Tokens,
    /// The tokens with the residuals of these sites, in this order.
    Residuals(Vec<Site>),
}

/// Streams the committed documents of a collection; holds one part's heads and one batch of rows.
pub struct DocumentReader {
    load: Load,
    parts: VecDeque<Part>,
    current: Option<OpenPart>,
}

struct OpenPart {
    path: PathBuf,
    heads: VecDeque<(Document, usize)>,
    tokens: Option<ParquetRecordBatchReader>,
    batch: Option<(RecordBatch, usize)>,
}

impl DocumentReader {
    /// Opens the collection in the folder `dir`.
    ///
    /// # Errors
    /// [`LabError::Io`], [`LabError::Format`]; [`LabError::Data`] where a site of `load` was not
    /// collected.
    pub fn open(dir: &Path, load: Load) -> Result<Self> {
        let info = CollectionInfo::load(dir)?;
        if let Load::Residuals(sites) = &load
            && let Some(site) = sites.iter().find(|site| !info.sites.contains(site))
        {
            let known: Vec<_> = info.sites.iter().map(Site::to_string).collect();
            let message = format!(
                "{}: site {site} was not collected; it has {}",
                dir.display(),
                known.join(" ")
            );
            return Err(LabError::Data(message));
        }
        Ok(Self { load, parts: part::committed(dir)?.into(), current: None })
    }

    fn advance(&mut self) -> Result<Option<Document>> {
        loop {
            if let Some(part) = &mut self.current
                && let Some((head, rows)) = part.heads.pop_front()
            {
                return part.fill(head, rows, &self.load).map(Some);
            }
            match self.parts.pop_front() {
                Some(part) => self.current = Some(OpenPart::open(&part, &self.load)?),
                None => return Ok(None),
            }
        }
    }
}

impl Iterator for DocumentReader {
    type Item = Result<Document>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.advance().transpose();
        if matches!(next, Some(Err(_))) {
            // What follows an error is not worth trusting.
            self.parts.clear();
            self.current = None;
        }
        next
    }
}

impl OpenPart {
    fn open(part: &Part, load: &Load) -> Result<Self> {
        let mut heads = VecDeque::new();
        for batch in open(&part.documents, None)? {
            let batch = batch.map_err(|error| LabError::format(&part.documents, error))?;
            heads.extend(decode::heads(&batch, &part.documents)?);
        }
        let tokens = match load {
            Load::Documents => None,
            Load::Tokens => Some(open(&part.tokens, Some(&[]))?),
            Load::Residuals(sites) => Some(open(&part.tokens, Some(sites))?),
        };
        Ok(Self { path: part.tokens.clone(), heads, tokens, batch: None })
    }

    fn fill(&mut self, mut head: Document, rows: usize, load: &Load) -> Result<Document> {
        if self.tokens.is_none() {
            return Ok(head);
        }
        let sites = match load {
            Load::Residuals(sites) => sites.as_slice(),
            _ => &[],
        };
        head.tokens.reserve(rows);
        while head.tokens.len() < rows {
            let (batch, mut next) = self.rest()?;
            let columns = TokenColumns::new(&batch, sites, &self.path)?;
            while head.tokens.len() < rows && next < batch.num_rows() {
                if columns.document(next) != head.id {
                    let found = columns.document(next);
                    let message = format!("a row of {found} where {} was expected", head.id);
                    return Err(LabError::format(&self.path, message));
                }
                head.tokens.push(columns.row(next));
                next += 1;
            }
            self.batch = Some((batch, next));
        }
        Ok(head)
    }

    /// The batch that has rows left, with the number of the first of them.
    fn rest(&mut self) -> Result<(RecordBatch, usize)> {
        if let Some((batch, next)) = self.batch.take()
            && next < batch.num_rows()
        {
            return Ok((batch, next));
        }
        match self.tokens.as_mut().and_then(Iterator::next) {
            Some(Ok(batch)) => Ok((batch, 0)),
            Some(Err(error)) => Err(LabError::format(&self.path, error)),
            None => Err(LabError::format(&self.path, "it ends before its last document")),
        }
    }
}

/// Every committed document of the collection in `dir`, without tokens.
///
/// # Errors
/// As [`DocumentReader::open`].
pub fn read_documents(dir: &Path) -> Result<Vec<Document>> {
    DocumentReader::open(dir, Load::Documents)?.collect()
}

/// The ids of every committed document in the folder `dir`, of all shards; none where the folder
/// does not exist yet.
///
/// # Errors
/// [`LabError::Io`], [`LabError::Format`].
pub fn completed_ids(dir: &Path) -> Result<HashSet<String>> {
    let mut ids = HashSet::new();
    if !dir.exists() {
        return Ok(ids);
    }
    for part in part::committed(dir)? {
        for batch in open_columns(&part.documents, |name| name == "id")? {
            let batch = batch.map_err(|error| LabError::format(&part.documents, error))?;
            let found: &StringArray = decode::column(&batch, "id", &part.documents)?;
            ids.extend(found.iter().flatten().map(str::to_owned));
        }
    }
    Ok(ids)
}

/// Opens a Parquet file with all columns, or with the residuals of these sites alone.
fn open(path: &Path, sites: Option<&[Site]>) -> Result<ParquetRecordBatchReader> {
    let residuals: Option<Vec<String>> =
        sites.map(|sites| sites.iter().map(|&site| residual_column(site)).collect());
    open_columns(path, |name| match &residuals {
        Some(wanted) => !name.starts_with("residual.") || wanted.iter().any(|one| one == name),
        None => true,
    })
}

/// Opens a Parquet file with the columns that `keep` names.
///
/// # Errors
/// [`LabError::Io`], [`LabError::Format`].
pub(crate) fn open_columns(
    path: &Path,
    keep: impl Fn(&str) -> bool,
) -> Result<ParquetRecordBatchReader> {
    let refuse = |error| LabError::format(path, format!("cannot be read: {error}"));
    let file = File::open(path).map_err(LabError::io("open", path))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(refuse)?;
    let fields = builder.schema().fields().iter().enumerate();
    let wanted: Vec<usize> =
        fields.filter(|(_, field)| keep(field.name())).map(|(place, _)| place).collect();
    let mask = ProjectionMask::roots(builder.parquet_schema(), wanted);
    builder.with_projection(mask).with_batch_size(ROWS_PER_BATCH).build().map_err(refuse)
}
