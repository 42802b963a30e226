//! `themecast train`: a bundle from a labelled collection.

use super::{Usage, model, number, output};
use crate::forecast::encoder::ENCODER;
use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use themecast_forecast::bundle::Bundle;
use themecast_lab::{
    embed::Embed,
    open::{self, Encoder, OpenConfig},
    train::{self, ChainConfig, Fitting, TrainConfig},
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
    /// Give each site's residual zero mean and unit variance before any predictor looks at it, in
    /// place of z-scores over the training rows
    #[arg(long)]
    layer_norm: bool,
    /// How many segments ahead to forecast
    #[arg(long, default_value_t = 3, value_parser = number::horizons())]
    horizons: usize,
    /// The seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Let it read the text too, through sentence embeddings: serving then runs the encoder once a
    /// segment
    #[arg(long)]
    text: bool,
    /// Add the open-vocabulary head, which scores any phrase given at run time
    #[arg(long)]
    watch: bool,
    /// Train nothing: keep the predictors of the bundle in this folder and settle anew what follows
    /// from them (averages, temperatures, sets, links, alarm levels)
    #[arg(
        long,
        value_name = "DIR",
        conflicts_with_all = ["predictor", "sites", "layer_norm", "horizons", "seed", "text", "watch"]
    )]
    again: Option<PathBuf>,
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
    /// Linear discriminants of one shrunk covariance: no gradients, one linear solve a head
    ClosedForm,
    /// Softmax regressions on sentence embeddings of the text, history and position: no activations
    Text,
}

impl Train {
    pub(super) async fn run(self) -> Result<()> {
        tokio::task::spawn_blocking(move || self.train()).await.context("training was cut short")?
    }

    fn train(self) -> Result<()> {
        let say = |line: &str| eprintln!("train: {line}");
        if let Some(from) = &self.again {
            let bundle = Bundle::load(from).with_context(|| from.display().to_string())?;
            let embedder = model::embedder(bundle.card.text.is_some())?;
            let read = embedder.as_ref().map(|embedder| -> &dyn Embed { embedder });
            let report = train::again(&self.data, (from, &self.out), read, &say)?;
            return output::print(&serde_json::to_string_pretty(&report)?);
        }
        let chain = ChainConfig { seed: self.seed, ..ChainConfig::default() };
        let reads = self.text || self.predictor == Predictor::Text;
        let closed = self.predictor == Predictor::ClosedForm;
        let config = TrainConfig {
            fitting: if closed { Fitting::ClosedForm } else { Fitting::Gradient },
            activations: self.predictor != Predictor::Text,
            text: reads.then(|| ENCODER.to_owned()),
            sites: self.sites,
            layer_norm: self.layer_norm,
            horizons: self.horizons,
            seed: self.seed,
            chain: (self.predictor == Predictor::Chain).then_some(chain),
            ..TrainConfig::new(&self.out)
        };
        config.check().map_err(|error| Usage(error.to_string()))?;
        let embedder = model::embedder(reads || self.watch)?;
        let embedder = embedder.as_ref();
        let read = embedder.map(|embedder| -> &dyn Embed { embedder });
        let report = train::run(&self.data, &config, read, &say)?;
        if let Some(embedder) = embedder.filter(|_| self.watch) {
            let encoder = Encoder { name: ENCODER, embedder };
            let config = OpenConfig { horizons: self.horizons, ..OpenConfig::default() };
            open::train(&self.data, &self.out, &config, encoder, &say)?;
        }
        output::print(&serde_json::to_string_pretty(&report)?)
    }
}
