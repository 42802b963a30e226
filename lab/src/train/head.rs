//! One head: penalty and temperature chosen on the validation split.

use super::logistic::{Matrix, Objective, Weights};
use crate::Result;
use half::f16;
use std::ops::Range;
use themecast_forecast::{
    features::FeatureLayout,
    linear::{Affine, softmax},
};

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

/// What is taken from columns and what they are divided by: mean and deviation of the training rows'.
#[derive(Debug, Clone)]
pub(crate) struct Scaler {
    mean: Vec<f32>,
    deviation: Vec<f32>,
}

impl Scaler {
    /// Measures row-major `values`; a constant column gets the deviation 1.
    pub(crate) fn measure(values: &[f32], features: usize) -> Self {
        let count = (values.len() / features.max(1)).max(1) as f64;
        let (mut sum, mut square) = (vec![0f64; features], vec![0f64; features]);
        for row in values.chunks_exact(features) {
            sum.iter_mut().zip(row).for_each(|(sum, &x)| *sum += f64::from(x));
        }
        sum.iter_mut().for_each(|sum| *sum /= count);
        for row in values.chunks_exact(features) {
            for ((square, mean), &x) in square.iter_mut().zip(&sum).zip(row) {
                *square += (f64::from(x) - mean).powi(2);
            }
        }
        let deviation = |square: f64| {
            let deviation = (square / count).sqrt();
            if deviation > 1e-6 { deviation as f32 } else { 1.0 }
        };
        Self {
            mean: sum.iter().map(|&mean| mean as f32).collect(),
            deviation: square.into_iter().map(deviation).collect(),
        }
    }

    /// Measures row-major `values` of `layout`; what LayerNorm has scaled is left as it is.
    pub(crate) fn of_features(values: &[f32], layout: FeatureLayout) -> Self {
        let mut scaler = Self::measure(values, layout.len());
        if layout.layer_norm {
            scaler.mean[layout.activations()].fill(0.0);
            scaler.deviation[layout.activations()].fill(1.0);
        }
        scaler
    }

    /// Lets `columns` weigh so much beside the others: their penalty is divided by its square.
    pub(crate) fn weigh(&mut self, columns: Range<usize>, weight: f32) {
        self.deviation[columns].iter_mut().for_each(|deviation| *deviation /= weight);
    }

    /// Z-scores row-major `values` in place.
    pub(crate) fn apply(&self, values: &mut [f32]) {
        for row in values.chunks_exact_mut(self.mean.len()) {
            for ((x, mean), deviation) in row.iter_mut().zip(&self.mean).zip(&self.deviation) {
                *x = (*x - mean) / deviation;
            }
        }
    }

    /// Lets a row-major matrix of *shape* `[out, features]` and its bias take raw rows in place of
    /// z-scored ones.
    pub(crate) fn fold_rows(&self, weight: &mut [f32], bias: &mut [f32]) {
        for (row, bias) in weight.chunks_exact_mut(self.mean.len()).zip(bias) {
            for ((weight, mean), deviation) in row.iter_mut().zip(&self.mean).zip(&self.deviation) {
                *weight /= deviation;
                *bias -= *weight * mean;
            }
        }
    }

    /// The same regression over raw features: mean and deviation go into weight and bias.
    pub(crate) fn fold(&self, weights: &Weights, temperature: f32) -> Affine {
        self.folded(weights, temperature, |weight| weight)
    }

    /// The same with weights of half precision, the largest that it holds at most; the bias makes good
    /// what rounding does to the mean.
    pub(crate) fn fold_halves(&self, weights: &Weights, temperature: f32) -> Affine {
        self.folded(weights, temperature, |weight| {
            let most = f16::MAX.to_f32();
            f16::from_f32(weight.clamp(-most, most)).to_f32()
        })
    }

    fn folded(&self, weights: &Weights, temperature: f32, round: fn(f32) -> f32) -> Affine {
        let (features, classes) = (self.mean.len(), weights.classes);
        let mut weight = vec![0f32; classes * features];
        let mut bias: Vec<f64> =
            weights.values[features * classes..].iter().map(|&bias| f64::from(bias)).collect();
        for feature in 0..features {
            for class in 0..classes {
                let raw =
                    round(weights.values[feature * classes + class] / self.deviation[feature]);
                weight[class * features + feature] = raw;
                bias[class] -= f64::from(raw) * f64::from(self.mean[feature]);
            }
        }
        let bias = bias.into_iter().map(|bias| bias as f32).collect();
        Affine { weight, bias, temperature }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folded_head_says_of_raw_rows_what_it_said_of_scaled_ones() {
        let raw: Vec<f32> = (0..60).map(|x| 100.0 + ((x * 13) % 17) as f32).collect();
        let scaler = Scaler::measure(&raw, 3);
        let mut scaled = raw.clone();
        scaler.apply(&mut scaled);
        let weights =
            Weights { values: (0..8).map(|x| x as f32 / 4.0 - 1.0).collect(), classes: 2 };
        let affine = scaler.fold(&weights, 1.0);
        let logits = Matrix::new(scaled, 3).unwrap().logits(&weights).unwrap();
        let mut out = Vec::new();
        for (row, logits) in raw.chunks(3).zip(logits.chunks(2)) {
            affine.probabilities(row, &mut out);
            let mut expected = logits.to_vec();
            softmax(&mut expected);
            assert!((out[0] - expected[0]).abs() < 1e-4, "{out:?} {expected:?}");
        }
    }

    #[test]
    fn what_layer_norm_scaled_is_left_and_the_rest_z_scored() {
        let layout =
            |layer_norm| FeatureLayout { hidden: 1, sites: 1, themes: 0, text: 0, layer_norm };
        let width = layout(true).len();
        let raw: Vec<f32> = (0..3 * width).map(|x| (x * x) as f32).collect();
        let activations = layout(true).activations().len();
        assert!(activations > 0 && activations < width);
        let scaled = |layer_norm| {
            let mut values = raw.clone();
            Scaler::of_features(&values, layout(layer_norm)).apply(&mut values);
            values
        };
        let (left, all) = (scaled(true), scaled(false));
        for (row, (left, all)) in left.chunks(width).zip(all.chunks(width)).enumerate() {
            assert_eq!(left[..activations], raw[row * width..][..activations]);
            assert_eq!(left[activations..], all[activations..]);
        }
        assert!(all.iter().sum::<f32>().abs() < 1e-3, "each column's mean is 0");
    }

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
