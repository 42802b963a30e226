//! The calls that others make: each returns where an asset is, after fetching it if need be.

use crate::{
    AssetError, Progress,
    cache::Cache,
    catalogue::{EMBEDDER, EMBEDDER_FOLDER, NAMED, SMOLLM2_FAST},
    verify::Trust,
};
use std::path::PathBuf;

/// Where the default assets are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// The default model, a GGUF file.
    pub model: PathBuf,
    /// The sentence embedder, a folder.
    pub embedder: PathBuf,
}

/// Fetches the default model and the sentence embedder and verifies what is there already.
///
/// Blocks; so do the others.
///
/// # Errors
/// [`AssetError`] when every source fails, or the cache folder or a file in it can't be used.
pub fn fetch_default(progress: &dyn Progress) -> Result<Paths, AssetError> {
    let cache = Cache::open()?;
    let model = cache.made(&SMOLLM2_FAST, Trust::Nothing, progress)?;
    Ok(Paths { model, embedder: embedder_in(&cache, Trust::Nothing, progress)? })
}

/// The default model, fetched on first use; one that was checked before is returned at once.
///
/// # Errors
/// As [`fetch_default`].
pub fn default_model(progress: &dyn Progress) -> Result<PathBuf, AssetError> {
    Cache::open()?.made(&SMOLLM2_FAST, Trust::Stamp, progress)
}

/// The sentence embedder's folder, fetched on first use.
///
/// # Errors
/// As [`fetch_default`].
pub fn embedder(progress: &dyn Progress) -> Result<PathBuf, AssetError> {
    embedder_in(&Cache::open()?, Trust::Stamp, progress)
}

/// Whether [`named`] knows a model of this name.
pub fn is_known(name: &str) -> bool {
    NAMED.iter().any(|asset| asset.name == name)
}

/// A further model that is known by name, fetched on first use; one that was checked before is
/// returned at once.
///
/// # Errors
/// As [`fetch_default`], and [`AssetError::Unknown`].
pub fn named(name: &str, progress: &dyn Progress) -> Result<PathBuf, AssetError> {
    named_with(name, Trust::Stamp, progress)
}

/// Fetches a further model that is known by name and verifies what is there already.
///
/// # Errors
/// As [`named`].
pub fn fetch_named(name: &str, progress: &dyn Progress) -> Result<PathBuf, AssetError> {
    named_with(name, Trust::Nothing, progress)
}

fn named_with(name: &str, trust: Trust, progress: &dyn Progress) -> Result<PathBuf, AssetError> {
    let Some(asset) = NAMED.iter().find(|asset| asset.name == name) else {
        let known = NAMED.map(|asset| asset.name).join(", ");
        return Err(AssetError::Unknown { name: name.to_owned(), known });
    };
    let cache = Cache::open()?;
    cache.files((name, &cache.models), std::slice::from_ref(asset), trust, progress)?;
    Ok(cache.models.join(asset.file))
}

fn embedder_in(
    cache: &Cache,
    trust: Trust,
    progress: &dyn Progress,
) -> Result<PathBuf, AssetError> {
    let folder = cache.models.join(EMBEDDER_FOLDER);
    cache.files((EMBEDDER[0].name, &folder), &EMBEDDER, trust, progress)?;
    Ok(folder)
}
