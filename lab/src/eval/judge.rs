//! Scores models over the same events, with intervals over prompts.

use super::{
    bootstrap::{Draws, PerPrompt, minus, per_prompt},
    calibration::reliability,
    events::{BySplit, Event, Part, Place, Story},
    metrics::{Case, Scale, least_probability, score},
    models::{BOTH, Model, Sees, TRUE_THEMES},
    report::{Difference, HorizonReport, Intervals, ModelReport, PlaceReport},
};
use std::collections::HashMap;

/// The share of cases that conformal sets are made to cover.
pub(super) const LEVEL: f64 = 0.9;

/// Scores one split's events.
pub(super) struct Judge<'a> {
    stories: &'a [Story],
    themes: usize,
    draws: Draws,
    /// Prompts of the split, numbered without gaps.
    prompts: HashMap<usize, usize>,
}

/// One model at one place and horizon, before it is compared.
struct Scored<'a> {
    model: &'a Model,
    cases: Vec<Case<'a>>,
    changed: Vec<Case<'a>>,
    scale: Scale,
    validation_nats: f64,
}

impl<'a> Judge<'a> {
    /// Prepares `resamples` draws of the prompts that `events` belong to.
    pub(super) fn new(
        events: &[Event],
        stories: &'a [Story],
        themes: usize,
        (resamples, seed): (usize, u64),
    ) -> Self {
        let mut prompts = HashMap::new();
        for event in events {
            let number = prompts.len();
            prompts.entry(stories[event.story].cluster).or_insert(number);
        }
        let draws = Draws::new(prompts.len(), resamples, seed);
        Self { stories, themes, draws, prompts }
    }

    /// The cases of `events` that `wanted` lets through.
    pub(super) fn cases<'f>(
        &self,
        events: &[Event],
        forecasts: &'f [f32],
        ahead: usize,
        wanted: impl Fn(&Event) -> bool,
    ) -> Vec<Case<'f>> {
        let all = events.iter().zip(forecasts.chunks_exact(self.themes));
        let case = |(event, forecast): (&Event, &'f [f32])| {
            let cluster = self.stories[event.story].cluster;
            // Documents outside of the split are scored without intervals.
            let prompt = self.prompts.get(&cluster).copied().unwrap_or(0);
            let came = event.came(ahead)?;
            let present = if ahead == 0 { event.before() } else { event.came(0) };
            let outcome = (event.story, event.segment);
            Some(Case { prompt, outcome, forecast, came, present })
        };
        all.filter(|(event, _)| wanted(event)).filter_map(case).collect()
    }

    /// Compares `models` at `place`; `number` is the place of `ahead` in their forecasts, and the
    /// first model is ours.
    pub(super) fn compare(
        &self,
        place: Place,
        (number, ahead): (usize, usize),
        models: &[Model],
        parts: &BySplit<Part>,
    ) -> Option<HorizonReport> {
        let all: Vec<Scored<'_>> =
            models.iter().map(|model| self.scored(place, (number, ahead), model, parts)).collect();
        let marginal = all.iter().find(|one| one.model.name == "marginal");
        let marginal = marginal
            .and_then(|one| Some((nats(&one.cases)?, nats(&one.changed).unwrap_or(f64::NAN))));
        let own = all.first().filter(|own| !own.cases.is_empty())?;
        let text = all.iter().filter(|one| one.model.sees == Sees::Text);
        let best = text.min_by(|a, b| a.validation_nats.total_cmp(&b.validation_nats))?;
        let named = |name: &str| all.iter().find(|one| one.model.name == name);
        let (both, told) = (named(BOTH), named(TRUE_THEMES));
        Some(HorizonReport {
            place: place.name(),
            ahead,
            cases: own.cases.len(),
            changes: own.changed.len(),
            best_text: best.model.name.clone(),
            increment: both.and_then(|both| self.difference(&both.cases, &best.cases)),
            told: told.and_then(|told| self.difference(&told.cases, &best.cases)),
            told_changes: told.and_then(|told| self.difference(&told.changed, &best.changed)),
            reliability: reliability(&own.cases.iter().map(Case::sure).collect::<Vec<_>>()),
            models: all.iter().filter_map(|one| self.report(one, own, marginal)).collect(),
        })
    }

    fn scored<'f>(
        &self,
        place: Place,
        (number, ahead): (usize, usize),
        model: &'f Model,
        parts: &BySplit<Part>,
    ) -> Scored<'f> {
        let fitted = &model.by_ahead[number];
        let here = |event: &Event| event.place == place;
        let validation = self.cases(&parts.validation.events, &fitted.validation, ahead, here);
        let cases = self.cases(&parts.test.events, &fitted.test, ahead, here);
        let (temperature, least) = match &model.served {
            Some(served) => served.at(place, ahead),
            None => (fitted.temperature.at(place), least_probability(&validation, LEVEL)),
        };
        let scale = Scale { temperature: Some(temperature), least, marginal_nats: None };
        let changed = cases.iter().filter(|case| case.changes()).copied().collect();
        let validation_nats = nats(&validation).unwrap_or(f64::NAN);
        Scored { model, cases, changed, scale, validation_nats }
    }

    fn report(
        &self,
        one: &Scored<'_>,
        own: &Scored<'_>,
        marginal: Option<(f64, f64)>,
    ) -> Option<ModelReport> {
        let ours = std::ptr::eq(one.model, own.model);
        let scale = |nats: Option<f64>| Scale { marginal_nats: nats, ..one.scale };
        let differ = |own: &[Case<'_>], one: &[Case<'_>]| {
            if ours { None } else { self.difference(own, one) }
        };
        Some(ModelReport {
            name: one.model.name.clone(),
            scores: score(&one.cases, scale(marginal.map(|both| both.0)))?,
            changes: score(&one.changed, scale(marginal.map(|both| both.1))),
            validation_nll_nats: one.validation_nats,
            intervals: self.intervals(&one.cases, one.scale.least),
            difference: differ(&own.cases, &one.cases),
            changes_difference: differ(&own.changed, &one.changed),
        })
    }

    /// The first model minus the second, on the same cases.
    pub(super) fn difference(&self, a: &[Case<'_>], b: &[Case<'_>]) -> Option<Difference> {
        let mean = |cases: &[Case<'_>], of: fn(&Case<'_>) -> f64| {
            cases.iter().map(of).sum::<f64>() / cases.len() as f64
        };
        let interval = |of: fn(&Case<'_>) -> f64| {
            self.draws.interval(&minus(&self.sums(a, of), &self.sums(b, of)))
        };
        (!a.is_empty() && a.len() == b.len()).then(|| Difference {
            top1: mean(a, hits) - mean(b, hits),
            top1_interval: interval(hits),
            nll_nats: mean(a, surprise) - mean(b, surprise),
            nll_interval: interval(surprise),
        })
    }

    /// One model's scores alone over `cases`; `least` is what its conformal sets begin at.
    pub(super) fn alone(
        &self,
        offset: usize,
        cases: &[Case<'_>],
        least: Option<f32>,
    ) -> Option<PlaceReport> {
        let scores = score(cases, Scale { least, ..Scale::default() })?;
        let intervals = self.intervals(cases, least);
        Some(PlaceReport { offset, cases: cases.len(), scores, intervals })
    }

    /// The intervals of what `cases` score, where sets have the themes of at least `least`.
    pub(super) fn intervals(&self, cases: &[Case<'_>], least: Option<f32>) -> Intervals {
        let of = |value: &dyn Fn(&Case<'_>) -> f64| self.draws.interval(&self.sums(cases, value));
        let coverage = |least| of(&|case: &Case<'_>| f64::from(u8::from(case.covered(least))));
        Intervals { top1: of(&hits), nll: of(&surprise), coverage: least.and_then(coverage) }
    }

    /// The probability from which a theme is in the conformal set at `place`.
    pub(super) fn least(
        &self,
        place: Place,
        (number, ahead): (usize, usize),
        model: &Model,
        validation: &Part,
    ) -> Option<f32> {
        if let Some(served) = &model.served {
            return served.at(place, ahead).1;
        }
        let forecasts = &model.by_ahead[number].validation;
        let here = |event: &Event| event.place == place;
        least_probability(&self.cases(&validation.events, forecasts, ahead, here), LEVEL)
    }

    fn sums(&self, cases: &[Case<'_>], of: impl Fn(&Case<'_>) -> f64) -> Vec<PerPrompt> {
        per_prompt(cases, self.prompts.len(), of)
    }
}

/// Forecasts `a` minus forecasts `b` of what is one segment ahead, over every event of `part`.
pub(crate) fn apart(
    (part, stories): (&Part, &[Story]),
    (a, b): (&[f32], &[f32]),
    themes: usize,
    draws: (usize, u64),
) -> Option<Difference> {
    let judge = Judge::new(&part.events, stories, themes, draws);
    let [a, b] = [a, b].map(|forecasts| judge.cases(&part.events, forecasts, 1, |_| true));
    judge.difference(&a, &b)
}

/// The mean loss of `cases`, in nats.
pub(super) fn nats(cases: &[Case<'_>]) -> Option<f64> {
    (!cases.is_empty()).then(|| cases.iter().map(surprise).sum::<f64>() / cases.len() as f64)
}

fn surprise(case: &Case<'_>) -> f64 {
    case.surprise()
}

fn hits(case: &Case<'_>) -> f64 {
    f64::from(u8::from(case.hit(1)))
}
