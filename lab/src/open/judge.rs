//! Judging the head of a bundle on answers it has never seen, beside everything it has to beat.

use super::{
    Encoder, OpenConfig, TrainedOn,
    catalogue::Catalogue,
    check,
    corpus::{Corpus, Wanted},
    doubt,
    fit::{Sample, cosine},
    guesses::{self, Case, Guesses, OURS, Sources},
    phrases::Leaving,
    regenerated::Regenerated,
    report::{GuessReport, OpenReport, UnseenReport},
    retrieval,
    unseen::{self, Setting},
};
use crate::{
    LabError, Result, Split, dataset::CollectionInfo, eval::bootstrap::Draws, label::Labels,
};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};
use themecast_forecast::{bundle::Bundle, linear::RowKind, open::OpenHead};

/// How to judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgeConfig {
    /// The bundle's folder.
    pub bundle: PathBuf,
    /// Bootstrap resamples of prompts.
    pub resamples: usize,
    /// The seed of whatever is drawn.
    pub seed: u64,
    /// Among how many segments the one that came is to be found.
    pub among: usize,
}

impl JudgeConfig {
    /// The usual settings for the bundle in the folder `bundle`.
    pub fn new(bundle: impl Into<PathBuf>) -> Self {
        Self { bundle: bundle.into(), resamples: 1000, seed: 1, among: 100 }
    }
}

/// Judges the open-vocabulary head of `config.bundle` on the test split of the labelled
/// collection in `dir`.
///
/// # Errors
/// [`LabError::Forecast`] where the bundle does not load, is for another model or has no such
/// head; [`LabError::Data`] where the test split is empty; others of reading and fitting.
pub fn run(
    dir: &Path,
    config: &JudgeConfig,
    encoder: Encoder<'_>,
    progress: &dyn Fn(&str),
) -> Result<OpenReport> {
    let bundle = Bundle::load(&config.bundle)
        .map_err(|error| LabError::Forecast(format!("{}: {error}", config.bundle.display())))?;
    let info = CollectionInfo::load(dir)?;
    check(&bundle, &info)?;
    let head = bundle.open.as_ref().ok_or_else(|| {
        LabError::Forecast(format!("{} has no open-vocabulary head", config.bundle.display()))
    })?;
    let labels = Labels::load(dir)?;
    let wanted = Wanted {
        dir,
        sites: &bundle.card.sites,
        layout: bundle.layout(),
        mid_rows: OpenConfig::default().mid_rows,
        begun: true,
        splits: &[Split::Train, Split::Validation, Split::Test],
    };
    let corpus = Corpus::read(&wanted, &labels, encoder.embedder, progress)?;
    let numbers = guesses::numbers(&corpus);
    if numbers.is_empty() {
        return Err(LabError::data("the test split has no labelled answer"));
    }
    let prompts = numbers.values().max().map_or(0, |last| last + 1);
    let draws = Draws::new(prompts, config.resamples, config.seed);
    progress("embedding the prompts");
    let sources = Sources::new(&corpus, head, encoder.embedder, Regenerated::read(dir)?)?;
    let phrases = Catalogue::new(&labels.themes, &corpus, encoder.embedder)?;
    let (phrases, themes) = (&phrases, labels.themes.len());
    let judge = Judge { config, sources: &sources, phrases, numbers: &numbers, draws: &draws };
    Ok(OpenReport {
        collection: dir.display().to_string(),
        bundle: config.bundle.display().to_string(),
        test_answers: numbers.len(),
        among: config.among,
        guesses: judge.guesses(progress)?,
        unseen: judge.unseen(&labels, RowKind::Boundary, progress)?,
        unseen_between: Some(judge.unseen(&labels, RowKind::Mid, progress)?),
        doubts: doubt::reports((&corpus, head), (phrases, themes), &numbers, &draws),
    })
}

struct Judge<'a> {
    config: &'a JudgeConfig,
    sources: &'a Sources<'a>,
    phrases: &'a Catalogue,
    numbers: &'a HashMap<usize, usize>,
    draws: &'a Draws,
}

impl Judge<'_> {
    fn head(&self) -> &OpenHead {
        self.sources.head
    }

    /// Every guesser at every place and horizon.
    fn guesses(&self, progress: &dyn Fn(&str)) -> Result<Vec<GuessReport>> {
        let mut reports = Vec::new();
        for (place, at_prompt) in [("boundary", false), ("prompt end", true)] {
            for ahead in 1..=self.head().card.horizons {
                progress(&format!("guesses at {place}, {ahead} ahead"));
                let cases = self.cases(at_prompt, ahead);
                if !cases.is_empty() {
                    reports.extend(self.compare(place, ahead, &cases)?);
                }
            }
        }
        Ok(reports)
    }

    fn cases(&self, at_prompt: bool, ahead: usize) -> Vec<Case> {
        let corpus = self.sources.corpus;
        let origins = corpus.boundary.origins.iter().enumerate();
        let test = origins
            .filter(|(_, at)| corpus.split(**at) == Split::Test && (at.segment < 0) == at_prompt);
        test.filter_map(|(row, &origin)| {
            corpus.target(origin, ahead).map(|target| Case { row, origin, target })
        })
        .collect()
    }

    fn compare(&self, place: &str, ahead: usize, cases: &[Case]) -> Result<Vec<GuessReport>> {
        let corpus = self.sources.corpus;
        let crowds = retrieval::crowds(corpus, cases, self.config.among, self.config.seed);
        let all = self.sources.all(cases, ahead)?;
        let ours: Vec<Option<f64>> =
            all.first().map(|(_, guesses)| cosines(corpus, cases, guesses)).unwrap_or_default();
        let mut reports = Vec::new();
        for (name, guesses) in &all {
            let own = cosines(corpus, cases, guesses);
            let ranks = retrieval::ranks(corpus, cases, guesses, &crowds);
            let document = |at: usize| self.numbers[&cases[at].origin.answer];
            let mean = |values: &dyn Fn(usize) -> Option<f64>| {
                let known = (0..cases.len()).filter_map(|at| Some((document(at), values(at)?)));
                self.draws.mean(known)
            };
            let within = |most: f64| {
                mean(&|at| ranks[at].map(|rank| f64::from(u8::from(rank < most + 0.5))))
            };
            let above = mean(&|at| Some(ours[at]? - own[at]?));
            let figures = (mean(&|at| own[at]), within(1.0), within(5.0), mean(&|at| ranks[at]));
            let (Some(cosine), Some(top1), Some(top5), Some(rank)) = figures else { continue };
            reports.push(GuessReport {
                place: place.to_owned(),
                ahead,
                name: (*name).to_owned(),
                cases: own.iter().flatten().count(),
                cosine,
                ours_above: above.filter(|_| *name != OURS),
                top1,
                top5,
                rank,
            });
        }
        Ok(reports)
    }

    /// Phrases for themes that are left out one after the other, at moments of one kind.
    fn unseen(
        &self,
        labels: &Labels,
        kind: RowKind,
        progress: &dyn Fn(&str),
    ) -> Result<UnseenReport> {
        let corpus = self.sources.corpus;
        let phrases = self.phrases;
        let horizons = self.head().card.horizons;
        let splits = [Split::Validation, Split::Test];
        let trained = TrainedOn::read(&self.head().card)?;
        let place = super::place(kind);
        progress(&format!("{place}: leaving out one theme after the other"));
        let sample = Sample::new(corpus, kind);
        let lambda = (horizons, trained.lambda(kind));
        let ours = Leaving::new(&sample, lambda, phrases).all(&splits)?;
        progress(&format!("{place}: the same for the text"));
        let within = (kind == RowKind::Mid).then(|| self.sources.text_within());
        let text = within.as_ref().unwrap_or(&self.sources.text);
        let (_, lambda, ..) = text.fit(1)?;
        let text = Leaving::new(text, (horizons, lambda), phrases).all(&splits)?;
        let setting = Setting {
            corpus,
            set: corpus.set(kind),
            themes: &labels.themes,
            phrases,
            numbers: self.numbers,
            within: horizons,
        };
        unseen::judge(&setting, &ours, &text, self.draws)
    }
}

fn cosines(corpus: &Corpus, cases: &[Case], guesses: &Guesses) -> Vec<Option<f64>> {
    let one = |(case, guess): (&Case, &Option<ndarray::Array1<f32>>)| {
        let guess = guess.as_ref()?;
        Some(f64::from(cosine(guess.view(), corpus.embeddings.row(case.target))))
    };
    cases.iter().zip(guesses).map(one).collect()
}
