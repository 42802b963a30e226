//! Names of parts and shards.

use crate::{LabError, Result};
use std::{
    fmt, fs,
    path::{Path, PathBuf},
    str::FromStr,
};

/// One of several processes that fill a collection together, `index` of `count`, from 1.
///
/// ```
/// use themecast_lab::dataset::Shard;
///
/// let shard: Shard = "2/4".parse().unwrap();
/// assert_eq!((shard.index, shard.count), (2, 4));
/// assert!("5/4".parse::<Shard>().is_err() && "0/4".parse::<Shard>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Which one, from 1 to `count`.
    pub index: u32,
    /// How many there are.
    pub count: u32,
}

impl Shard {
    /// The only shard of one.
    pub const WHOLE: Self = Self { index: 1, count: 1 };

    /// Whether the shard takes the prompt in line `line` (from 0) of the prompt file.
    ///
    /// ```
    /// # use themecast_lab::dataset::Shard;
    /// let second = Shard { index: 2, count: 3 };
    /// assert!(second.takes(1) && second.takes(4) && !second.takes(0));
    /// ```
    pub fn takes(&self, line: usize) -> bool {
        line as u64 % u64::from(self.count.max(1)) == u64::from(self.index.saturating_sub(1))
    }

    pub(super) fn check(self) -> Result<()> {
        if (1..=self.count).contains(&self.index) {
            Ok(())
        } else {
            Err(LabError::data(ParseShardError(self.to_string()).to_string()))
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

/// A text that names no shard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no shard: use I/N with I from 1 to N")]
pub struct ParseShardError(String);

impl FromStr for Shard {
    type Err = ParseShardError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || ParseShardError(text.to_owned());
        let (index, count) = text.split_once('/').ok_or_else(unknown)?;
        let index = index.parse().map_err(|_| unknown())?;
        let count = count.parse().map_err(|_| unknown())?;
        if (1..=count).contains(&index) { Ok(Self { index, count }) } else { Err(unknown()) }
    }
}

/// The files of one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) documents: PathBuf,
    pub(super) tokens: PathBuf,
}

impl Part {
    pub(super) fn new(dir: &Path, shard: Shard, sequence: u32) -> Self {
        let suffix = format!("{}of{}-{sequence:05}.parquet", shard.index, shard.count);
        Self {
            documents: dir.join(format!("documents-{suffix}")),
            tokens: dir.join(format!("tokens-{suffix}")),
        }
    }
}

/// Every committed part in `dir`, by name, so that the order is the same everywhere.
///
/// # Errors
/// [`LabError::Io`] where the folder can't be read; [`LabError::Format`] where a documents file
/// has lost its tokens file.
pub(super) fn committed(dir: &Path) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    for entry in fs::read_dir(dir).map_err(LabError::io("read the folder", dir))? {
        let entry = entry.map_err(LabError::io("read the folder", dir))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if let Some((shard, sequence)) = parse(&name) {
            parts.push(Part::new(dir, shard, sequence));
        }
    }
    parts.sort_by(|a, b| a.documents.cmp(&b.documents));
    match parts.iter().find(|part| !part.tokens.is_file()) {
        Some(part) => Err(LabError::format(&part.documents, "its tokens file is missing")),
        None => Ok(parts),
    }
}

/// The first free sequence number of `shard` in `dir`.
pub(super) fn next_sequence(dir: &Path, shard: Shard) -> Result<u32> {
    let mut next = 0;
    for entry in fs::read_dir(dir).map_err(LabError::io("read the folder", dir))? {
        let entry = entry.map_err(LabError::io("read the folder", dir))?;
        match parse(&entry.file_name().to_string_lossy()) {
            Some((found, sequence)) if found == shard => next = next.max(sequence + 1),
            _ => {}
        }
    }
    Ok(next)
}

/// Reads `documents-{i}of{n}-{sequence}.parquet`.
fn parse(name: &str) -> Option<(Shard, u32)> {
    let rest = name.strip_prefix("documents-")?.strip_suffix(".parquet")?;
    let (shard, sequence) = rest.split_once('-')?;
    let (index, count) = shard.split_once("of")?;
    let shard = Shard { index: index.parse().ok()?, count: count.parse().ok()? };
    Some((shard, sequence.parse().ok()?))
}
