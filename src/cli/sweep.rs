//! `themecast sweep`: which layer, which normalisation, and what comes of no gradients.

use super::output;
use anyhow::{Context, Result};
use clap::Args;
use std::path::{Path, PathBuf};
use themecast_lab::sweep;

#[derive(Args)]
pub(super) struct Sweep {
    /// The labelled collection's folder
    #[arg(long)]
    data: PathBuf,
    /// Print JSON instead of tables
    #[arg(long)]
    json: bool,
    /// Where to write the report as a page
    #[arg(long)]
    html: Option<PathBuf>,
}

impl Sweep {
    pub(super) async fn run(self) -> Result<()> {
        tokio::task::spawn_blocking(move || self.sweep())
            .await
            .context("the sweep was cut short")?
    }

    fn sweep(self) -> Result<()> {
        let report = sweep::run(&self.data, &|line| eprintln!("sweep: {line}"))?;
        if let Some(path) = &self.html {
            output::write(path, &report.to_html())?;
        }
        let text = match self.json {
            true => serde_json::to_string_pretty(&report)? + "\n",
            false => report.to_markdown(),
        };
        output::write(Path::new("-"), &text)
    }
}
