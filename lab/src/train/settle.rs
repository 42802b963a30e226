//! What is settled once the predictor stands: how much to average, and the conformal sets.
//!
//! The validation documents are replayed as in serving, every token of them.

use crate::{
    LabError, Result, Split,
    dataset::{DocumentReader, Load},
    eval::embeddings::Embeddings,
    replay::{Chain, Player, replay, target},
};
use serde::Serialize;
use std::{collections::HashMap, path::Path};
use themecast_forecast::{
    bundle::{Bundle, Conformal},
    conformal::threshold,
    linear::RowKind,
    predict::Forecaster,
    smooth::Smoother,
};

/// Weights of the newest forecast that are tried.
const WEIGHTS: [f32; 7] = [1.0, 0.7, 0.5, 0.35, 0.25, 0.15, 0.1];
/// What conformal sets promise.
const COVERAGE: f32 = 0.9;

/// What averaging does at one weight, on the validation split between boundaries.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SmoothingReport {
    /// How much the newest forecast counts.
    pub weight: f32,
    /// Mean loss of the forecasts of the next segments, in nats.
    pub nll_nats: f64,
    /// Mean total variation between the forecasts one segment ahead of two tokens in a row.
    pub flicker: f64,
    /// The average's mean lag, in tokens.
    pub lag_tokens: f32,
}

/// One moment of a validation document.
struct Told {
    kind: RowKind,
    /// Before averaging, *shape* `[horizons + 1][themes]`.
    steps: Vec<Vec<f32>>,
    came: Vec<Option<u32>>,
}

/// Chooses the average's weight and the conformal thresholds of `bundle`.
///
/// # Errors
/// [`LabError`] of reading; [`LabError::Data`] where nothing can be scored.
pub(super) fn settle(
    dir: &Path,
    bundle: &mut Bundle,
    texts: Option<&Embeddings>,
    chains: &HashMap<String, Chain>,
) -> Result<Vec<SmoothingReport>> {
    bundle.card.calibration.smoothing = 1.0;
    let documents = told(dir, bundle, texts, chains)?;
    let reports: Vec<SmoothingReport> =
        WEIGHTS.iter().map(|&weight| report(&documents, weight)).collect();
    let best = reports.iter().min_by(|a, b| a.nll_nats.total_cmp(&b.nll_nats));
    let best = best.filter(|best| best.nll_nats.is_finite());
    let weight = best.ok_or_else(|| LabError::data("no validation moment can be scored"))?.weight;
    bundle.card.calibration.smoothing = weight;
    let thresholds = |kind| thresholds(&documents, weight, kind, bundle.card.horizons);
    bundle.card.calibration.conformal = Some(Conformal {
        coverage: COVERAGE,
        boundary: thresholds(RowKind::Boundary),
        mid: thresholds(RowKind::Mid),
    });
    Ok(reports)
}

fn told(
    dir: &Path,
    bundle: &Bundle,
    texts: Option<&Embeddings>,
    chains: &HashMap<String, Chain>,
) -> Result<Vec<Vec<Told>>> {
    let mut all = Vec::new();
    let classifier = &bundle.predictor.heads(RowKind::Boundary)[0];
    for document in DocumentReader::open(dir, Load::Residuals(bundle.card.sites.clone()))? {
        let document = document?;
        let Some(chain) = chains.get(&document.id) else { continue };
        if Split::of(&document)? != Split::Validation {
            continue;
        }
        let (mut forecaster, mut moments) = (Forecaster::new(bundle), Vec::new());
        let now = |row: &[f32], now: &mut Vec<f32>| classifier.probabilities(row, now);
        replay(&document, Player { layout: bundle.layout(), texts }, now, |moment| {
            let steps = forecaster.forecast(bundle, moment.kind, moment.features).momentary;
            let first = usize::from(moment.kind == RowKind::Boundary);
            let came = |ahead| target(chain, moment.segment, first + ahead);
            let came = (0..steps.len()).map(came).collect();
            moments.push(Told { kind: moment.kind, steps, came });
            Ok(())
        })?;
        all.push(moments);
    }
    Ok(all)
}

/// Calls `each` with every moment and its averaged steps.
fn averaged(documents: &[Vec<Told>], weight: f32, mut each: impl FnMut(&Told, &[Vec<f32>])) {
    for document in documents {
        let mut smoother = Smoother::new(weight);
        for moment in document {
            let mut steps = moment.steps.clone();
            smoother.apply(moment.kind == RowKind::Boundary, &mut steps);
            each(moment, &steps);
        }
    }
}

fn report(documents: &[Vec<Told>], weight: f32) -> SmoothingReport {
    let (mut loss, mut cases, mut flicker, mut pairs) = (0.0f64, 0.0f64, 0.0f64, 0.0f64);
    let mut before: Option<Vec<f32>> = None;
    averaged(documents, weight, |moment, steps| {
        if moment.kind == RowKind::Boundary {
            before = None; // what it speaks of has moved on
            return;
        }
        for (p, came) in steps.iter().zip(&moment.came).skip(1) {
            if let Some(came) = came {
                loss -= f64::from(p[*came as usize].max(1e-9).ln());
                cases += 1.0;
            }
        }
        if let Some(before) = &before {
            let apart: f32 = before.iter().zip(&steps[1]).map(|(a, b)| (a - b).abs()).sum();
            flicker += f64::from(apart / 2.0);
            pairs += 1.0;
        }
        before = Some(steps[1].clone());
    });
    SmoothingReport {
        weight,
        nll_nats: loss / cases,
        flicker: flicker / pairs.max(1.0),
        lag_tokens: (1.0 - weight) / weight,
    }
}

fn thresholds(documents: &[Vec<Told>], weight: f32, kind: RowKind, horizons: usize) -> Vec<f32> {
    let mut came: Vec<Vec<f32>> = vec![Vec::new(); horizons + 1];
    averaged(documents, weight, |moment, steps| {
        if moment.kind == kind {
            for ((into, p), theme) in came.iter_mut().zip(steps).zip(&moment.came) {
                into.extend(theme.map(|theme| p[theme as usize]));
            }
        }
    });
    came.iter().map(|came| threshold(came, COVERAGE)).collect()
}
