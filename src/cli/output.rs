//! Writing results: to a file, beside and then renamed, or to stdout.

use anyhow::{Context, Result};
use clap::Args;
use serde::Serialize;
use std::{
    io::Write,
    path::{Path, PathBuf},
};

/// Where a report goes; without any of it its tables go to stdout.
#[derive(Args)]
pub(super) struct Reports {
    /// Where to write the report as JSON; - is stdout
    #[arg(long)]
    pub(super) json: Option<PathBuf>,
    /// Where to write the report as a page
    #[arg(long)]
    pub(super) html: Option<PathBuf>,
}

impl Reports {
    /// Writes a report and its page where they are wanted, and its tables to stdout unless the
    /// report goes there.
    pub(super) fn write<T: Serialize>(
        &self,
        report: &T,
        html: impl Fn(&T) -> String,
        markdown: impl Fn(&T) -> String,
    ) -> Result<()> {
        if let Some(path) = &self.html {
            write(path, &html(report))?;
        }
        let stdout = Path::new("-");
        if let Some(path) = &self.json {
            write(path, &(serde_json::to_string_pretty(report)? + "\n"))?;
        }
        match self.json.as_deref() == Some(stdout) {
            true => Ok(()),
            false => write(stdout, &markdown(report)),
        }
    }
}

/// Writes `text` and a new line to stdout.
pub(super) fn print(text: &str) -> Result<()> {
    write(Path::new("-"), &format!("{text}\n"))
}

/// Writes `text` to `path`, whole or not at all; `-` is stdout.
pub(super) fn write(path: &Path, text: &str) -> Result<()> {
    if path == Path::new("-") {
        return std::io::stdout().write_all(text.as_bytes()).context("cannot write to stdout");
    }
    let shown = path.display();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let mut file =
        beside(folder).with_context(|| format!("{shown}: cannot write in {}", folder.display()))?;
    file.write_all(text.as_bytes()).with_context(|| format!("{shown}: cannot write"))?;
    file.as_file().sync_all().with_context(|| format!("{shown}: cannot write"))?;
    file.persist(path).with_context(|| format!("{shown}: cannot rename into place"))?;
    Ok(())
}

/// A temporary file in `folder`, readable as other files are.
fn beside(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    let builder = {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666))
    };
    builder.tempfile_in(folder)
}
