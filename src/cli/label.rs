//! `themecast label`: segments and their themes, for a collection or for plain texts.

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use themecast_forecast::segment::SegmenterConfig;
use themecast_lab::{
    embed::Embedder,
    label::{self, Cluster, ClusterConfig},
};

#[derive(Args)]
pub(super) struct Label {
    /// The collection's folder; the labels go into its folder `labels`
    #[arg(long, required_unless_present = "texts")]
    data: Option<PathBuf>,
    /// Plain texts instead: {"id","text"} a line
    #[arg(long, conflicts_with = "data", requires = "out")]
    texts: Option<PathBuf>,
    /// Where the labels of plain texts go
    #[arg(long)]
    out: Option<PathBuf>,
    /// How themes are found
    #[arg(long, value_enum, default_value_t = Method::Cluster)]
    method: Method,
    /// How many themes
    #[arg(long, default_value_t = 24)]
    themes: usize,
    /// The seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Clone, Copy, ValueEnum)]
enum Method {
    /// Clusters of sentence embeddings, named by their most typical words
    Cluster,
}

impl Label {
    pub(super) async fn run(self) -> Result<()> {
        tokio::task::spawn_blocking(move || self.label())
            .await
            .context("labelling was cut short")?
    }

    fn label(self) -> Result<()> {
        let embedder =
            Embedder::load(&themecast_assets::embedder(&*themecast_assets::to_stderr())?)?;
        let config =
            ClusterConfig { themes: self.themes, seed: self.seed, ..ClusterConfig::default() };
        let Method::Cluster = self.method;
        let labeler = Cluster { config, embedder: &embedder };
        let tell = |line: &str| eprintln!("label: {line}");
        let card = match (self.data, self.texts, self.out) {
            (Some(data), _, _) => label::run(&data, &labeler, &tell)?,
            (None, Some(texts), Some(out)) => {
                label::label_texts(&texts, &SegmenterConfig::default(), &out, &labeler, &tell)?
            }
            _ => anyhow::bail!("give --data, or --texts with --out"),
        };
        println!("{}", serde_json::to_string_pretty(&card)?);
        Ok(())
    }
}
