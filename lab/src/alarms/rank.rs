//! How often a statistic is higher in an answer that turned than in a clean one: AUROC, with both
//! read over the same stretch, and its draws of prompts.
//!
//! The most that a statistic reaches grows with the segments that it is read over, so a whole clean
//! answer against what is left of a planted one after its turn would tell lengths apart, not turns.

use super::traces::Trace;
use crate::eval::{
    Mean,
    bootstrap::{Draws, interval},
};
use std::{cmp::Ordering, collections::HashMap};

/// Resamples of prompts behind every interval.
const DRAWS: usize = 1000;

/// The prompts of answers, drawn over and over.
pub(super) struct Prompts {
    /// The prompt's number of each answer.
    pub(super) of: Vec<usize>,
    pub(super) draws: Draws,
}

impl Prompts {
    pub(super) fn of(traces: &[Trace], seed: u64) -> Self {
        let mut numbers: HashMap<&str, usize> = HashMap::new();
        let mut of = Vec::with_capacity(traces.len());
        for trace in traces {
            let next = numbers.len();
            of.push(*numbers.entry(&trace.prompt).or_insert(next));
        }
        Self { of, draws: Draws::new(numbers.len(), DRAWS, seed) }
    }

    /// How often each answer counts, draw after draw.
    fn weights(&self) -> impl Iterator<Item = Vec<f64>> + '_ {
        let each = |counts: &Vec<u32>| self.of.iter().map(|&of| f64::from(counts[of])).collect();
        self.draws.counts().iter().map(each)
    }
}

/// The AUROC of a statistic over all answers, and over each draw of their prompts.
pub(super) struct Ranked {
    all: f64,
    draws: Vec<f64>,
}

impl Ranked {
    /// The statistic `name`, of every clean answer against every planted one.
    pub(super) fn of(
        name: &str,
        (clean, clean_prompts): (&[Trace], &Prompts),
        (planted, planted_prompts): (&[Trace], &Prompts),
    ) -> Self {
        let pairs: Vec<Option<f64>> = clean
            .iter()
            .flat_map(|clean| planted.iter().map(move |planted| higher(name, clean, planted)))
            .collect();
        let all = share(&pairs, &vec![1.0; clean.len()], &vec![1.0; planted.len()]);
        let draws = clean_prompts.weights().zip(planted_prompts.weights());
        let draws = draws.map(|(clean, planted)| share(&pairs, &clean, &planted)).collect();
        Self { all, draws }
    }

    /// It with its interval; none where no pair could be compared.
    pub(super) fn auroc(&self) -> Option<Mean> {
        mean(self.all, self.draws.clone())
    }

    /// It above that of `other`, on the same draws.
    pub(super) fn above(&self, other: &Self) -> Option<Mean> {
        let draws = self.draws.iter().zip(&other.draws).map(|(own, other)| own - other).collect();
        mean(self.all - other.all, draws)
    }
}

fn mean(mean: f64, draws: Vec<f64>) -> Option<Mean> {
    interval(draws).filter(|_| mean.is_finite()).map(|interval| Mean { mean, interval })
}

/// 1 where the planted answer's statistic reaches more than the clean one's, one half where as much:
/// from where the planted one turned on (its start where nothing says), over as many segments as both
/// have there; none where one of them has none.
fn higher(name: &str, clean: &Trace, planted: &Trace) -> Option<f64> {
    let onset = planted.onset.unwrap_or(0);
    let after = |(token, score): (usize, f64)| (token > onset).then_some(score);
    let pairs = planted.values(name).filter_map(after).zip(clean.values(name).filter_map(after));
    let (planted, clean) = pairs.reduce(|most, next| (most.0.max(next.0), most.1.max(next.1)))?;
    match planted.partial_cmp(&clean)? {
        Ordering::Greater => Some(1.0),
        Ordering::Equal => Some(0.5),
        Ordering::Less => Some(0.0),
    }
}

/// The mean of `pairs`, clean answer by clean answer, each pair with the product of its weights.
fn share(pairs: &[Option<f64>], clean: &[f64], planted: &[f64]) -> f64 {
    let weights = clean.iter().flat_map(|clean| planted.iter().map(move |planted| clean * planted));
    let compared = pairs.iter().zip(weights).filter_map(|(pair, weight)| Some(((*pair)?, weight)));
    let (sum, all) =
        compared.fold((0.0, 0.0), |(sum, all), (pair, weight)| (sum + pair * weight, all + weight));
    sum / all
}

#[cfg(test)]
mod tests {
    use super::{super::traces::tests::trace, *};

    #[test]
    fn both_are_read_from_the_turn_on_over_as_many_segments() {
        let planted = trace(&[9.0, 0.3, 0.5], Some(10));
        let clean = |scores: &[f32]| higher("one", &trace(scores, None), &planted);
        assert_eq!(clean(&[0.9, 0.1, 0.2]), Some(1.0), "what was before the turn is left out");
        assert_eq!(clean(&[0.0, 0.1, 0.2, 9.0]), Some(1.0), "and what is beyond its end");
        assert_eq!(clean(&[0.0, 0.4]), Some(0.0), "a short one is compared as far as it goes");
        assert_eq!(clean(&[0.0, 0.3]), Some(0.5));
        assert_eq!(clean(&[0.0]), None, "it ended before the place");
    }

    #[test]
    fn lengths_alone_tell_nothing() {
        let random = |answer: usize, at: usize| ((answer * 37 + at * 101) % 1009) as f32;
        let of = |length: usize, onset, first: usize| -> Vec<Trace> {
            let scores = |answer| (0..length).map(|at| random(answer, at)).collect::<Vec<_>>();
            (first..first + 200).map(|answer| trace(&scores(answer), onset)).collect()
        };
        let (clean, planted) = (of(9, None, 0), of(4, Some(10), 1000));
        let (known, strange) = (Prompts::of(&clean, 0), Prompts::of(&planted, 1));
        let found = Ranked::of("one", (&clean, &known), (&planted, &strange));
        assert!((found.all - 0.5).abs() < 0.05, "{}", found.all);
        assert!(Ranked::of("one", (&clean, &known), (&[], &strange)).auroc().is_none());
    }

    #[test]
    fn draws_count_prompts() {
        let pairs = [Some(1.0), Some(0.0), None, Some(0.5)];
        assert_eq!(share(&pairs, &[1.0, 1.0], &[1.0, 1.0]), 0.5);
        assert_eq!(share(&pairs, &[0.0, 2.0], &[1.0, 1.0]), 0.5);
        assert_eq!(share(&pairs, &[3.0, 1.0], &[1.0, 0.0]), 1.0);
    }
}
