//! Intervals by resampling whole prompts.

use super::metrics::Case;
use rand_xoshiro::{
    Xoshiro256PlusPlus,
    rand_core::{RngCore, SeedableRng},
};
use serde::{Deserialize, Serialize};

/// Resamples of fewer prompts than this say little of how far others would be from them.
pub(crate) const FEWEST: usize = 5;

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

/// A mean with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Mean {
    /// The mean over cases.
    pub mean: f64,
    /// Where 95 % of the resamples of prompts lie.
    pub interval: Interval,
}

/// How often each prompt is drawn, resample after resample: the same for whatever is compared.
pub(crate) struct Draws {
    counts: Vec<Vec<u32>>,
    prompts: usize,
}

impl Draws {
    pub(crate) fn new(prompts: usize, resamples: usize, seed: u64) -> Self {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut draw = || {
            let mut counts = vec![0; prompts];
            for _ in 0..prompts {
                counts[(random.next_u64() % prompts as u64) as usize] += 1;
            }
            counts
        };
        Self { counts: (0..resamples).map(|_| draw()).collect(), prompts }
    }

    /// How often each prompt counts, draw after draw.
    pub(crate) fn counts(&self) -> &[Vec<u32>] {
        &self.counts
    }

    /// The interval of the mean of `values`; none where they are of too few prompts.
    pub(super) fn interval(&self, values: &[PerPrompt]) -> Option<Interval> {
        if values.iter().filter(|value| value.cases > 0.0).count() < FEWEST {
            return None;
        }
        interval(self.counts.iter().filter_map(|counts| mean(values, counts)).collect())
    }

    /// The mean of `(prompt, value)`; none where there are no values.
    pub(crate) fn mean(&self, values: impl Iterator<Item = (usize, f64)>) -> Option<Mean> {
        let mut sums = vec![PerPrompt::default(); self.prompts];
        values.for_each(|(prompt, value)| sums[prompt].add(value));
        self.statistic(|counts| mean(&sums, counts))
    }

    /// The value of `of` over all prompts, and its interval; `of` is given how often each
    /// prompt counts.
    pub(crate) fn statistic(&self, of: impl Fn(&[u32]) -> Option<f64>) -> Option<Mean> {
        let mean = of(&vec![1; self.prompts])?;
        let interval = interval(self.counts.iter().filter_map(|counts| of(counts)).collect())?;
        Some(Mean { mean, interval })
    }
}

/// The mean over cases, each prompt counted as often as `counts` says.
fn mean(values: &[PerPrompt], counts: &[u32]) -> Option<f64> {
    let weighted = values.iter().zip(counts);
    let (sum, cases) = weighted.fold((0.0, 0.0), |(sum, cases), (value, &count)| {
        let count = f64::from(count);
        (sum + count * value.sum, cases + count * value.cases)
    });
    (cases > 0.0).then(|| sum / cases)
}

/// Where 95 % of the values lie.
pub(crate) fn interval(mut values: Vec<f64>) -> Option<Interval> {
    values.sort_by(f64::total_cmp);
    let at = |q: f64| values.get((q * values.len().saturating_sub(1) as f64).round() as usize);
    Some(Interval { low: *at(0.025)?, high: *at(0.975)? })
}

/// A sum over one prompt's cases.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PerPrompt {
    sum: f64,
    cases: f64,
}

impl PerPrompt {
    /// Takes one more case.
    pub(super) fn add(&mut self, value: f64) {
        self.sum += value;
        self.cases += 1.0;
    }
}

/// Sums `of` over each prompt's cases.
pub(super) fn per_prompt(
    cases: &[Case<'_>],
    prompts: usize,
    of: impl Fn(&Case<'_>) -> f64,
) -> Vec<PerPrompt> {
    let mut sums = vec![PerPrompt::default(); prompts];
    for case in cases {
        sums[case.prompt].sum += of(case);
        sums[case.prompt].cases += 1.0;
    }
    sums
}

/// `a − b`, prompt by prompt.
pub(super) fn minus(a: &[PerPrompt], b: &[PerPrompt]) -> Vec<PerPrompt> {
    a.iter().zip(b).map(|(a, b)| PerPrompt { sum: a.sum - b.sum, cases: a.cases }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_about_two_standard_errors_each_way() {
        let values: Vec<_> =
            (0..400).map(|x| PerPrompt { sum: f64::from(x % 2), cases: 1.0 }).collect();
        let interval = Draws::new(400, 1000, 1).interval(&values).unwrap();
        assert!((interval.low - 0.451).abs() < 0.01, "{interval:?}");
        assert!((interval.high - 0.549).abs() < 0.01, "{interval:?}");
        assert!(interval.excludes_zero());
        let few = Draws::new(400, 1000, 1).interval(&values[..FEWEST - 1]);
        assert_eq!(few, None, "no interval of a handful of prompts");
        let nothing = Draws::new(400, 100, 1).interval(&minus(&values, &values)).unwrap();
        assert!(!nothing.excludes_zero());
    }

    #[test]
    fn a_statistic_is_drawn_over_all_prompts() {
        let draws = Draws::new(400, 1000, 1);
        let found = draws.mean((0..400).map(|x| (x, f64::from(u32::from(x % 2 == 1))))).unwrap();
        assert_eq!(found.mean, 0.5);
        assert_eq!(draws.mean(std::iter::empty()), None);
        let drawn = draws.statistic(|counts| Some(f64::from(counts.iter().sum::<u32>())));
        assert_eq!(drawn.unwrap().interval, Interval { low: 400.0, high: 400.0 });
    }
}
