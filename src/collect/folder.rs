//! The folder that documents go into: which of them are this process's, and how they are kept.

use anyhow::{Context, Result};
use clap::{Args, builder::RangedU64ValueParser};
use futures::{StreamExt, stream};
use std::{collections::HashSet, path::PathBuf};
use themecast_lab::dataset::{CollectionInfo, Document, PartWriter, Shard, completed_ids};

/// Documents are committed in parts of this many.
const PART: usize = 16;

/// Where documents go, and this process's part in it.
#[derive(Debug, Clone, Args)]
pub struct Folder {
    /// The folder of the collection that is made
    #[arg(long)]
    pub out: PathBuf,
    /// Which share of the work this process does: I/N, counted from 1
    #[arg(long, default_value = "1/1")]
    pub shard: Shard,
    /// How many engines work side by side
    #[arg(long, default_value_t = 1, value_parser = RangedU64ValueParser::<usize>::from(1..))]
    pub engines: usize,
}

impl Folder {
    /// Makes the folder with the collection's description `info`, or checks that against the one
    /// that is there; the ids of the documents that it has.
    ///
    /// # Errors
    /// When the folder can't be made or read, or holds another collection.
    pub(super) fn begin(&self, info: &CollectionInfo) -> Result<HashSet<String>> {
        std::fs::create_dir_all(&self.out)
            .with_context(|| format!("{}: cannot make the folder", self.out.display()))?;
        match CollectionInfo::exists(&self.out) {
            true => CollectionInfo::load(&self.out)?.check_same(info, &self.out)?,
            false => info.save(&self.out)?,
        }
        Ok(completed_ids(&self.out)?)
    }

    /// Those of `all` that are this process's.
    pub(super) fn own<T>(&self, all: impl Iterator<Item = T>) -> impl Iterator<Item = T> {
        let numbered = all.enumerate().filter(|(number, _)| self.shard.takes(*number));
        numbered.map(|(_, one)| one)
    }

    /// Makes documents, as many at once as there are engines, and keeps them part by part;
    /// `progress` is told of each. How many were kept.
    ///
    /// # Errors
    /// When one can't be made or a part can't be written; what was made before stays.
    pub(super) async fn keep(
        &self,
        info: &CollectionInfo,
        jobs: impl ExactSizeIterator<Item = impl Future<Output = Result<Document>>>,
        progress: &(dyn Fn(usize, usize) + Send + Sync),
    ) -> Result<usize> {
        let total = jobs.len();
        let mut writer = PartWriter::new(&self.out, self.shard, info)?;
        let mut made = stream::iter(jobs).buffer_unordered(self.engines);
        let (mut part, mut done) = (Vec::with_capacity(PART), 0);
        while let Some(document) = made.next().await {
            match document {
                Ok(document) => part.push(document),
                Err(error) => {
                    writer.write(&part)?;
                    return Err(error);
                }
            }
            done += 1;
            if part.len() == PART || done == total {
                writer.write(&std::mem::take(&mut part))?;
            }
            progress(done, total);
        }
        Ok(done)
    }
}
