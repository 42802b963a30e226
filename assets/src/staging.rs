//! Where an asset is put together: a folder beside its place, held by one process at a time.

use crate::{AssetError, Progress, error::at, home::make};
use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};

/// The staging folder of one asset, locked against other processes until it is dropped.
///
/// `wheels` keeps whole downloads for a next try; `work` is emptied whenever the folder is opened.
#[derive(Debug)]
pub(crate) struct Staging {
    folder: PathBuf,
    _lock: File,
}

impl Staging {
    /// Opens the staging folder of `name` under `models`, waiting for whoever holds it.
    pub(crate) fn open(
        models: &Path,
        name: &str,
        progress: &dyn Progress,
    ) -> Result<Self, AssetError> {
        make(models)?;
        let lock = lock(&models.join(format!(".{name}.lock")), name, progress)?;
        let staging = Self { folder: models.join(format!(".{name}.partial")), _lock: lock };
        let _ = fs::remove_dir_all(staging.work());
        make(&staging.work())?;
        make(&staging.wheels())?;
        Ok(staging)
    }

    /// What is under way; never kept.
    pub(crate) fn work(&self) -> PathBuf {
        self.folder.join("work")
    }

    /// Packages that are there as a whole.
    pub(crate) fn wheels(&self) -> PathBuf {
        self.folder.join("wheels")
    }

    /// Gives a finished file its name: on disk first, then in its place, in one step.
    pub(crate) fn commit(&self, from: &Path, to: &Path) -> Result<(), AssetError> {
        File::open(from).and_then(|file| file.sync_all()).map_err(at(from))?;
        fs::rename(from, to).map_err(at(to))?;
        // So that the name is on disk too; not every system can sync a folder.
        let folder = to.parent().and_then(|folder| File::open(folder).ok());
        folder.map(|folder| folder.sync_all());
        Ok(())
    }

    /// Removes what was kept for a next try.
    pub(crate) fn clear(self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn lock(path: &Path, name: &str, progress: &dyn Progress) -> Result<File, AssetError> {
    let file = File::options().create(true).truncate(false).write(true).open(path);
    let file = file.map_err(at(path))?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(error)) => return Err(at(path)(error)),
    }
    progress.started(&format!("{name}: waiting for another process that fetches it"), 0);
    let locked = file.lock().map_err(at(path));
    progress.done();
    locked.map(|()| file)
}
