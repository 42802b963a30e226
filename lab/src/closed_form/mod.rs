//! Classifiers without gradients: shrinkage LDA and ridge regression, each one linear solve.
//!
//! They give weights of the same shape as the logistic regression's. Nothing here reads a
//! collection.

mod solve;

pub(crate) use solve::Gram;

use crate::{
    Result,
    train::logistic::{Matrix, Weights},
};
use rayon::prelude::*;
use themecast_forecast::linear::softmax;

/// How strongly each method is regularised, tried in turn.
const SHRINKAGES: [f64; 7] = [0.03, 0.1, 0.3, 0.6, 0.9, 0.97, 0.99];
const RIDGES: [f64; 7] = [0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0];

/// A way to fit without gradients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    /// Gaussian classes of one covariance, shrunk towards a sphere.
    /// *Source* Friedman 1989 (regularised discriminant analysis).
    Lda,
    /// Ridge regression to one-hot classes. *Source* Hoerl and Kennard 1970.
    Ridge,
}

/// What was found.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// The regression.
    pub(crate) weights: Weights,
    /// What the logits are divided by.
    pub(crate) temperature: f32,
    /// The shrinkage or ridge that was chosen.
    pub(crate) strength: f64,
    /// Mean loss and top-1 on the validation rows.
    pub(crate) validation: (f64, f64),
}

impl Found {
    /// What it forecasts of each row, *shape* `[rows, classes]`.
    ///
    /// # Errors
    /// [`crate::LabError::Fit`].
    pub(crate) fn forecasts(&self, rows: &Matrix) -> Result<Vec<f32>> {
        let mut all = rows.logits(&self.weights)?;
        for forecast in all.chunks_exact_mut(self.weights.classes) {
            forecast.iter_mut().for_each(|logit| *logit /= self.temperature);
            softmax(forecast);
        }
        Ok(all)
    }
}

/// Fits with every strength and keeps the one that validates best, with its temperature.
///
/// # Errors
/// [`crate::LabError::Fit`] where no strength can be solved.
pub(crate) fn fit(
    method: Method,
    gram: &Gram,
    validation: (&Matrix, &[Option<u32>]),
) -> Result<Found> {
    let strengths = if method == Method::Lda { SHRINKAGES } else { RIDGES };
    let one = |&strength: &f64| -> Result<Found> {
        let weights = match method {
            Method::Lda => gram.lda(strength)?,
            Method::Ridge => gram.ridge(strength)?,
        };
        let logits = validation.0.logits(&weights)?;
        let temperature = temperature(&logits, validation.1, weights.classes);
        let score = score(&logits, validation.1, (weights.classes, temperature));
        Ok(Found { weights, temperature, strength, validation: score })
    };
    let found: Vec<Found> = strengths.par_iter().map(one).collect::<Result<_>>()?;
    let best = found.into_iter().min_by(|a, b| a.validation.0.total_cmp(&b.validation.0));
    best.ok_or_else(|| crate::LabError::Fit("no closed form was found".to_owned()))
}

/// Mean loss in nats and top-1 of the rows that have a class.
pub(crate) fn score(
    logits: &[f32],
    targets: &[Option<u32>],
    (classes, temperature): (usize, f32),
) -> (f64, f64) {
    let (mut nats, mut hits, mut count) = (0.0, 0.0, 0.0);
    let mut row = Vec::with_capacity(classes);
    for (logits, target) in logits.chunks_exact(classes).zip(targets) {
        let Some(target) = target.map(|target| target as usize) else { continue };
        row.clear();
        row.extend(logits.iter().map(|logit| logit / temperature));
        softmax(&mut row);
        nats -= f64::from(row[target].max(f32::MIN_POSITIVE).ln());
        hits += f64::from(u8::from(row.iter().all(|p| *p <= row[target])));
        count += 1.0;
    }
    (nats / count, hits / count)
}

/// The temperature with the least loss, by golden-section search over its logarithm.
///
/// Regression to one-hot gives logits within about 0 and 1: the search starts far below 1.
pub(crate) fn temperature(logits: &[f32], targets: &[Option<u32>], classes: usize) -> f32 {
    let loss = |log: f32| score(logits, targets, (classes, log.exp())).0;
    let ratio = (5f32.sqrt() - 1.0) / 2.0;
    let (mut low, mut high) = (-6.0_f32, 5.0_f32);
    while high - low > 5e-3 {
        let (left, right) = (high - ratio * (high - low), low + ratio * (high - low));
        if loss(left) < loss(right) { high = right } else { low = left }
    }
    ((low + high) / 2.0).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two features tell three classes; a third one is noise.
    fn rows(seed: usize) -> (Vec<f32>, Vec<Option<u32>>) {
        let noise = |x: usize| ((x * 7919 + seed * 31) % 97) as f32 / 97.0 - 0.5;
        let one = |x: usize| {
            let class = x % 3;
            [class as f32 + 0.6 * noise(x), (class == 1) as u8 as f32 + noise(x + 5), noise(x + 9)]
        };
        ((0..300).flat_map(one).collect(), (0..300).map(|x| Some((x % 3) as u32)).collect())
    }

    #[test]
    fn both_methods_find_separable_classes() {
        let (values, targets) = rows(1);
        let gram = Gram::new(&values, 3, &targets, 3).unwrap();
        let (values, targets) = rows(2);
        let validation = Matrix::new(values, 3).unwrap();
        for method in [Method::Lda, Method::Ridge] {
            let found = fit(method, &gram, (&validation, &targets)).unwrap();
            assert!(found.validation.1 > 0.95, "{method:?}: {:?}", found.validation);
            assert!(found.validation.0 < 0.35, "{method:?}: {:?}", found.validation);
        }
    }
}
