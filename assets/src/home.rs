//! The cache folder: `$THEMECAST_HOME`, else `themecast` in the user's cache folder.

use crate::{AssetError, error::at};
use std::{
    env, fs,
    path::{self, Path, PathBuf},
};

/// The cache folder, absolute, made if need be.
///
/// # Errors
/// [`AssetError::NoHome`] without a user's cache folder, [`AssetError::File`] when the folder
/// can't be made.
pub fn home() -> Result<PathBuf, AssetError> {
    let home = match env::var_os("THEMECAST_HOME") {
        Some(home) if !home.is_empty() => PathBuf::from(home),
        _ => dirs::cache_dir().ok_or(AssetError::NoHome)?.join("themecast"),
    };
    let home = path::absolute(&home).map_err(at(&home))?;
    make(&home)?;
    Ok(home)
}

/// Makes a folder with all that it lies in.
pub(crate) fn make(folder: &Path) -> Result<(), AssetError> {
    fs::create_dir_all(folder).map_err(at(folder))
}
