//! `themecast compare`: how themes shift between two models, or by what is done to one.

use super::{Usage, model, number, output::Reports, progress::Progress, steer::Steer};
use crate::{
    collect::{self, Folder, Intervention, Prompt},
    host::Host,
};
use anyhow::{Context, Result, ensure};
use clap::Args;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use themecast_lab::{
    dataset::{CollectionInfo, Shard},
    embed::Embedder,
    label::{Classified, Classifier},
    shift::{self, ShiftConfig, ShiftReport, Side},
};

/// Resamples of prompts behind each interval.
const RESAMPLES: usize = 1000;

#[derive(Args)]
pub(super) struct Compare {
    /// The prompts: {"id","prompt","system"?,"group"?} a line; where both sides are collections, all
    /// that both were asked if not given
    #[arg(long)]
    prompts: Option<PathBuf>,
    /// What is compared with: a collection's folder, or a model as `serve --model` takes it
    /// (`default`: the default model), which answers the prompts first
    #[arg(long)]
    a: String,
    /// The other: a collection's folder or a model
    #[arg(long)]
    b: String,
    /// What b is told before every prompt, in place of the prompt's own
    #[arg(long)]
    system: Option<String>,
    #[command(flatten)]
    steer: Steer,
    /// The labelled collection whose themes b is steered by: answers of b's model
    #[arg(long, value_name = "DIR", requires = "lean")]
    by: Option<PathBuf>,
    #[command(flatten)]
    making: Making,
    /// The classifier that labels; the shipped one where not given
    #[arg(long, value_name = "FILE")]
    classifier: Option<PathBuf>,
    #[command(flatten)]
    reports: Reports,
}

/// How models answer.
#[derive(Args)]
struct Making {
    /// How many answers to each prompt [default: those of the side that is a collection, else 2]
    #[arg(long, value_parser = number::at_least::<u32>(1))]
    samples: Option<u32>,
    /// The longest answer, in tokens [default: the collection's, else 256]
    #[arg(long, value_parser = number::at_least::<usize>(1))]
    max_tokens: Option<usize>,
    /// The sampling temperature [default: the collection's, else 0.7]
    #[arg(long, value_parser = number::temperature)]
    temperature: Option<f64>,
    /// The seed; the same one draws the same answers and intervals
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// How many engines work side by side [default: 1]
    #[arg(long, value_parser = number::at_least::<usize>(1))]
    engines: Option<usize>,
    /// Where the answers are kept, in the folders a and b: started again, it goes on there. Without
    /// it they are thrown away
    #[arg(long)]
    out: Option<PathBuf>,
}

impl Compare {
    pub(super) async fn run(self) -> Result<()> {
        self.check()?;
        // What can fail at once comes before the hours of answering; so does b, to which something
        // is done.
        let classifier = Classifier::read(self.classifier.as_deref())?;
        let embedder = tokio::task::spawn_blocking(|| model::embedder(true)).await;
        let embedder = embedder.context("loading the encoder was cut short")??;
        let embedder = embedder.context("the sentence encoder is missing")?;
        let prompts = self.prompts.as_deref().map(Prompt::read).transpose()?;
        let thrown_away = match self.making.out {
            Some(_) => None,
            None => Some(tempfile::tempdir().context("cannot make a temporary folder")?),
        };
        let out = self.making.out.as_deref().or(thrown_away.as_ref().map(tempfile::TempDir::path));
        let out = out.context("there is no folder for the answers")?;
        let done = self.intervention().await?;
        let (b, host) = self.side(&self.b, &out.join("b"), done, None).await?;
        let host = host.filter(|_| self.a == self.b);
        let (a, _) = self.side(&self.a, &out.join("a"), Intervention::default(), host).await?;
        let texts = |all: Vec<Prompt>| all.into_iter().map(|one| (one.id, one.prompt)).collect();
        let config = ShiftConfig {
            sides: [a, b],
            prompts: prompts.map(texts),
            resamples: RESAMPLES,
            seed: self.making.seed,
        };
        let name = self.classifier.map_or("shipped".to_owned(), |path| path.display().to_string());
        let judged = tokio::task::spawn_blocking(move || {
            judge(&config, (classifier, name), &embedder, &self.reports)
        });
        judged.await.context("comparing was cut short")?
    }

    /// Refuses what is missing and what would be ignored, before anything is loaded.
    fn check(&self) -> Result<(), Usage> {
        let sides = [("--a", &self.a), ("--b", &self.b)];
        let models: Vec<_> = sides.into_iter().filter(|(_, given)| !is_collection(given)).collect();
        let done = self.system.is_some() || self.steer.lean.is_some();
        let wrong = match models.first() {
            Some((side, given)) if self.prompts.is_none() => format!(
                "{side} {given}: is no collection (no collection.json is there), so it is taken for a \
                 model: give --prompts to ask it"
            ),
            None if self.making.is_given() => {
                "both sides are collections: no answer is made, so --samples, --max-tokens, \
                 --temperature, --engines and --out say nothing"
                    .to_owned()
            }
            _ if is_collection(&self.b) && done => {
                "--system and --lean are done to a model that answers: --b is a collection"
                    .to_owned()
            }
            _ if self.steer.lean.is_some() && self.by.is_none() => {
                "--lean needs --by, a labelled collection of the model's answers".to_owned()
            }
            _ => return Ok(()),
        };
        Err(Usage(wrong))
    }

    /// What is done to b.
    async fn intervention(&self) -> Result<Intervention> {
        let steering = match &self.by {
            Some(data) => self.steer.direction(data).await?,
            None => None,
        };
        Ok(Intervention { system: self.system.clone(), steering })
    }

    /// One side: the collection that `given` names, or the answers of the model that it names, which
    /// are made in `folder` by `host` where that is its; also the host that made them.
    async fn side(
        &self,
        given: &str,
        folder: &Path,
        intervention: Intervention,
        host: Option<Arc<dyn Host>>,
    ) -> Result<(Side, Option<Arc<dyn Host>>)> {
        if is_collection(given) {
            return Ok((Side { name: given.to_owned(), data: given.into() }, None));
        }
        let engines = self.making.engines.unwrap_or(1);
        let host = match host {
            Some(host) => host,
            None => model::host(Some(given).filter(|name| *name != "default"), engines).await?,
        };
        if let Some(by) = self.by.as_ref().filter(|_| intervention.steering.is_some()) {
            let (theirs, own) = (CollectionInfo::load(by)?, host.model());
            let same = theirs.model.tokenizer_sha256 == own.tokenizer_sha256
                && theirs.model.layers == own.layers;
            ensure!(same, "--by {}: was collected from {}", by.display(), theirs.model_name);
        }
        let config = self.collecting(folder, intervention)?;
        let progress = Progress::new(format!("compare: {}", folder.display()));
        collect::run(&host, &config, &|done, total| progress.at(done, total)).await?;
        Ok((Side { name: given.to_owned(), data: folder.to_owned() }, Some(host)))
    }

    /// How a model answers into `folder`: as the other side did, where that is a collection.
    fn collecting(&self, folder: &Path, intervention: Intervention) -> Result<collect::Config> {
        let collections = [&self.a, &self.b].into_iter().filter(|given| is_collection(given));
        let other =
            collections.map(|dir| CollectionInfo::load(Path::new(dir))).next().transpose()?;
        let making = &self.making;
        Ok(collect::Config {
            prompts: self.prompts.clone().context("--prompts is missing")?,
            samples: making.samples.or(other.as_ref().map(|one| one.samples)).unwrap_or(2),
            max_tokens: making
                .max_tokens
                .or(other.as_ref().map(|one| one.max_tokens))
                .unwrap_or(256),
            temperature: making.temperature.or(other.map(|one| one.temperature)).unwrap_or(0.7),
            seed: making.seed,
            sites: Vec::new(),
            intervention,
            folder: Folder {
                out: folder.to_owned(),
                shard: Shard::WHOLE,
                engines: making.engines.unwrap_or(1),
            },
        })
    }
}

impl Making {
    /// Whether anything is said of how models answer.
    fn is_given(&self) -> bool {
        let Self { samples, max_tokens, temperature, engines, out, .. } = self;
        let numbers = samples.is_some() || max_tokens.is_some() || temperature.is_some();
        numbers || engines.is_some() || out.is_some()
    }
}

fn is_collection(given: &str) -> bool {
    CollectionInfo::exists(Path::new(given))
}

fn judge(
    config: &ShiftConfig,
    (classifier, name): (Classifier, String),
    embedder: &Embedder,
    reports: &Reports,
) -> Result<()> {
    let labeler = Classified { classifier, name, embedder };
    let report = shift::run(config, &labeler, &|line| eprintln!("compare: {line}"))?;
    reports.write(&report, ShiftReport::to_html, ShiftReport::to_markdown)
}
