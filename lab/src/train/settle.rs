//! What is settled once the predictor stands: how much to average, the temperatures that the
//! averages are served with, and the conformal sets.
//!
//! The validation documents are replayed as in serving, every token of them. The segment being
//! written and those ahead are averaged apart: what is being written shows within a few tokens,
//! what comes next hardly changes between boundaries.

use super::{
    foreseen::foreseen,
    head,
    lag::{Names, lag},
};
use crate::{LabError, Result, eval::embeddings::Embeddings, replay::Chain};
use serde::Serialize;
use std::{collections::HashMap, ops::Range, path::Path};
use themecast_forecast::{
    bundle::{Bundle, ByPlace, Conformal, Place},
    conformal::threshold,
    linear::temper,
    smooth::Smoother,
};

/// Weights of the newest forecast that are tried.
const WEIGHTS: [f32; 9] = [1.0, 0.7, 0.5, 0.35, 0.25, 0.15, 0.1, 0.07, 0.05];
/// What conformal sets promise.
const COVERAGE: f32 = 0.9;
/// From so many cases on a place has a temperature of its own.
const ENOUGH: usize = 100;

/// What averaging does at one weight, on the validation split between boundaries.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SmoothingReport {
    /// Whether the segment being written was forecast; else those ahead.
    pub now: bool,
    /// How much the newest forecast counts.
    pub weight: f32,
    /// Mean loss of the forecasts, in nats.
    pub nll_nats: f64,
    /// Mean total variation between the forecasts of two tokens in a row, of the segment being
    /// written or of the next.
    pub flicker: f64,
    /// How many tokens after the forecast itself the average first names what comes, on the mean of
    /// the segments whose forecast does so only within them.
    pub lag_tokens: f32,
    /// How many segments these are.
    pub lag_segments: usize,
}

/// One moment of a validation document.
struct Told {
    place: Place,
    /// *Shape* `[horizons + 1][themes]`.
    steps: Vec<Vec<f32>>,
    came: Vec<Option<u32>>,
}

impl Told {
    /// Whether the theme that came is the likeliest, `step` segments ahead.
    fn names(&self, step: usize) -> bool {
        let (p, came) = (&self.steps[step], self.came[step]);
        came.is_some_and(|came| p.iter().all(|other| *other <= p[came as usize]))
    }
}

/// Chooses the averages' weights, the temperatures and the conformal thresholds of `bundle`.
///
/// # Errors
/// [`LabError`] of reading; [`LabError::Data`] where nothing can be scored.
pub(super) fn settle(
    from: (&Path, Option<&Embeddings>),
    bundle: &mut Bundle,
    chains: &HashMap<String, Chain>,
    progress: &dyn Fn(&str),
) -> Result<Vec<SmoothingReport>> {
    let documents = foreseen(from, bundle, chains, progress, |foresight, came| {
        let (place, steps) = (foresight.place(), foresight.momentary);
        Told { place, steps, came }
    })?;
    let horizons = bundle.card.horizons;
    let (now, ahead) = (tried(&documents, 0..1), tried(&documents, 1..horizons + 1));
    let (best_now, best_ahead) = (best(&now)?, best(&ahead)?);
    let calibration = &mut bundle.card.calibration;
    (calibration.smoothing_now, calibration.smoothing) = (Some(best_now), best_ahead);
    let mut all = averaged(&documents, best_now, best_ahead);
    let served = by_place(&all, horizons, temperature);
    for moment in &mut all {
        let temperatures = served.of(moment.place).iter();
        moment.steps.iter_mut().zip(temperatures).for_each(|(p, &by)| temper(p, by));
    }
    let thresholds = by_place(&all, horizons, |cases| {
        let came: Vec<f32> = cases.iter().map(|(p, came)| p[*came as usize]).collect();
        threshold(&came, COVERAGE)
    });
    calibration.served = Some(served);
    calibration.conformal = Some(Conformal { coverage: COVERAGE, thresholds });
    Ok(now.into_iter().chain(ahead).collect())
}

/// Every moment with its averaged steps.
fn averaged(documents: &[Vec<Told>], now: f32, ahead: f32) -> Vec<Told> {
    let mut all = Vec::new();
    for document in documents {
        let mut smoother = Smoother::new(now, ahead);
        for moment in document {
            let mut steps = moment.steps.clone();
            smoother.apply(moment.place != Place::Mid, &mut steps);
            all.push(Told { place: moment.place, steps, came: moment.came.clone() });
        }
    }
    all
}

/// Every weight, the `steps` ahead averaged with it.
fn tried(documents: &[Vec<Told>], steps: Range<usize>) -> Vec<SmoothingReport> {
    let momentary = averaged(documents, 1.0, 1.0);
    let report = |&weight: &f32| {
        let moments = averaged(documents, weight, weight);
        report((&momentary, &moments), weight, &steps)
    };
    WEIGHTS.iter().map(report).collect()
}

/// The weight whose loss is least.
fn best(reports: &[SmoothingReport]) -> Result<f32> {
    let best = reports.iter().min_by(|a, b| a.nll_nats.total_cmp(&b.nll_nats));
    let best = best.filter(|best| best.nll_nats.is_finite());
    Ok(best.ok_or_else(|| LabError::data("no validation moment can be scored"))?.weight)
}

fn report(
    (momentary, moments): (&[Told], &[Told]),
    weight: f32,
    steps: &Range<usize>,
) -> SmoothingReport {
    let (mut loss, mut cases, mut flicker, mut pairs) = (0.0f64, 0.0f64, 0.0f64, 0.0f64);
    let mut before: Option<&[f32]> = None;
    for moment in moments {
        if moment.place != Place::Mid {
            before = None; // what it speaks of has moved on
            continue;
        }
        let forecast = moment.steps.iter().zip(&moment.came);
        for (p, came) in forecast.skip(steps.start).take(steps.len()) {
            if let Some(came) = came {
                loss -= f64::from(p[*came as usize].max(1e-9).ln());
                cases += 1.0;
            }
        }
        let nearest = &moment.steps[steps.start];
        if let Some(before) = before {
            let apart: f32 = before.iter().zip(nearest).map(|(a, b)| (a - b).abs()).sum();
            flicker += f64::from(apart / 2.0);
            pairs += 1.0;
        }
        before = Some(nearest);
    }
    let names = momentary.iter().zip(moments).map(|(momentary, averaged)| Names {
        begins: momentary.place != Place::Mid,
        momentary: momentary.names(steps.start),
        averaged: averaged.names(steps.start),
    });
    let (lag_tokens, lag_segments) = lag(names);
    SmoothingReport {
        now: steps.start == 0,
        weight,
        nll_nats: loss / cases,
        flicker: flicker / pairs.max(1.0),
        lag_tokens,
        lag_segments,
    }
}

/// What `of` finds for the forecasts, with what came, of every place and number of segments ahead.
fn by_place(moments: &[Told], horizons: usize, of: impl Fn(&[(&[f32], u32)]) -> f32) -> ByPlace {
    let at = |place: Place| -> Vec<f32> {
        let step = |step: usize| {
            let here = moments.iter().filter(|moment| moment.place == place);
            let cases = here.filter_map(|one| Some((&one.steps[step][..], one.came[step]?)));
            of(&cases.collect::<Vec<_>>())
        };
        (0..=horizons).map(step).collect()
    };
    ByPlace { prompt_end: at(Place::PromptEnd), boundary: at(Place::Boundary), mid: at(Place::Mid) }
}

/// The temperature with which `cases` lose least; 1 where they are few. *Source* Guo et al. 2017.
pub(crate) fn temperature(cases: &[(&[f32], u32)]) -> f32 {
    if cases.len() < ENOUGH {
        return 1.0;
    }
    let loss = |log: f32| {
        let of = |(p, came): &(&[f32], u32)| {
            let mut p = p.to_vec();
            temper(&mut p, log.exp());
            -p[*came as usize].max(f32::MIN_POSITIVE).ln()
        };
        cases.iter().map(of).sum::<f32>() / cases.len() as f32
    };
    head::least(-1.0, 1.0, loss).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_is_too_sure_is_served_hotter() {
        // Nine in ten are said to come, three in four do.
        let moment = |x: usize| Told {
            place: Place::PromptEnd,
            steps: vec![vec![0.9, 0.1]],
            came: vec![Some(u32::from(x.is_multiple_of(4)))],
        };
        let moments: Vec<Told> = (0..400).map(moment).collect();
        let found = by_place(&moments, 0, temperature);
        let wanted = 9f32.ln() / 3f32.ln();
        assert!((found.prompt_end[0] - wanted).abs() < 0.02, "{found:?}");
        assert_eq!((found.boundary[0], found.mid[0]), (1.0, 1.0), "nothing was seen there");
    }
}
