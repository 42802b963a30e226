//! Means over cases with intervals by resampling whole documents.

use crate::eval::Interval;
use rand_xoshiro::{
    Xoshiro256PlusPlus,
    rand_core::{RngCore, SeedableRng},
};
use serde::{Deserialize, Serialize};

/// A mean with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Mean {
    /// The mean over cases.
    pub mean: f64,
    /// Where 95 % of the resamples of documents lie.
    pub interval: Interval,
}

/// How often each document is drawn, resample after resample: the same for whatever is compared.
pub(super) struct Draws {
    counts: Vec<Vec<u32>>,
    documents: usize,
}

impl Draws {
    pub(super) fn new(documents: usize, resamples: usize, seed: u64) -> Self {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut draw = || {
            let mut counts = vec![0; documents];
            for _ in 0..documents {
                counts[(random.next_u64() % documents as u64) as usize] += 1;
            }
            counts
        };
        Self { counts: (0..resamples).map(|_| draw()).collect(), documents }
    }

    /// The mean of `(document, value)`; none where there are no values.
    pub(super) fn mean(&self, values: impl Iterator<Item = (usize, f64)>) -> Option<Mean> {
        let mut sums = vec![(0.0, 0.0); self.documents];
        for (document, value) in values {
            sums[document].0 += value;
            sums[document].1 += 1.0;
        }
        let mean = |weight: &dyn Fn(usize) -> f64| {
            let weighted = sums.iter().enumerate().map(|(at, sum)| (weight(at), sum));
            let (sum, cases) = weighted
                .fold((0.0, 0.0), |(sum, cases), (w, one)| (sum + w * one.0, cases + w * one.1));
            (cases > 0.0).then(|| sum / cases)
        };
        let resampled = self.counts.iter().filter_map(|counts| mean(&|at| f64::from(counts[at])));
        let interval = interval(resampled.collect())?;
        Some(Mean { mean: mean(&|_| 1.0)?, interval })
    }

    /// The value of `of` over all documents, and its interval; `of` is given how often each
    /// document counts.
    pub(super) fn statistic(&self, of: impl Fn(&[u32]) -> Option<f64>) -> Option<Mean> {
        let mean = of(&vec![1; self.documents])?;
        let interval = interval(self.counts.iter().filter_map(|counts| of(counts)).collect())?;
        Some(Mean { mean, interval })
    }
}

fn interval(mut values: Vec<f64>) -> Option<Interval> {
    values.sort_by(f64::total_cmp);
    let at = |q: f64| values.get((q * values.len().saturating_sub(1) as f64).round() as usize);
    Some(Interval { low: *at(0.025)?, high: *at(0.975)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_about_two_standard_errors_each_way() {
        let draws = Draws::new(400, 1000, 1);
        let values = (0..400).map(|x| (x, f64::from(u32::from(x % 2 == 1))));
        let found = draws.mean(values).unwrap();
        assert_eq!(found.mean, 0.5);
        assert!((found.interval.low - 0.451).abs() < 0.01, "{found:?}");
        assert!((found.interval.high - 0.549).abs() < 0.01, "{found:?}");
        assert_eq!(draws.mean(std::iter::empty()), None);
        let drawn = draws.statistic(|counts| Some(f64::from(counts.iter().sum::<u32>())));
        assert_eq!(drawn.unwrap().interval, Interval { low: 400.0, high: 400.0 });
    }
}
