//! Prompts → sampled continuations with the residuals of every token, as a Parquet collection.
//!
//! `prompts` reads what to ask, `record` turns one answer into a document, [`Folder`] keeps the
//! engines busy and commits parts; [`resample`] lets answers go on in other ways, [`read`] lets
//! another model read them. Labelling and training never happen here.

mod folder;
mod intervention;
mod prompts;
pub mod read;
mod record;
pub mod resample;
pub mod splice;

pub use folder::Folder;
pub use intervention::Intervention;
pub use prompts::Prompt;

use crate::host::{Call, Event, Host, Route, SeededSampling, Tap};
use anyhow::{Result, bail};
use futures::StreamExt;
use record::Recorder;
use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
    sync::Arc,
};
use themecast_forecast::segment::SegmenterConfig;
use themecast_lab::dataset::{COLLECTION_FORMAT, CollectionInfo, Document, read_documents};
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
    /// Where residuals are read; none where empty.
    pub sites: Vec<Site>,
    /// What is done to the model.
    pub intervention: Intervention,
    /// Where it goes.
    pub folder: Folder,
}

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
    let prompts = Prompt::read(&config.prompts)?;
    let info = info(host, config, &prompts);
    let there = config.folder.begin(&info)?;
    same(&prompts, &config.folder)?;
    let jobs = jobs(config, prompts, &there);
    let made = jobs.into_iter().map(|job| make(host.clone(), config, job));
    config.folder.keep(&info, made, progress).await
}

/// Refuses prompts that share ids, but not texts, splits and groups, with those that the folder has
/// answers to: answers to one prompt never part in splits.
fn same(prompts: &[Prompt], folder: &Folder) -> Result<()> {
    let known: HashMap<&str, &Prompt> = prompts.iter().map(|one| (one.id.as_str(), one)).collect();
    for document in read_documents(&folder.out)? {
        let (id, out) = (document.prompt_id.as_str(), folder.out.display());
        let Some(prompt) = known.get(id) else { continue };
        if prompt.prompt != document.prompt {
            bail!("{out}: answers another prompt under the id '{id}'; use another id or folder");
        }
        if (&prompt.split, &prompt.group) != (&document.split, &document.group) {
            bail!(
                "{out}: has answers to '{id}' in another split or group; give it the same as \
                 before, or use another folder"
            );
        }
    }
    Ok(())
}

fn info(host: &Arc<dyn Host>, config: &Config, prompts: &[Prompt]) -> CollectionInfo {
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
        intervention: config.intervention.name(),
        systems_sha256: prompts::systems(prompts, config.intervention.system.as_deref()),
    }
}

/// This shard's answers that are not there yet: every prompt's first answer before any second one,
/// so that a run that is stopped early has seen all prompts.
fn jobs(config: &Config, prompts: Vec<Prompt>, there: &HashSet<String>) -> Vec<Job> {
    let all = (0..config.samples).flat_map(|sample| {
        prompts.iter().map(move |prompt| Job {
            id: Document::id_of(&prompt.id, sample),
            prompt: prompt.clone(),
            sample,
        })
    });
    let own = config.folder.own(all);
    own.filter(|job| !there.contains(&job.id)).collect()
}

async fn make(host: Arc<dyn Host>, config: &Config, job: Job) -> Result<Document> {
    let recorder = Arc::new(Recorder::default());
    let seed = record::seed(config.seed, &job.id);
    let message =
        |role: &str, content: &String| serde_json::json!({"role": role, "content": content});
    let system = config.intervention.system.as_ref().or(job.prompt.system.as_ref());
    let system = system.into_iter().map(|system| message("system", system));
    let messages: Vec<_> = system.chain([message("user", &job.prompt.prompt)]).collect();
    let body = serde_json::json!({"messages": messages, "max_tokens": config.max_tokens});
    let call = Call {
        tap: Some(Tap { interest: Interest::last(config.sites.clone()), sink: recorder.clone() }),
        sampling: Some(SeededSampling { seed, temperature: config.temperature as f32 }),
        steering: config.intervention.steering.as_ref().map(|(steering, _)| steering.clone()),
        ..Call::new(Route::Chat, body)
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
