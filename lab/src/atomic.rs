//! Files that are either whole or absent: written beside, synced, renamed.

use crate::{LabError, Result};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

/// Writes `path` through `fill`; on any error nothing is left under the final name.
///
/// # Errors
/// What `fill` returns, and [`LabError::Io`] where creating, syncing or renaming fails.
pub(crate) fn write(path: &Path, fill: impl FnOnce(File) -> Result<File>) -> Result<()> {
    let beside = beside(path);
    let outcome = fill_and_rename(path, &beside, fill);
    if outcome.is_err() {
        // The error that counts is the first one; a leftover has no final name.
        let _ = fs::remove_file(&beside);
    }
    outcome
}

/// Writes these bytes to `path`, whole or not at all.
///
/// # Errors
/// As [`write`].
pub(crate) fn write_bytes(path: &Path, bytes: &[u8]) -> Result<()> {
    write(path, |mut file| {
        std::io::Write::write_all(&mut file, bytes).map_err(LabError::io("write", path))?;
        Ok(file)
    })
}

/// Writes `value` as indented JSON to `path`, whole or not at all.
///
/// # Errors
/// As [`write`].
pub(crate) fn write_json(path: &Path, value: &impl serde::Serialize) -> Result<()> {
    let mut bytes =
        serde_json::to_vec_pretty(value).map_err(|error| LabError::format(path, error))?;
    bytes.push(b'\n');
    write_bytes(path, &bytes)
}

/// Reads JSON from `path`.
///
/// # Errors
/// [`LabError::Io`] or [`LabError::Format`].
pub(crate) fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T> {
    let bytes = fs::read(path).map_err(LabError::io("read", path))?;
    serde_json::from_slice(&bytes).map_err(|error| LabError::format(path, error))
}

/// Makes the folder `dir` and its parents.
///
/// # Errors
/// [`LabError::Io`].
pub(crate) fn create_dir(dir: &Path) -> Result<()> {
    fs::create_dir_all(dir).map_err(LabError::io("create the folder", dir))
}

fn fill_and_rename(
    path: &Path,
    beside: &Path,
    fill: impl FnOnce(File) -> Result<File>,
) -> Result<()> {
    let file = fill(File::create(beside).map_err(LabError::io("create", beside))?)?;
    file.sync_all().map_err(LabError::io("sync", beside))?;
    drop(file);
    fs::rename(beside, path).map_err(LabError::io("rename into place", path))?;
    match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => sync_dir(parent),
        None => sync_dir(Path::new(".")),
    }
}

#[cfg(unix)]
fn sync_dir(dir: &Path) -> Result<()> {
    let folder = File::open(dir).map_err(LabError::io("open the folder", dir))?;
    folder.sync_all().map_err(LabError::io("sync the folder", dir))
}

#[cfg(not(unix))]
fn sync_dir(_dir: &Path) -> Result<()> {
    Ok(()) // only Unix lets a folder be opened and synced
}

/// Of this process alone: shards that begin together write the same files.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    path.with_file_name(format!(".{name}.{}.partial", std::process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_fill_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.json");
        let failed = write(&path, |_| Err(LabError::data("stop")));
        assert_eq!(failed.unwrap_err().to_string(), "stop");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn json_comes_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.json");
        write_json(&path, &vec![1, 2]).unwrap();
        assert_eq!(read_json::<Vec<u32>>(&path).unwrap(), [1, 2]);
    }
}
