//! Prompts → sampled continuations with the residuals of every token, as a Parquet collection.
//!
//! `prompts` reads what to ask, `record` turns one answer into a document, and [`run`] keeps the
//! engines busy and commits parts; [`resample`] lets answers go on in other
//! ways, [`read`] lets another model read them. Labelling and training never happen here.

mod prompts;
pub mod read;
mod record;
pub mod resample;
pub mod splice;

pub use prompts::Prompt;

use crate::host::{Call, Event, Host, Route, SeededSampling, Tap};
use anyhow::{Context, Result, bail};
use futures::{StreamExt, stream};
use record::Recorder;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use themecast_forecast::segment::SegmenterConfig;
use themecast_lab::dataset::{
    COLLECTION_FORMAT, CollectionInfo, Document, PartWriter, Shard, completed_ids,
};
use themecast_plugin_api::{Interest, Site};

/// What to collect.
#[derive(Debug, Clone)]
pub struct Config {
    /// The prompts, JSON lines.
    pub prompts: PathBuf,
    /// How many continuations of each prompt.
    pub samples: u32,
    /// The longest answer, in tokens.
    pub max_tokens: usize,
    /// The sampling temperature.
    pub temperature: f64,
    /// The seed: the same one draws the same answers.
    pub seed: u64,
    /// Where residuals are read.
    pub sites: Vec<Site>,
    /// The collection's folder.
    pub out: PathBuf,
    /// Which share of the work this process does.
    pub shard: Shard,
    /// How many answers are made at once; as many as the host has engines.
    pub at_once: usize,
}

/// How many documents one part of a collection holds.
const PART: usize = 16;

/// One answer to make.
struct Job {
    prompt: Prompt,
    sample: u32,
    id: String,
}

/// Collects what is not there yet; `progress` is told of every document, and how many there are.
///
/// # Errors
/// When the prompts can't be read, the folder holds another collection, a request is refused or a
/// part can't be written; what was committed stays, and the next run goes on from there.
pub async fn run(
    host: &Arc<dyn Host>,
    config: &Config,
    progress: &(dyn Fn(usize, usize) + Send + Sync),
) -> Result<usize> {
    let info = info(host, config);
    std::fs::create_dir_all(&config.out)
        .with_context(|| format!("{}: cannot make the folder", config.out.display()))?;
    agree(&config.out, &info)?;
    let jobs = jobs(config)?;
    let total = jobs.len();
    let mut writer = PartWriter::new(&config.out, config.shard, &info)?;
    let made = stream::iter(jobs.into_iter().map(|job| make(host.clone(), config, job)));
    let mut made = made.buffer_unordered(config.at_once.max(1));
    let (mut part, mut done) = (Vec::with_capacity(PART), 0);
    while let Some(document) = made.next().await {
        part.push(document?);
        done += 1;
        if part.len() == PART {
            writer.write(&std::mem::take(&mut part))?;
        }
        progress(done, total);
    }
    if !part.is_empty() {
        writer.write(&part)?;
    }
    Ok(done)
}

fn info(host: &Arc<dyn Host>, config: &Config) -> CollectionInfo {
    CollectionInfo {
        format: COLLECTION_FORMAT,
        model: host.model().clone(),
        model_name: host.name().to_owned(),
        sites: config.sites.clone(),
        samples: config.samples,
        max_tokens: config.max_tokens,
        temperature: config.temperature,
        seed: config.seed,
        segmenter: SegmenterConfig::default(),
    }
}

/// Writes the collection's description, or checks it against the one that is there.
fn agree(folder: &Path, info: &CollectionInfo) -> Result<()> {
    if CollectionInfo::exists(folder) {
        CollectionInfo::load(folder)?.check_same(info, folder)?;
        return Ok(());
    }
    info.save(folder)?;
    Ok(())
}

/// This shard's answers that are not there yet: every prompt's first answer before any second one,
/// so that a run that is stopped early has seen all prompts.
fn jobs(config: &Config) -> Result<Vec<Job>> {
    let there = completed_ids(&config.out)?;
    let prompts = prompts::read(&config.prompts)?;
    let all = (0..config.samples).flat_map(|sample| {
        prompts.iter().map(move |prompt| Job {
            id: Document::id_of(&prompt.id, sample),
            prompt: prompt.clone(),
            sample,
        })
    });
    let own = all.enumerate().filter(|(number, _)| config.shard.takes(*number));
    Ok(own.map(|(_, job)| job).filter(|job| !there.contains(&job.id)).collect())
}

async fn make(host: Arc<dyn Host>, config: &Config, job: Job) -> Result<Document> {
    let recorder = Arc::new(Recorder::default());
    let seed = record::seed(config.seed, &job.id);
    let call = Call {
        route: Route::Chat,
        body: serde_json::json!({
            "messages": [{"role": "user", "content": job.prompt.prompt}],
            "max_tokens": config.max_tokens,
        }),
        tap: Some(Tap { interest: Interest::last(config.sites.clone()), sink: recorder.clone() }),
        sampling: Some(SeededSampling { seed, temperature: config.temperature as f32 }),
        after: Vec::new(),
    };
    let mut events = host.generate(call).await?;
    let finish = match events.next().await {
        Some(Event::Done { finish, .. }) => finish,
        Some(Event::Failed(error)) => bail!("{}: {error}", job.id),
        other => bail!("{}: the host answered {other:?}", job.id),
    };
    let tokens = recorder.rows(host.vocabulary(), &SegmenterConfig::default())?;
    Ok(Document {
        id: job.id,
        prompt_id: job.prompt.id,
        prompt: job.prompt.prompt,
        group: job.prompt.group,
        split: job.prompt.split,
        sample: job.sample,
        text: tokens.iter().map(|row| row.text.as_str()).collect(),
        finish_reason: finish,
        looping: record::is_looping(&tokens),
        tokens,
    })
}
