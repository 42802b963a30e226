//! Checking a file against the catalogue.

use crate::{AssetError, catalogue::Asset, error::at};
use sha2::{Digest, Sha256};
use std::{fs, io, path::Path};

/// The SHA-256 of a file, in hex.
pub(crate) fn sha256(path: &Path) -> Result<String, AssetError> {
    let mut file = fs::File::open(path).map_err(at(path))?;
    let mut hash = Sha256::new();
    io::copy(&mut file, &mut hash).map_err(at(path))?;
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Whether the file is there with the right size: what a start checks.
pub(crate) fn looks_right(path: &Path, asset: &Asset) -> bool {
    fs::metadata(path).is_ok_and(|file| file.len() == asset.bytes)
}

/// Checks the whole file; a wrong one is removed.
pub(crate) fn check(path: &Path, asset: &Asset) -> Result<(), AssetError> {
    let found = sha256(path)?;
    if found == asset.sha256 {
        return Ok(());
    }
    fs::remove_file(path).map_err(at(path))?;
    Err(AssetError::Hash { path: path.to_owned(), found, wanted: asset.sha256 })
}
