//! How good the alarms are: clean answers against answers that were made to leave their path.
//!
//! The detectors of serving run along collected answers, segment by segment, beside those that
//! one would take otherwise: sentence embeddings, token perplexity. `traces` has their statistics,
//! `perplexity` what the model thought of its tokens, `judge` and `rank` score them, `report` shows
//! what came out. Nothing here tunes a detector: that is training's, on answers that are not judged
//! here.

mod judge;
mod perplexity;
mod rank;
mod report;
mod traces;

pub use report::{AlarmReport, AtRate, DetectorReport, KindReport};

use crate::{
    LabError, Result, Split,
    dataset::{CollectionInfo, Document, Load},
    embed::Embed,
    eval::own,
    pace::{Documents, Pace},
    replay::texts_for,
};
use perplexity::Output;
use std::path::{Path, PathBuf};
use themecast_plugin_api::Site;
use traces::{Rival, Trace};

/// What to judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmConfig {
    /// The collection's folder: its test split is the clean traffic, its validation split what
    /// text detectors are tuned on.
    pub data: PathBuf,
    /// The folder of spliced answers.
    pub splices: PathBuf,
    /// The bundle's folder.
    pub bundle: PathBuf,
    /// Answers that leave their path in other ways, from where their ids say or from their first
    /// token on: what was done, the folder.
    pub planted: Vec<(String, PathBuf)>,
    /// A held-out group that is judged against clean traffic too.
    pub group: String,
    /// The model's GGUF file, for the perplexity of its tokens; that detector is left out without,
    /// or where a collection has no residuals at `final`.
    pub model: Option<PathBuf>,
}

/// The fewest segments of an answer that is judged: splices have as many.
const LEAST: usize = 4;

/// Judges every detector of the bundle and those that read the text.
///
/// # Errors
/// [`LabError`] of reading; [`LabError::Data`] where there is nothing to judge.
pub fn run(
    config: &AlarmConfig,
    embedder: Option<&dyn Embed>,
    progress: &dyn Fn(&str),
) -> Result<AlarmReport> {
    let bundle = own::load(&config.bundle)?;
    let output = match &config.model {
        Some(model) if has_final(config, progress)? => Some(Output::load(model)?),
        _ => None,
    };
    // The bundle's own sites first, then what perplexity is read off.
    let mut sites = bundle.card.sites.clone();
    if output.is_some() && sites.last() != Some(&Site::Final) {
        sites.push(Site::Final);
    }
    let read = |dir: &Path, wanted: &dyn Fn(&Document) -> Result<bool>| -> Result<Vec<Document>> {
        let mut found = Vec::new();
        for document in Documents::open(dir, Load::Residuals(sites.clone()), progress)? {
            let document = document?;
            if !document.looping && ended(&document) >= LEAST && wanted(&document)? {
                found.push(document);
            }
        }
        Ok(found)
    };
    let of = |split: Split| {
        progress(&format!("reading the {split} split"));
        read(&config.data, &|document| Ok(Split::of(document)? == split))
    };
    let mut rivals = Vec::new();
    if embedder.is_some() || output.is_some() {
        let clean = of(Split::Validation)?;
        progress("tuning the other detectors on the validation split");
        let perplexity = output.as_ref().map(|output| Rival::perplexity(output, &clean));
        rivals.extend(perplexity.transpose()?);
        rivals.extend(embedder.map(|embedder| Rival::embedding(embedder, &clean)).transpose()?);
    }
    let traced = |dir: &Path, documents: Vec<Document>| -> Result<Vec<Trace>> {
        let read = texts_for(&bundle, dir, embedder, progress)?;
        let pace = Pace::new("answers traced", progress);
        let of = |(one, done): (&Document, usize)| {
            let trace = traces::of(&bundle, read.as_ref(), &rivals, one);
            pace.at(done, documents.len());
            trace
        };
        documents.iter().zip(1..).map(of).collect()
    };
    let clean = traced(&config.data, of(Split::Test)?)?;
    progress("reading the splices");
    let spliced = traced(&config.splices, read(&config.splices, &|_| Ok(true))?)?;
    let in_group = |document: &Document| Ok(document.group.as_deref() == Some(&*config.group));
    let group = traced(&config.data, read(&config.data, &in_group)?)?;
    if clean.is_empty() || spliced.is_empty() {
        let message = format!("{} clean and {} spliced answers", clean.len(), spliced.len());
        return Err(LabError::Data(message));
    }
    let mut kinds = vec![judge::kind("spliced", &clean, &spliced)];
    for (name, dir) in &config.planted {
        progress(&format!("reading {name}"));
        let planted = traced(dir, read(dir, &|_| Ok(true))?)?;
        kinds.push(judge::kind(name, &clean, &planted));
    }
    kinds.push(judge::kind(&format!("the group '{}'", config.group), &clean, &group));
    Ok(AlarmReport { bundle: config.bundle.display().to_string(), clean: clean.len(), kinds })
}

/// Whether every collection has what the perplexity of tokens is read off.
fn has_final(config: &AlarmConfig, progress: &dyn Fn(&str)) -> Result<bool> {
    let planted = config.planted.iter().map(|(_, dir)| dir);
    for dir in [&config.data, &config.splices].into_iter().chain(planted) {
        if !CollectionInfo::load(dir)?.sites.contains(&Site::Final) {
            let dir = dir.display();
            progress(&format!("{dir} has no residuals at final: no perplexity of tokens"));
            return Ok(false);
        }
    }
    Ok(true)
}

fn ended(document: &Document) -> usize {
    document.tokens.iter().filter(|row| row.segment_end).count()
}
