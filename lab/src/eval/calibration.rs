//! Whether what is told comes as often as is told: reliability, the calibration error, and what of it
//! chance alone would show.

use super::report::Bin;
use rand_xoshiro::{
    Xoshiro256PlusPlus,
    rand_core::{RngCore, SeedableRng},
};

/// How many equal-mass bins there are.
const BINS: usize = 15;
/// Probabilities nearer than this are one: rounding must not order them.
const TIE: f32 = 1e-6;

/// What an outcome is about: a document and a segment of it. Forecasts about one segment, made at
/// each of its tokens, come true or fail together.
pub(super) type Outcome = (usize, i32);

/// A probability that was told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Told {
    pub(super) p: f32,
    pub(super) came: bool,
    pub(super) outcome: Outcome,
}

/// In order of their probabilities, each with the share that came among those told alike, so that it
/// does not matter in which order, and so in which bins, they stand.
fn sorted(told: &[Told]) -> Vec<(f64, f64)> {
    let mut sorted = told.to_vec();
    sorted.sort_by(|a, b| a.p.total_cmp(&b.p));
    let mut pooled = Vec::with_capacity(sorted.len());
    for alike in sorted.chunk_by(|a, b| b.p - a.p <= TIE) {
        let came = alike.iter().filter(|one| one.came).count() as f64 / alike.len() as f64;
        pooled.extend(alike.iter().map(|one| (f64::from(one.p), came)));
    }
    pooled
}

fn bin<T>(sorted: &[T], bin: usize) -> &[T] {
    &sorted[bin * sorted.len() / BINS..(bin + 1) * sorted.len() / BINS]
}

/// A reliability diagram, in 15 bins of equal mass.
pub(super) fn reliability(told: &[Told]) -> Vec<Bin> {
    let sorted = sorted(told);
    let of = |number: usize| {
        let told = bin(&sorted, number);
        let mean =
            |of: fn(&(f64, f64)) -> f64| told.iter().map(of).sum::<f64>() / told.len() as f64;
        let (forecast, came) = (mean(|one| one.0), mean(|one| one.1));
        (!told.is_empty()).then_some(Bin { forecast, came, cases: told.len() })
    };
    (0..BINS).filter_map(of).collect()
}

/// The expected calibration error, 15 bins of equal mass; equal probabilities are pooled.
///
/// *Source* Guo et al. 2017, Nguyen and O'Connor 2015.
pub(super) fn calibration_error(told: &[Told]) -> f64 {
    let sorted = sorted(told);
    let gap =
        |number: usize| bin(&sorted, number).iter().map(|(p, came)| p - came).sum::<f64>().abs();
    (0..BINS).map(gap).sum::<f64>() / sorted.len() as f64
}

/// The calibration error that chance alone shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ByChance {
    pub(super) mean: f64,
    /// 95 % of the draws lie at or below.
    pub(super) most: f64,
}

/// The calibration error where each comes with just its probability, those about one outcome
/// together.
pub(super) fn error_by_chance(told: &[Told]) -> ByChance {
    const DRAWS: usize = 100;
    let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
    let mut draws = || {
        let mut drawn = told.to_vec();
        for together in drawn.chunk_by_mut(|a, b| a.outcome == b.outcome) {
            let lot = (random.next_u64() >> 40) as f32 * 2f32.powi(-24);
            together.iter_mut().for_each(|one| one.came = lot < one.p);
        }
        calibration_error(&drawn)
    };
    let mut errors: Vec<f64> = (0..DRAWS).map(|_| draws()).collect();
    errors.sort_by(f64::total_cmp);
    ByChance { mean: errors.iter().sum::<f64>() / DRAWS as f64, most: errors[DRAWS * 95 / 100 - 1] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(p: f32, came: bool, segment: usize) -> Told {
        Told { p, came, outcome: (0, segment as i32) }
    }

    #[test]
    fn few_cases_show_an_error_by_chance_and_many_hardly_any() {
        let spread = |count: usize| -> Vec<Told> {
            (0..count).map(|n| told(0.4 + 0.2 * n as f32 / count as f32, true, n)).collect()
        };
        let by_chance = |count| error_by_chance(&spread(count));
        let (few, many) = (by_chance(150).mean, by_chance(15_000).mean);
        assert!(by_chance(150).most > few && by_chance(150).most < 2.0 * few);
        // Ten cases a bin: the mean deviation of a coin's share is about 0.12.
        assert!((few - 0.12).abs() < 0.02 && many < 0.02, "{few} {many}");
    }

    #[test]
    fn a_hundred_tokens_of_a_segment_are_one_outcome() {
        let tokens: Vec<Told> = (0..15_000)
            .map(|n| told(0.4 + 0.2 * (n % 100) as f32 / 100.0, true, n / 100))
            .collect();
        let apart: Vec<Told> =
            tokens.iter().enumerate().map(|(n, one)| told(one.p, one.came, n)).collect();
        let (together, apart) = (error_by_chance(&tokens).mean, error_by_chance(&apart).mean);
        assert!(together > 2.0 * apart, "{together} {apart}");
    }

    #[test]
    fn the_order_of_equal_probabilities_does_not_count() {
        let half = |came: fn(usize) -> bool| -> Vec<Told> {
            (0..60).map(|n| told(0.5 + (n % 3) as f32 * 1e-8, came(n), n)).collect()
        };
        for came in [|n| n < 30, |n| n % 2 == 0] {
            assert!(calibration_error(&half(came)) < 1e-6);
        }
        let bins = reliability(&half(|n| n < 30));
        assert!(bins.iter().all(|bin| (bin.came - 0.5).abs() < 1e-9), "{bins:?}");
    }
}
