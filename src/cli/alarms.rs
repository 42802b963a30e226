//! `themecast alarms`: how good the alarms are, on answers made to leave their path.

use super::{model, output::Reports};
use anyhow::{Context, Result};
use clap::Args;
use std::path::PathBuf;
use themecast_lab::{
    alarms::{self, AlarmConfig, AlarmReport},
    embed::Embed,
};

#[derive(Args)]
pub(super) struct Alarms {
    /// The collection's folder: its test split is the clean traffic
    #[arg(long)]
    data: PathBuf,
    /// The folder of spliced answers, which `themecast read --splices` makes
    #[arg(long)]
    splices: PathBuf,
    /// The bundle's folder
    #[arg(long)]
    bundle: PathBuf,
    /// Answers that leave their path in another way: what was done and the folder of their
    /// collection, such as system-prompt=DIR
    #[arg(long, value_name = "NAME=DIR", value_parser = named)]
    planted: Vec<(String, PathBuf)>,
    /// The held-out group that is judged against clean traffic too
    #[arg(long, default_value = "odd")]
    group: String,
    /// The model that wrote the answers, a .gguf file: what it thought of its tokens [default: the
    /// default model]
    #[arg(long)]
    model: Option<PathBuf>,
    /// Leave the detectors that read the text out: no embedder is fetched
    #[arg(long)]
    no_embedder: bool,
    #[command(flatten)]
    reports: Reports,
}

/// A name and a folder.
fn named(text: &str) -> Result<(String, PathBuf), String> {
    let (name, folder) = text.split_once('=').ok_or("want NAME=DIR")?;
    Ok((name.to_owned(), folder.into()))
}

impl Alarms {
    pub(super) async fn run(self) -> Result<()> {
        tokio::task::spawn_blocking(move || self.judge()).await.context("judging was cut short")?
    }

    fn judge(self) -> Result<()> {
        let embedder = model::embedder(!self.no_embedder)?;
        let embedder = embedder.as_ref().map(|embedder| -> &dyn Embed { embedder });
        let Self { data, splices, bundle, planted, group, .. } = self;
        let model = match self.model {
            Some(model) => model,
            None => themecast_assets::default_model(&*themecast_assets::to_stderr())?,
        };
        let config = AlarmConfig { data, splices, bundle, planted, group, model: Some(model) };
        let report = alarms::run(&config, embedder, &|line| eprintln!("alarms: {line}"))?;
        self.reports.write(&report, AlarmReport::to_html, AlarmReport::to_markdown)
    }
}
