//! Intervals by resampling whole documents.

use super::metrics::Case;
use rand_xoshiro::{
    Xoshiro256PlusPlus,
    rand_core::{RngCore, SeedableRng},
};
use serde::{Deserialize, Serialize};

/// A 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

impl Interval {
    /// Whether it lies on one side of zero.
    pub fn excludes_zero(&self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }
}

/// How often each document is drawn, resample after resample: the same for every model.
pub(super) struct Draws(Vec<Vec<u32>>);

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
        Self((0..resamples).map(|_| draw()).collect())
    }

    /// The interval of the mean of `values`.
    pub(super) fn interval(&self, values: &[PerDocument]) -> Option<Interval> {
        let mut means: Vec<f64> = self
            .0
            .iter()
            .filter_map(|counts| {
                let weighted = values.iter().zip(counts);
                let (sum, cases) = weighted.fold((0.0, 0.0), |(sum, cases), (value, &count)| {
                    let count = f64::from(count);
                    (sum + count * value.sum, cases + count * value.cases)
                });
                (cases > 0.0).then(|| sum / cases)
            })
            .collect();
        means.sort_by(f64::total_cmp);
        let at = |q: f64| means.get((q * means.len().saturating_sub(1) as f64).round() as usize);
        Some(Interval { low: *at(0.025)?, high: *at(0.975)? })
    }
}

/// A sum over one document's cases.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PerDocument {
    sum: f64,
    cases: f64,
}

impl PerDocument {
    /// Takes one more case.
    pub(super) fn add(&mut self, value: f64) {
        self.sum += value;
        self.cases += 1.0;
    }
}

/// Sums `of` over each document's cases.
pub(super) fn per_document(
    cases: &[Case<'_>],
    documents: usize,
    of: impl Fn(&Case<'_>) -> f64,
) -> Vec<PerDocument> {
    let mut sums = vec![PerDocument::default(); documents];
    for case in cases {
        sums[case.document].sum += of(case);
        sums[case.document].cases += 1.0;
    }
    sums
}

/// `a − b`, document by document.
pub(super) fn minus(a: &[PerDocument], b: &[PerDocument]) -> Vec<PerDocument> {
    a.iter().zip(b).map(|(a, b)| PerDocument { sum: a.sum - b.sum, cases: a.cases }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_about_two_standard_errors_each_way() {
        let values: Vec<_> =
            (0..400).map(|x| PerDocument { sum: f64::from(x % 2), cases: 1.0 }).collect();
        let interval = Draws::new(400, 1000, 1).interval(&values).unwrap();
        assert!((interval.low - 0.451).abs() < 0.01, "{interval:?}");
        assert!((interval.high - 0.549).abs() < 0.01, "{interval:?}");
        assert!(interval.excludes_zero());
        let nothing = Draws::new(400, 100, 1).interval(&minus(&values, &values)).unwrap();
        assert!(!nothing.excludes_zero());
    }
}
