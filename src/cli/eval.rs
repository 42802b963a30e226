//! `themecast eval`: a bundle on held-out data, next to every baseline.

use super::{model, output::Reports};
use crate::forecast::encoder::ENCODER;
use anyhow::{Context, Result};
use clap::Args;
use std::path::{Path, PathBuf};
use themecast_lab::{
    embed::{Embed, Embedder},
    eval::{
        self, EvalConfig, EvalReport,
        read_by::{self, ReadByReport},
    },
    open::{self, Encoder, JudgeConfig, OpenReport},
};

#[derive(Args)]
pub(super) struct Eval {
    /// The labelled collection's folder
    #[arg(long)]
    data: PathBuf,
    /// The bundle's folder
    #[arg(long, required_unless_present = "read_by")]
    bundle: Option<PathBuf>,
    /// Bundles to put beside it: of other seeds, for the spread of what training draws, or of other
    /// kinds
    #[arg(long, value_name = "BUNDLE")]
    other_bundle: Vec<PathBuf>,
    /// What another model read of the collection (`read`): compare what the two models' activations
    /// tell instead
    #[arg(long, value_name = "COLLECTION", conflicts_with_all = ["bundle", "other_bundle", "answers", "html", "record", "phrases"])]
    read_by: Option<PathBuf>,
    /// What a reader said of single segments, such as data/answers.jsonl: hold the forecasts
    /// against that too
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,
    /// Only baselines that are counted, such as shares and Markov: minutes instead of the better part of
    /// an hour
    #[arg(long, conflicts_with_all = ["read_by", "phrases", "record"])]
    quick: bool,
    /// Leave the sentence-embedding baseline out: no embedder is fetched
    #[arg(long)]
    no_embedder: bool,
    /// Judge the open-vocabulary head alone instead
    #[arg(long, conflicts_with_all = ["no_embedder", "other_bundle", "answers", "html"])]
    phrases: bool,
    /// Draws of documents for each point of the learning curves; 0 leaves them out
    #[arg(long, default_value_t = 3)]
    curve_draws: u64,
    #[command(flatten)]
    reports: Reports,
    /// Bootstrap resamples of prompts
    #[arg(long, default_value_t = 1000)]
    resamples: usize,
    /// The seed of the bootstrap
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write the main figures onto the bundle's card, those of --phrases too
    #[arg(long)]
    record: bool,
}

impl Eval {
    pub(super) async fn run(self) -> Result<()> {
        tokio::task::spawn_blocking(move || self.eval()).await.context("judging was cut short")?
    }

    fn eval(self) -> Result<()> {
        let embedder = model::embedder(!self.no_embedder)?;
        let bundle = self.bundle.clone().unwrap_or_default();
        if let Some(embedder) = embedder.as_ref().filter(|_| self.phrases) {
            return self.judge_phrases(&bundle, embedder);
        }
        let config = EvalConfig {
            other_bundles: self.other_bundle,
            answers: self.answers,
            resamples: self.resamples,
            seed: self.seed,
            curve_draws: self.curve_draws,
            fitted: !self.quick,
            ..EvalConfig::new(&bundle)
        };
        let embedder = embedder.as_ref().map(|embedder| -> &dyn Embed { embedder });
        let progress = |line: &str| eprintln!("eval: {line}");
        if let Some(read) = self.read_by {
            let report = read_by::run(&self.data, &read, &config, embedder, &progress)?;
            return self.reports.write(
                &report,
                ReadByReport::to_markdown,
                ReadByReport::to_markdown,
            );
        }
        let report = eval::run(&self.data, &config, embedder, &progress)?;
        self.reports.write(&report, EvalReport::to_html, EvalReport::to_markdown)?;
        if self.record {
            eval::record(&bundle, "test", report.summary_json())?;
        }
        Ok(())
    }

    fn judge_phrases(&self, bundle: &Path, embedder: &Embedder) -> Result<()> {
        let config =
            JudgeConfig { resamples: self.resamples, seed: self.seed, ..JudgeConfig::new(bundle) };
        let encoder = Encoder { name: ENCODER, embedder };
        let report = open::judge(&self.data, &config, encoder, &|line| eprintln!("eval: {line}"))?;
        self.reports.write(&report, OpenReport::to_markdown, OpenReport::to_markdown)?;
        if self.record {
            eval::record(bundle, "phrases", report.summary_json())?;
        }
        Ok(())
    }
}
