//! How good a bundle is on prompts it has never seen, beside every baseline.
//!
//! The bundle replays the test documents as in serving, with its own soft guesses as history; the
//! baselines are given the true themes so far. Nothing is chosen on the test split.

mod bootstrap;
mod chains;
mod metrics;
mod own;
mod report;
mod residual;
mod table;
mod text;

pub use bootstrap::Interval;
pub use metrics::Scores;
pub use report::{Difference, EvalReport, HorizonReport, ModelReport, OURS, PlaceReport};

use crate::{
    LabError, Result, Split,
    dataset::{CollectionInfo, read_documents},
    label::Labels,
    replay::{self, Chain},
};
use bootstrap::Draws;
use chains::Counted;
use metrics::Case;
use own::{Event, Forecasts, Own};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};
use text::Story;
use themecast_forecast::bundle::Bundle;

/// How to evaluate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvalConfig {
    /// The bundle's folder.
    pub bundle: PathBuf,
    /// The most segments ahead to judge; the bundle's own where it has fewer.
    pub horizons: usize,
    /// Bootstrap resamples of documents.
    pub resamples: usize,
    /// The seed of the bootstrap.
    pub seed: u64,
    /// Words of the text baseline.
    pub vocabulary: usize,
    /// Whether to train the residual-only variant too: one more pass over the collection.
    pub residual_only: bool,
    /// The most optimiser steps per fit of a baseline.
    pub steps: u64,
}

impl EvalConfig {
    /// The usual settings for the bundle in the folder `bundle`.
    pub fn new(bundle: impl Into<PathBuf>) -> Self {
        Self {
            bundle: bundle.into(),
            horizons: 3,
            resamples: 1000,
            seed: 1,
            vocabulary: 3000,
            residual_only: true,
            steps: 150,
        }
    }
}

/// Judges the bundle `config.bundle` on the test split of the labelled collection in `dir`.
///
/// # Errors
/// [`LabError::Forecast`] where the bundle does not load or belongs to another model;
/// [`LabError::Data`] where its themes are not the labels' or the test split is empty; others of
/// reading and fitting.
pub fn run(dir: &Path, config: &EvalConfig, progress: &dyn Fn(&str)) -> Result<EvalReport> {
    let bundle = Bundle::load(&config.bundle)
        .map_err(|error| LabError::Forecast(format!("{}: {error}", config.bundle.display())))?;
    let info = CollectionInfo::load(dir)?;
    let fit = bundle.fits(&info.model).map_err(|error| LabError::Forecast(error.to_string()))?;
    let labels = Labels::load(dir)?;
    check_themes(&bundle, &labels)?;
    let chains = replay::chains(&labels)?;
    let stories = Stories::read(dir, &labels, &chains)?;
    let horizons = config.horizons.clamp(1, bundle.card.horizons);
    let themes = labels.themes.len();
    progress(&format!("{} test documents", stories.test.len()));
    let extra = if config.residual_only {
        progress("fitting the residual-only variant");
        residual::heads(dir, &bundle, &chains, (horizons, config.steps))?
    } else {
        Vec::new()
    };
    progress("replaying the test documents");
    let own = own::replay_test(dir, &bundle, &chains, &stories.numbers, (horizons, &extra))?;
    progress("fitting the text baseline");
    let baselines = baselines(&own, &stories, themes, horizons, config)?;
    progress(&format!("{} resamples of documents", config.resamples));
    let documents = stories.test.len();
    let draws = Draws::new(documents, config.resamples, config.seed);
    let scored = Scored { own: &own, baselines: &baselines, themes, horizons, documents };
    Ok(EvalReport {
        collection: dir.display().to_string(),
        bundle: config.bundle.display().to_string(),
        model_name: info.model_name.clone(),
        labels: labels.card.method.clone(),
        themes,
        test_documents: documents,
        resamples: config.resamples,
        seed: config.seed,
        horizons: scored.compared(&draws),
        now: scored.alone(&own.boundary, 0, &draws),
        mid: (0..=horizons).filter_map(|at| scored.alone(&own.mid, at, &draws)).collect(),
        notes: notes(fit.warnings),
    })
}

/// Writes the main figures of `report` onto the card of the bundle in the folder `bundle`, under
/// `evaluation.test`.
///
/// # Errors
/// [`LabError::Forecast`] where the bundle does not load or can't be written.
pub fn record(bundle: &Path, report: &EvalReport) -> Result<()> {
    let refuse = |error| LabError::Forecast(format!("{}: {error}", bundle.display()));
    let mut loaded = Bundle::load(bundle).map_err(refuse)?;
    if !loaded.card.evaluation.is_object() {
        loaded.card.evaluation = serde_json::json!({});
    }
    loaded.card.evaluation["test"] = report.summary_json();
    loaded.save(bundle).map_err(refuse)
}

/// Everything that is to be scored.
struct Scored<'a> {
    own: &'a Own,
    baselines: &'a [Named],
    themes: usize,
    horizons: usize,
    documents: usize,
}

impl Scored<'_> {
    /// Every model at every place and horizon that has cases.
    fn compared(&self, draws: &Draws) -> Vec<HorizonReport> {
        let mut reports = Vec::new();
        for (place, at_prompt) in [("prompt end", true), ("boundary", false)] {
            let wanted = |event: &Event| (event.segment < 0) == at_prompt;
            for ahead in 1..=self.horizons {
                let events = &self.own.boundary.events;
                let mut models = Vec::with_capacity(self.baselines.len());
                for (name, by_ahead) in self.baselines {
                    let cases = cases(events, &by_ahead[ahead - 1], self.themes, ahead, wanted);
                    models.push((name.clone(), cases));
                }
                reports.extend(report::compare(place, ahead, &models, self.documents, draws));
            }
        }
        reports
    }

    /// Our forecasts at `offset`.
    fn alone(&self, forecasts: &Forecasts, offset: usize, draws: &Draws) -> Option<PlaceReport> {
        let values = &forecasts.by_offset[offset];
        let cases = cases(&forecasts.events, values, self.themes, offset, |_| true);
        report::alone(offset, &cases, self.documents, draws)
    }
}

fn check_themes(bundle: &Bundle, labels: &Labels) -> Result<()> {
    let ours = bundle.card.themes.iter().map(|theme| &theme.id);
    let theirs = labels.themes.iter().map(|theme| &theme.id);
    if ours.eq(theirs) {
        return Ok(());
    }
    Err(LabError::data("the bundle's themes are not those of the labels: train it on them again"))
}

/// The documents of each split, as texts with chains.
struct Stories {
    train: Vec<Story>,
    validation: Vec<Story>,
    test: Vec<Story>,
    /// The place in `test` of each test document's id.
    numbers: HashMap<String, usize>,
}

impl Stories {
    fn read(dir: &Path, labels: &Labels, chains: &HashMap<String, Chain>) -> Result<Self> {
        let mut texts: HashMap<&str, Vec<String>> = HashMap::new();
        for label in &labels.segments {
            texts.entry(&label.document).or_default().push(label.text.clone());
        }
        let (mut train, mut validation, mut test) = (Vec::new(), Vec::new(), Vec::new());
        let mut numbers = HashMap::new();
        for document in read_documents(dir)? {
            let Some(chain) = chains.get(&document.id) else { continue };
            let split = Split::of(&document)?;
            let segments = texts.remove(document.id.as_str()).unwrap_or_default();
            let story = Story { prompt: document.prompt, segments, chain: chain.clone() };
            match split {
                Split::Train => train.push(story),
                Split::Validation => validation.push(story),
                Split::Test => {
                    numbers.insert(document.id, test.len());
                    test.push(story);
                }
                Split::HeldOut => {}
            }
        }
        if train.is_empty() || validation.is_empty() || test.is_empty() {
            let message = format!(
                "{} training, {} validation and {} test documents: every split needs some",
                train.len(),
                validation.len(),
                test.len()
            );
            return Err(LabError::Data(message));
        }
        Ok(Self { train, validation, test, numbers })
    }
}

/// A model's name and its forecasts at boundaries per number of segments ahead.
type Named = (String, Vec<Vec<f32>>);

fn baselines(
    own: &Own,
    stories: &Stories,
    themes: usize,
    horizons: usize,
    config: &EvalConfig,
) -> Result<Vec<Named>> {
    let of = |stories: &[Story]| -> Vec<Chain> {
        stories.iter().map(|story| story.chain.clone()).collect()
    };
    let counted = Counted::new(&of(&stories.train), &of(&stories.validation), themes, horizons);
    let events = &own.boundary.events;
    let each = |of: &dyn Fn(&Event, usize) -> Vec<f32>| -> Vec<Vec<f32>> {
        let at = |ahead: usize| events.iter().flat_map(|event| of(event, ahead)).collect();
        (1..=horizons).map(at).collect()
    };
    let splits = [&stories.train[..], &stories.validation, &stories.test];
    let text = text::forecasts(splits, themes, horizons, (config.vocabulary, config.steps))?;
    let mut all = vec![
        (OURS.to_owned(), own.boundary.by_offset[1..].to_vec()),
        ("marginal".to_owned(), each(&|_, _| counted.marginal())),
        (
            "persistence".to_owned(),
            each(&|event, ahead| counted.persistence(event.present(), ahead)),
        ),
        ("markov".to_owned(), each(&|event, ahead| counted.markov(event.present(), ahead))),
        ("text".to_owned(), by_event(text, &stories.test, events, themes)),
    ];
    if !own.extra.is_empty() {
        all.push(("residual only".to_owned(), own.extra.clone()));
    }
    Ok(all)
}

/// Brings the text baseline's rows (story after story) into the order of the events.
fn by_event(
    forecasts: Vec<Vec<f32>>,
    stories: &[Story],
    events: &[Event],
    themes: usize,
) -> Vec<Vec<f32>> {
    let mut starts = Vec::with_capacity(stories.len());
    let mut rows = 0;
    for story in stories {
        starts.push(rows);
        rows += story.chain.len() + 1;
    }
    let row = |event: &Event| starts[event.document] + (event.segment + 1) as usize;
    let ordered = |forecasts: Vec<f32>| -> Vec<f32> {
        let of = |event: &Event| &forecasts[row(event) * themes..(row(event) + 1) * themes];
        events.iter().flat_map(|event| of(event).iter().copied()).collect()
    };
    forecasts.into_iter().map(ordered).collect()
}

fn cases<'a>(
    events: &[Event],
    forecasts: &'a [f32],
    themes: usize,
    offset: usize,
    wanted: impl Fn(&Event) -> bool,
) -> Vec<Case<'a>> {
    let all = events.iter().zip(forecasts.chunks_exact(themes));
    let wanted = all.filter(|(event, _)| wanted(event));
    wanted
        .filter_map(|(event, forecast)| {
            let came = event.came(offset)?;
            Some(Case { document: event.document, forecast, came, present: event.present() })
        })
        .collect()
}

fn notes(warnings: Vec<String>) -> Vec<String> {
    let own = [
        "themecast: the bundle, with its own soft guesses of the themes so far as history; it \
         reads no text.",
        "marginal: the training split's shares. persistence and markov (order 1, counted at each \
         horizon, smoothed as the validation split likes best) know the true present theme; at \
         the prompt's end they have the shares at that place of an answer.",
        "text: TF-IDF of the prompt and all the text so far with the true themes so far and the \
         position, the same regression, penalty, temperature and weight of the words chosen on \
         the validation split.",
        "residual only: the residuals of the last token, without means, history and position.",
        "Themes are labels, not truth: no forecast can be better than they are consistent.",
    ];
    own.iter().map(|&note| note.to_owned()).chain(warnings).collect()
}
