//! What can go wrong on the way to a model.

use std::{
    io::{self, ErrorKind},
    path::PathBuf,
};

/// Why an asset can't be had; one line each.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AssetError {
    /// No folder to keep assets in.
    #[error("there is no cache folder for this user; set THEMECAST_HOME to a folder")]
    NoHome,
    /// The disk or the quota is used up.
    #[error("{path}: no space left; free some or set THEMECAST_HOME to a folder with more")]
    Full {
        /// What was being written.
        path: PathBuf,
    },
    /// A file or folder can't be used.
    #[error("{path}: {error}; set THEMECAST_HOME to a folder that can be written")]
    File {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// A file is not what it should be.
    #[error(
        "{path}: has SHA-256 {found} ({found_bytes} bytes) where {wanted} ({wanted_bytes} bytes) is wanted; the file was removed"
    )]
    Hash {
        /// The file.
        path: PathBuf,
        /// What it has.
        found: String,
        /// How long it is.
        found_bytes: u64,
        /// What it should have.
        wanted: &'static str,
        /// How long it should be.
        wanted_bytes: u64,
    },
    /// One source failed.
    #[error("{0}")]
    Source(String),
    /// Every source failed.
    #[error(
        "{name} can't be fetched: {reasons}; check the network, or put the file with SHA-256 {sha256} at {path}"
    )]
    Unreachable {
        /// The asset.
        name: &'static str,
        /// Why each source failed.
        reasons: String,
        /// The hash that the file should have.
        sha256: &'static str,
        /// Where it would be looked for.
        path: PathBuf,
    },
    /// No asset of that name.
    #[error("no model is known by the name '{name}': want {known}")]
    Unknown {
        /// The name.
        name: String,
        /// Those that are known.
        known: String,
    },
    /// The model can't be re-quantised.
    #[error("{path}: can't be re-quantised: {error}")]
    Requantise {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        error: String,
    },
}

/// Names the file that an I/O error is about.
pub(crate) fn at(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> AssetError {
    let path = path.into();
    move |error| match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => AssetError::Full { path },
        _ => AssetError::File { path, error },
    }
}
