//! Whether a segment's residuals go on where the answer's left off.
//!
//! Themes say what passages do; an answer that suddenly speaks of something else may go on doing
//! the same. Its residuals do not.

use serde::{Deserialize, Serialize};

/// The most segments before the present one that are told apart by their number.
pub(crate) const PLACES: usize = 4;
/// The share of clean segments that the tail is fitted to.
const TAIL: f32 = 0.1;
/// The fewest clean segments from which a tail is fitted: its tenth then has twenty.
const FITTED: usize = 200;
/// The least p-value that is told apart.
const RAREST: f32 = 1e-6;
/// How much bets favour rare segments: the less, the more.
const KAPPA: f32 = 0.4;

/// How incoherent segments of clean traffic are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CoherenceCard {
    /// By how many segments went before (1, 2, 3, 4 or more): quantiles of the distance, from
    /// the least to the largest seen, *shape* `[4][quantiles]`.
    pub quantiles: Vec<Vec<f32>>,
}

impl CoherenceCard {
    /// Measures `found`: each with how many segments went before; `steps` quantiles are kept.
    pub fn of(found: &[(usize, f32)], steps: usize) -> Self {
        let quantiles = |place: usize| {
            let own = found.iter().filter(|(before, _)| slot(*before) == place);
            let mut own: Vec<f32> = own.map(|(_, distance)| *distance).collect();
            own.sort_by(f32::total_cmp);
            let last = own.len().saturating_sub(1) as f64;
            let at = |step: usize| own.get((last * step as f64 / (steps - 1) as f64) as usize);
            (0..steps).filter_map(|step| at(step).copied()).collect()
        };
        Self { quantiles: (0..PLACES).map(quantiles).collect() }
    }

    /// The share of clean segments at least as incoherent; never 0.
    ///
    /// Where enough were seen, the most incoherent tenth is taken to fall off exponentially, so
    /// that a segment beyond all of them is rarer than one of them and a single turn can be told at
    /// once. Otherwise nothing is rarer than one in all that were seen: the conformal p-value.
    /// *Source* Pickands 1975 (excesses over a threshold), with an exponential tail.
    fn p_value(&self, before: usize, distance: f32) -> f32 {
        let Some(quantiles) = self.quantiles.get(slot(before)) else { return 1.0 };
        let start = ((1.0 - TAIL) * quantiles.len().saturating_sub(1) as f32) as usize;
        let (count, Some((&threshold, tail))) = (quantiles.len(), quantiles[start..].split_first())
        else {
            return 1.0;
        };
        // More quantiles than segments repeat them.
        let seen = quantiles.chunk_by(|a, b| a == b).count();
        let excess = tail.iter().map(|quantile| quantile - threshold).sum::<f32>();
        let scale = excess / tail.len().max(1) as f32;
        if seen >= FITTED && distance > threshold && scale > 0.0 {
            return (TAIL * (-(distance - threshold) / scale).exp()).max(RAREST);
        }
        let below = quantiles.partition_point(|quantile| *quantile < distance);
        let share = (count - below) as f32 / count as f32;
        (share * seen as f32 + 1.0) / (seen + 1) as f32
    }

    /// What a bet on the segment pays: `κ p^(κ − 1)`, whose mean is 1 for clean traffic.
    /// *Source* Vovk and Wang 2021 (calibrators of p-values).
    pub fn payoff(&self, before: usize, distance: f32) -> f32 {
        KAPPA * self.p_value(before, distance).powf(KAPPA - 1.0)
    }
}

fn slot(before: usize) -> usize {
    before.clamp(1, PLACES) - 1
}

/// The segments of one answer so far.
#[derive(Debug, Clone, Default)]
pub struct Coherence {
    /// Sum of the segments' means, *shape* `[hidden]`.
    sum: Vec<f32>,
    segments: usize,
}

impl Coherence {
    /// A segment whose residuals have the mean `segment`, *shape* `[hidden]`, standardised, has
    /// ended: how many went before, and `1 − cosine` with their mean; none for the first one.
    pub fn end(&mut self, segment: &[f32]) -> Option<(usize, f32)> {
        self.sum.resize(segment.len(), 0.0);
        let found = (self.segments > 0).then(|| {
            let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
            let norms = (dot(&self.sum, &self.sum) * dot(segment, segment)).sqrt();
            (self.segments, 1.0 - dot(&self.sum, segment) / norms.max(f32::MIN_POSITIVE))
        });
        self.sum.iter_mut().zip(segment).for_each(|(sum, x)| *sum += x);
        self.segments += 1;
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_farther_than_going_on() {
        let mut coherence = Coherence::default();
        assert_eq!(coherence.end(&[1.0, 0.0]), None);
        let on = coherence.end(&[2.0, 0.1]).unwrap();
        let turn = coherence.end(&[0.0, 1.0]).unwrap();
        assert!(on.0 == 1 && on.1 < 0.01 && turn.0 == 2 && turn.1 > 0.9, "{on:?} {turn:?}");
    }

    #[test]
    fn payoffs_of_clean_segments_have_a_mean_of_about_one() {
        let clean: Vec<(usize, f32)> = (0..999).map(|x| (1 + x % 3, x as f32)).collect();
        let card = CoherenceCard::of(&clean, 301);
        let payoffs = clean.iter().map(|&(before, distance)| card.payoff(before, distance));
        let mean = payoffs.sum::<f32>() / clean.len() as f32;
        assert!((0.8..=1.05).contains(&mean), "{mean}");
        assert!(card.payoff(1, 0.0) < 0.41);
        // Beyond all that was seen, the farther the rarer, up to a limit.
        let far = [1000.0, 1200.0, 1e4, 1e9].map(|distance| card.payoff(1, distance));
        assert!(far.is_sorted() && far[0] > 4.0 && far[1] > 2.0 * far[0], "{far:?}");
        assert_eq!(far[2], far[3]);
    }

    #[test]
    fn few_clean_segments_tell_no_tail() {
        let clean: Vec<(usize, f32)> = (0u8..40).map(|x| (1, f32::from(x))).collect();
        let card = CoherenceCard::of(&clean, 257);
        for distance in [40.0, 1e9] {
            assert!((card.p_value(1, distance) - 1.0 / 41.0).abs() < 1e-6, "one in all seen");
        }
        assert!((card.p_value(1, 20.0) - 0.5).abs() < 0.03);
    }
}
