//! `themecast compare`: how themes shift between two models, or by what is done to one.

use super::{Usage, model, number, output::Reports, progress::Progress, steer::Steer};
use crate::{
    collect::{self, Folder, Intervention, Prompt},
    host::Host,
};
use anyhow::{Context, Result};
use clap::Args;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use themecast_lab::{
    dataset::{CollectionInfo, Shard},
    label::{Classified, Classifier},
    shift::{self, ShiftConfig, ShiftReport, Side},
};

/// Resamples of prompts behind each interval.
const RESAMPLES: usize = 1000;

#[derive(Args)]
pub(super) struct Compare {
    /// The prompts: {"id","prompt","system"?,"group"?} a line; where both sides are collections, all
    /// that they have in common if not given
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
    /// How many answers to each prompt
    #[arg(long, default_value_t = 2, value_parser = number::at_least::<u32>(1))]
    samples: u32,
    /// The longest answer, in tokens
    #[arg(long, default_value_t = 256, value_parser = number::at_least::<usize>(1))]
    max_tokens: usize,
    /// The sampling temperature
    #[arg(long, default_value_t = 0.7, value_parser = number::temperature)]
    temperature: f64,
    /// The seed; the same one draws the same answers
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// How many engines work side by side
    #[arg(long, default_value_t = 1, value_parser = number::at_least::<usize>(1))]
    engines: usize,
    /// Where the answers are kept, in the folders a and b: started again, it goes on there. Without
    /// it they are thrown away
    #[arg(long)]
    out: Option<PathBuf>,
    /// The classifier that labels; the shipped one where not given
    #[arg(long, value_name = "FILE")]
    classifier: Option<PathBuf>,
    #[command(flatten)]
    reports: Reports,
}

impl Compare {
    pub(super) async fn run(self) -> Result<()> {
        self.check()?;
        let thrown_away = tempfile::tempdir().context("cannot make a temporary folder")?;
        let out = self.out.as_deref().unwrap_or(thrown_away.path());
        let prompts = self.prompts.as_deref().map(Prompt::read).transpose()?;
        let prompts = prompts.map(|all| all.into_iter().map(|prompt| prompt.id).collect());
        let (nothing, done) = (Intervention::default(), self.intervention().await?);
        let a = self.side(&self.a, &out.join("a"), nothing, None).await?;
        let host = a.1.filter(|_| self.a == self.b);
        let b = self.side(&self.b, &out.join("b"), done, host).await?;
        let config =
            ShiftConfig { sides: [a.0, b.0], prompts, resamples: RESAMPLES, seed: self.seed };
        let (classifier, reports) = (self.classifier, self.reports);
        let judged = tokio::task::spawn_blocking(move || judge(&config, classifier, &reports));
        judged.await.context("comparing was cut short")?
    }

    /// Refuses what would be ignored, before anything is loaded.
    fn check(&self) -> Result<(), Usage> {
        let [a, b] = [&self.a, &self.b].map(|side| is_collection(side));
        let wrong = if self.prompts.is_none() && !(a && b) {
            "--prompts is missing: a model has to be asked something"
        } else if b && (self.system.is_some() || self.steer.lean.is_some()) {
            "--system and --lean are done to a model that answers: --b is a collection"
        } else if self.steer.lean.is_some() && self.by.is_none() {
            "--lean needs --by, a labelled collection of the model's answers"
        } else {
            return Ok(());
        };
        Err(Usage(wrong.to_owned()))
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
        let host = match host {
            Some(host) => host,
            None => {
                model::host(Some(given).filter(|name| *name != "default"), self.engines).await?
            }
        };
        let name = match intervention.name() {
            Some(done) => format!("{given}, {done}"),
            None => given.to_owned(),
        };
        let config = collect::Config {
            prompts: self.prompts.clone().context("--prompts is missing")?,
            samples: self.samples,
            max_tokens: self.max_tokens,
            temperature: self.temperature,
            seed: self.seed,
            sites: Vec::new(),
            intervention,
            folder: Folder { out: folder.to_owned(), shard: Shard::WHOLE, engines: self.engines },
        };
        let progress = Progress::new(&name);
        collect::run(&host, &config, &|done, total| progress.at(done, total)).await?;
        Ok((Side { name, data: folder.to_owned() }, Some(host)))
    }
}

fn is_collection(given: &str) -> bool {
    CollectionInfo::exists(Path::new(given))
}

fn judge(config: &ShiftConfig, classifier: Option<PathBuf>, reports: &Reports) -> Result<()> {
    let embedder = model::embedder(true)?.context("the sentence encoder is missing")?;
    let name = classifier.as_ref().map_or("shipped".to_owned(), |path| path.display().to_string());
    let classifier = Classifier::read(classifier.as_deref())?;
    let labeler = Classified { classifier, name, embedder: &embedder };
    let report = shift::run(config, &labeler, &|line| eprintln!("compare: {line}"))?;
    reports.write(&report, ShiftReport::to_html, ShiftReport::to_markdown)
}
