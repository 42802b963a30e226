//! Committing documents, part by part.

use super::{
    CollectionInfo, Document, Shard,
    encode::{document_batch, document_schema, residual_column, token_batch, token_schema},
    part::{Part, next_sequence},
};
use crate::{LabError, Result, atomic};
use arrow::{array::RecordBatch, datatypes::SchemaRef};
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, ZstdLevel},
    file::properties::{EnabledStatistics, WriterProperties},
    schema::types::ColumnPath,
};
use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
};

const ROWS_PER_GROUP: usize = 4096;

/// Appends parts to a collection; one writer per shard at a time, across processes.
#[derive(Debug)]
pub struct PartWriter {
    dir: PathBuf,
    shard: Shard,
    sequence: u32,
    info: CollectionInfo,
    token_schema: SchemaRef,
    /// Holds the shard's lock until the writer is dropped.
    _lock: File,
}

impl PartWriter {
    /// A writer for `shard` of the collection in the folder `dir` (made where missing), after the
    /// parts that are committed there. It does not write `collection.json`.
    ///
    /// # Errors
    /// [`LabError::Io`] where the folder can't be written; [`LabError::Data`] where the shard is
    /// none, or another writer has it.
    pub fn new(dir: &Path, shard: Shard, info: &CollectionInfo) -> Result<Self> {
        shard.check()?;
        atomic::create_dir(dir)?;
        let lock = lock(dir, shard)?;
        Ok(Self {
            dir: dir.to_owned(),
            shard,
            sequence: next_sequence(dir, shard)?,
            info: info.clone(),
            token_schema: token_schema(info)?,
            _lock: lock,
        })
    }

    /// Commits `documents` as one part: after a return without error they survive a crash; after
    /// an error none of them is in the collection, and the same call may be tried again.
    ///
    /// # Errors
    /// [`LabError::Io`] and [`LabError::Format`] where writing fails (disk full); [`LabError::Data`]
    /// where residuals do not fit the collection.
    pub fn write(&mut self, documents: &[Document]) -> Result<()> {
        if documents.is_empty() {
            return Ok(());
        }
        let part = Part::new(&self.dir, self.shard, self.sequence);
        let tokens = documents.iter().map(|one| token_batch(one, &self.info, &self.token_schema));
        write_parquet(&part.tokens, &self.token_schema, token_properties(&self.info), tokens)?;
        let schema = document_schema();
        let heads = std::iter::once(document_batch(documents, &schema));
        write_parquet(&part.documents, &schema, properties().build(), heads)?;
        self.sequence += 1;
        Ok(())
    }
}

/// Writes batches as one Parquet file, whole or not at all.
///
/// # Errors
/// [`LabError::Io`] and [`LabError::Format`], or what a batch failed with.
pub(crate) fn write_parquet(
    path: &Path,
    schema: &SchemaRef,
    properties: WriterProperties,
    batches: impl Iterator<Item = Result<RecordBatch>>,
) -> Result<()> {
    atomic::write(path, |file| {
        let refuse = |error| LabError::format(path, format!("cannot be written: {error}"));
        let mut writer =
            ArrowWriter::try_new(file, schema.clone(), Some(properties)).map_err(refuse)?;
        for batch in batches {
            writer.write(&batch?).map_err(refuse)?;
        }
        writer.into_inner().map_err(refuse)
    })
}

/// The settings of every Parquet file of a collection: zstd, small row groups.
pub(crate) fn properties() -> parquet::file::properties::WriterPropertiesBuilder {
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(ROWS_PER_GROUP))
        .set_created_by(concat!("themecast ", env!("CARGO_PKG_VERSION")).to_owned())
}

/// Dictionaries and statistics are a waste on residuals.
fn token_properties(info: &CollectionInfo) -> WriterProperties {
    let mut builder = properties();
    for &site in &info.sites {
        let parts = [residual_column(site), "list".to_owned(), "item".to_owned()];
        let path = ColumnPath::new(parts.into());
        builder = builder
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_statistics_enabled(path, EnabledStatistics::None);
    }
    builder.build()
}

fn lock(dir: &Path, shard: Shard) -> Result<File> {
    let path = dir.join(format!(".lock-{}of{}", shard.index, shard.count));
    let file = File::create(&path).map_err(LabError::io("create", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let message = format!("{}: another process is writing shard {shard}", dir.display());
            Err(LabError::Data(message))
        }
        Err(TryLockError::Error(error)) => Err(LabError::io("lock", &path)(error)),
    }
}
