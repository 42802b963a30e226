//! `themecast alarms`: how good the alarms are, on answers made to leave their path.

use super::output;
use anyhow::{Context, Result};
use clap::Args;
use std::path::PathBuf;
use themecast_lab::{
    alarms::{self, AlarmConfig},
    embed::{Embed, Embedder},
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
    /// Where to write the report as JSON; - is stdout
    #[arg(long)]
    json: Option<PathBuf>,
    /// Where to write the report as a page
    #[arg(long)]
    html: Option<PathBuf>,
}

impl Alarms {
    pub(super) async fn run(self) -> Result<()> {
        tokio::task::spawn_blocking(move || self.judge()).await.context("judging was cut short")?
    }

    fn judge(self) -> Result<()> {
        let embedder = match self.no_embedder {
            true => None,
            false => {
                Some(Embedder::load(&themecast_assets::embedder(&*themecast_assets::to_stderr())?)?)
            }
        };
        let embedder = embedder.as_ref().map(|embedder| -> &dyn Embed { embedder });
        let Self { data, splices, bundle, group, .. } = self;
        let model = match self.model {
            Some(model) => model,
            None => themecast_assets::default_model(&*themecast_assets::to_stderr())?,
        };
        let config = AlarmConfig { data, splices, bundle, group, model: Some(model) };
        let report = alarms::run(&config, embedder, &|line| eprintln!("alarms: {line}"))?;
        if let Some(path) = &self.html {
            output::write(path, &report.to_html())?;
        }
        match &self.json {
            Some(path) => output::write(path, &(serde_json::to_string_pretty(&report)? + "\n"))?,
            None => println!("{}", report.to_markdown()),
        }
        Ok(())
    }
}
