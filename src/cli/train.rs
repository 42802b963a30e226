//! `themecast train`: a bundle from a labelled collection.

use crate::forecast::phrases::ENCODER;
use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use themecast_lab::{
    embed::Embedder,
    open::{self, Encoder, OpenConfig},
    train::{self, ChainConfig, TrainConfig},
};
use themecast_plugin_api::Site;

#[derive(Args)]
pub(super) struct Train {
    /// The labelled collection's folder
    #[arg(long)]
    data: PathBuf,
    /// The kind of predictor
    #[arg(long, value_enum, default_value_t = Predictor::Linear)]
    predictor: Predictor,
    /// Which of the collected sites to look at, such as final,layer.24.in; all where not given
    #[arg(long, value_delimiter = ',')]
    sites: Vec<Site>,
    /// How many segments ahead to forecast
    #[arg(long, default_value_t = 3)]
    horizons: usize,
    /// The seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Add the open-vocabulary head, which scores any phrase given at run time
    #[arg(long)]
    watch: bool,
    /// The bundle's folder
    #[arg(long)]
    out: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Predictor {
    /// Regularised softmax regressions on the residual, its running means, history and position
    Linear,
    /// The same, and a small transformer that emits the chain of themes step by step
    Chain,
}

impl Train {
    pub(super) async fn run(self) -> Result<()> {
        tokio::task::spawn_blocking(move || self.train()).await.context("training was cut short")?
    }

    fn train(self) -> Result<()> {
        let chain = ChainConfig { seed: self.seed, ..ChainConfig::default() };
        let config = TrainConfig {
            sites: self.sites,
            horizons: self.horizons,
            seed: self.seed,
            chain: (self.predictor == Predictor::Chain).then_some(chain),
            ..TrainConfig::new(&self.out)
        };
        let say = |line: &str| eprintln!("train: {line}");
        let report = train::run(&self.data, &config, &say)?;
        if self.watch {
            let folder = themecast_assets::embedder(&*themecast_assets::to_stderr())?;
            let embedder = Embedder::load(&folder)?;
            let encoder = Encoder { name: ENCODER, embedder: &embedder };
            let config = OpenConfig { horizons: self.horizons, ..OpenConfig::default() };
            open::train(&self.data, &self.out, &config, encoder, &say)?;
        }
        println!("{}", serde_json::to_string_pretty(&report)?);
        Ok(())
    }
}
