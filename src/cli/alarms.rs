//! `themecast alarms`: how good the alarms are, on answers made to leave their path.

use super::{Usage, model, output::Reports};
use crate::host::mistral::ModelSource;
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
    /// The model that wrote the answers, for what it thought of its tokens: a .gguf file or a name that
    /// `fetch --named` knows; the default model where not given
    #[arg(long)]
    model: Option<String>,
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
        let ModelSource::Gguf(model) = model::source(self.model.as_deref()).await? else {
            let wrong = "--model: want a .gguf file, or a name that `fetch --named` knows";
            return Err(Usage(wrong.to_owned()).into());
        };
        let judged = tokio::task::spawn_blocking(move || self.judge(model));
        judged.await.context("judging was cut short")?
    }

    fn judge(self, model: PathBuf) -> Result<()> {
        let embedder = model::embedder(!self.no_embedder)?;
        let embedder = embedder.as_ref().map(|embedder| -> &dyn Embed { embedder });
        let Self { data, splices, bundle, planted, group, .. } = self;
        let config = AlarmConfig { data, splices, bundle, planted, group, model: Some(model) };
        let report = alarms::run(&config, embedder, &|line| eprintln!("alarms: {line}"))?;
        self.reports.write(&report, AlarmReport::to_html, AlarmReport::to_markdown)
    }
}
