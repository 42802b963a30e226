//! One head: penalty and temperature chosen on the validation split.

use super::logistic::{Matrix, Objective, Weights};
use crate::Result;
use std::ops::Range;
use themecast_forecast::linear::softmax;

/// Penalties from strong to weak; each fit starts where the one before ended.
const LAMBDAS: [f32; 12] =
    [100.0, 30.0, 10.0, 3.0, 1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003];
/// The grid ends after so many penalties in a row that validate worse.
const PATIENCE: usize = 2;

/// Rows with the class of each; rows without one do not count.
#[derive(Clone, Copy)]
pub(crate) struct Sample<'a> {
    pub(crate) rows: &'a Matrix,
    pub(crate) targets: &'a [Option<u32>],
}

/// What was found for one head.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) weights: Weights,
    pub(crate) lambda: f32,
    pub(crate) temperature: f32,
    /// Mean loss on the validation rows, with the temperature; NaN where there are none.
    pub(crate) validation_nats: f32,
    /// Share of validation rows whose likeliest class is theirs.
    pub(crate) validation_top1: f32,
}

/// Fits on `train` with every penalty until `validation` gets worse, and keeps the best.
///
/// # Errors
/// [`crate::LabError::Fit`].
pub(crate) fn fit(
    train: Sample<'_>,
    validation: Sample<'_>,
    classes: usize,
    unused: &[Range<usize>],
    steps: u64,
) -> Result<Head> {
    let mut weights = Weights::zero(train.rows.features, classes);
    let mut best: Option<(f32, f32, Weights)> = None;
    let mut worse = 0;
    for lambda in LAMBDAS {
        weights = fit_at(train, lambda, unused, weights, steps)?;
        let (nats, _) = score(validation, &weights, 1.0)?;
        match &best {
            Some((found, ..)) if nats >= *found => worse += 1,
            _ => {
                best = Some((nats, lambda, weights.clone()));
                worse = 0;
            }
        }
        if worse == PATIENCE {
            break;
        }
    }
    let (_, lambda, weights) = best.unwrap_or((f32::NAN, LAMBDAS[0], weights));
    let temperature = temperature(validation, &weights)?;
    let (validation_nats, validation_top1) = score(validation, &weights, temperature)?;
    Ok(Head { weights, lambda, temperature, validation_nats, validation_top1 })
}

/// Fits with one penalty.
///
/// # Errors
/// [`crate::LabError::Fit`].
pub(crate) fn fit_at(
    train: Sample<'_>,
    lambda: f32,
    unused: &[Range<usize>],
    start: Weights,
    steps: u64,
) -> Result<Weights> {
    let objective = Objective { rows: train.rows, targets: train.targets, lambda, unused };
    objective.minimise(start, steps)
}

/// The temperature with the least loss on `sample`; 1 where it has no rows.
///
/// *Source* Guo et al. 2017. The loss is convex in 1/T, so it has one minimum.
///
/// # Errors
/// [`crate::LabError::Fit`].
pub(crate) fn temperature(sample: Sample<'_>, weights: &Weights) -> Result<f32> {
    if sample.targets.iter().flatten().next().is_none() {
        return Ok(1.0);
    }
    let logits = sample.rows.logits(weights)?;
    let loss = |log: f32| loss_of(&logits, sample.targets, weights.classes, log.exp()).0;
    Ok(least(-2.0, 2.0, loss).exp())
}

/// Where the unimodal `loss` is least between `low` and `high`, by golden-section search.
///
/// *Source* Kiefer 1953.
pub(crate) fn least(mut low: f32, mut high: f32, loss: impl Fn(f32) -> f32) -> f32 {
    let ratio = (5f32.sqrt() - 1.0) / 2.0;
    let (mut left, mut right) = (high - ratio * (high - low), low + ratio * (high - low));
    let (mut left_loss, mut right_loss) = (loss(left), loss(right));
    while high - low > 1e-3 {
        if left_loss < right_loss {
            (high, right, right_loss) = (right, left, left_loss);
            left = high - ratio * (high - low);
            left_loss = loss(left);
        } else {
            (low, left, left_loss) = (left, right, right_loss);
            right = low + ratio * (high - low);
            right_loss = loss(right);
        }
    }
    (low + high) / 2.0
}

fn score(sample: Sample<'_>, weights: &Weights, temperature: f32) -> Result<(f32, f32)> {
    let logits = sample.rows.logits(weights)?;
    Ok(loss_of(&logits, sample.targets, weights.classes, temperature))
}

/// Mean loss in nats and top-1 of the rows that have a class.
fn loss_of(
    logits: &[f32],
    targets: &[Option<u32>],
    classes: usize,
    temperature: f32,
) -> (f32, f32) {
    let (mut loss, mut hits, mut count) = (0f64, 0_usize, 0_usize);
    let mut scaled = Vec::with_capacity(classes);
    for (row, target) in logits.chunks_exact(classes).zip(targets) {
        let Some(target) = target.map(|target| target as usize) else { continue };
        scaled.clear();
        scaled.extend(row.iter().map(|logit| logit / temperature));
        softmax(&mut scaled);
        loss -= f64::from(scaled[target].max(f32::MIN_POSITIVE).ln());
        hits += usize::from(scaled.iter().all(|p| *p <= scaled[target]));
        count += 1;
    }
    ((loss / count as f64) as f32, hits as f32 / count as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_temperature_mends_overconfidence() {
        // The likelier class is right 3 times in 4, the logits say 99.75 %.
        let rows = Matrix::new(vec![6.0; 400], 1).unwrap();
        let targets: Vec<_> = (0..400).map(|x| Some(u32::from(x % 4 == 0))).collect();
        let weights = Weights { values: vec![1.0, 0.0, 0.0, 0.0], classes: 2 };
        let found = temperature(Sample { rows: &rows, targets: &targets }, &weights).unwrap();
        assert!((found - 6.0 / 3f32.ln()).abs() < 0.02, "{found}");
    }
}
