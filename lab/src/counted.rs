//! What is counted on chains of themes: baselines that know the themes so far and nothing else, and
//! how much likelier a theme makes those after it.

use crate::replay::{Chain, target};
use std::collections::HashMap;

/// Strengths of the prior that the Markov chain is smoothed with, in pseudo-counts.
const PRIORS: [f32; 6] = [0.3, 1.0, 3.0, 10.0, 30.0, 100.0];

/// Shares, transitions and persistence, counted on the training split.
pub(crate) struct Counted {
    themes: usize,
    marginal: Vec<f32>,
    /// By segment number; the last one stands for all further ones.
    by_position: Vec<Vec<f32>>,
    steps: Vec<Step>,
}

/// Segment numbers that have shares of their own.
const POSITIONS: usize = 12;

/// What was counted for one number of segments ahead.
struct Step {
    /// *Shape* `[present, themes]`.
    transitions: Vec<Vec<f32>>,
    /// By (theme before, present), *shape* `[themes]`.
    pairs: HashMap<(u32, u32), Vec<f32>>,
    stay: f32,
    prior: f32,
    /// The pull of order 1 on order 2.
    prior2: f32,
}

impl Counted {
    /// Counts on `train`; the strength of the smoothing is chosen on `validation`.
    pub(crate) fn new(
        train: &[Chain],
        validation: &[Chain],
        themes: usize,
        horizons: usize,
    ) -> Self {
        let every = train.iter().flat_map(|chain| chain.iter().copied());
        let uniform = vec![1.0 / themes as f32; themes];
        let marginal = shares(every, &uniform, themes as f32 / 2.0);
        let mut counted = Self { themes, marginal, by_position: Vec::new(), steps: Vec::new() };
        counted.count_positions(train, validation);
        for ahead in 1..=horizons {
            let mut step = counted.count(train, ahead);
            step.prior = best_of(&PRIORS, |prior| {
                loss(validation, ahead, |_, present| counted.smoothed(&step, present, prior))
            });
            step.prior2 = best_of(&PRIORS, |prior| {
                loss(validation, ahead, |before, present| {
                    counted.smoothed2(&step, (before, present), prior)
                })
            });
            counted.steps.push(step);
        }
        counted
    }

    fn count_positions(&mut self, train: &[Chain], validation: &[Chain]) {
        let place = |place: usize| place.min(POSITIONS - 1);
        let at = |wanted: usize, chains: &[Chain]| -> Vec<u32> {
            let numbered = chains.iter().flat_map(|chain| chain.iter().copied().enumerate());
            numbered.filter(|one| place(one.0) == wanted).map(|one| one.1).collect()
        };
        let with = |prior: f32| -> Vec<Vec<f32>> {
            let of = |wanted| shares(at(wanted, train).into_iter(), &self.marginal, prior);
            (0..POSITIONS).map(of).collect()
        };
        let prior = best_of(&PRIORS, |prior| {
            let shares = with(prior);
            let loss = |(wanted, shares): (usize, &Vec<f32>)| -> f64 {
                let seen = at(wanted, validation).into_iter();
                seen.map(|theme| -f64::from(shares[theme as usize]).ln()).sum()
            };
            shares.iter().enumerate().map(loss).sum()
        });
        self.by_position = with(prior);
    }

    fn count(&self, train: &[Chain], ahead: usize) -> Step {
        let mut transitions = vec![vec![0.0; self.themes]; self.themes];
        let mut by_pair: HashMap<(u32, u32), Vec<f32>> = HashMap::new();
        let (mut all, mut same) = (0.0, 0.0);
        for (before, present, came) in steps(train, ahead) {
            transitions[present as usize][came as usize] += 1.0;
            if let Some(before) = before {
                let counts = by_pair.entry((before, present));
                counts.or_insert_with(|| vec![0.0; self.themes])[came as usize] += 1.0;
            }
            all += 1.0;
            same += f32::from(u8::from(present == came));
        }
        let stay = (same + 1.0) / (all + 2.0);
        Step { transitions, pairs: by_pair, stay, prior: 1.0, prior2: 1.0 }
    }

    /// Shares of the training segments.
    pub(crate) fn marginal(&self) -> Vec<f32> {
        self.marginal.clone()
    }

    /// Shares of the training segments of the number `segment` (from 0).
    pub(crate) fn position(&self, segment: usize) -> Vec<f32> {
        self.by_position[segment.min(POSITIONS - 1)].clone()
    }

    /// The present theme with the training split's probability of staying, the rest by share; at
    /// the prompt's end the shares at that place of the answer.
    pub(crate) fn persistence(&self, present: Option<u32>, ahead: usize) -> Vec<f32> {
        let Some(present) = present.map(|present| present as usize) else {
            return self.position(ahead - 1);
        };
        let stay = self.steps[ahead - 1].stay;
        let rest = (1.0 - self.marginal[present]).max(f32::MIN_POSITIVE);
        let forecast = |(theme, share): (usize, &f32)| {
            if theme == present { stay } else { (1.0 - stay) * share / rest }
        };
        self.marginal.iter().enumerate().map(forecast).collect()
    }

    /// A Markov chain of order 1 counted `ahead` segments ahead; at the prompt's end the shares
    /// at that place of the answer.
    pub(crate) fn markov(&self, present: Option<u32>, ahead: usize) -> Vec<f32> {
        let step = &self.steps[ahead - 1];
        match present {
            Some(present) => self.smoothed(step, present, step.prior),
            None => self.position(ahead - 1),
        }
    }

    /// The same of order 2: counts of the present theme and the one before, pulled towards
    /// order 1.
    pub(crate) fn markov2(&self, so_far: &[u32], ahead: usize) -> Vec<f32> {
        let step = &self.steps[ahead - 1];
        match so_far {
            [] => self.position(ahead - 1),
            [present] => self.smoothed2(step, (None, *present), step.prior2),
            [.., before, present] => self.smoothed2(step, (Some(*before), *present), step.prior2),
        }
    }

    /// `ln(P(next | theme) / P(next))`, *shape* `[themes, themes]`.
    pub(crate) fn ratios(&self) -> Vec<f32> {
        let after = |theme| self.markov(Some(theme as u32), 1);
        let of = |theme| {
            let each = after(theme).into_iter().zip(&self.marginal);
            each.map(|(p, share)| (p / share).ln()).collect::<Vec<_>>()
        };
        (0..self.themes).flat_map(of).collect()
    }

    fn smoothed(&self, step: &Step, present: u32, prior: f32) -> Vec<f32> {
        let counts = &step.transitions[present as usize];
        let total: f32 = counts.iter().sum::<f32>() + prior;
        counts.iter().zip(&self.marginal).map(|(n, share)| (n + prior * share) / total).collect()
    }

    fn smoothed2(
        &self,
        step: &Step,
        (before, present): (Option<u32>, u32),
        prior: f32,
    ) -> Vec<f32> {
        let first = self.smoothed(step, present, step.prior);
        match before.and_then(|before| step.pairs.get(&(before, present))) {
            None => first,
            Some(counts) => {
                let total: f32 = counts.iter().sum::<f32>() + prior;
                counts.iter().zip(&first).map(|(n, share)| (n + prior * share) / total).collect()
            }
        }
    }
}

/// Every (theme before, present, later) `ahead` segments apart.
fn steps(chains: &[Chain], ahead: usize) -> impl Iterator<Item = (Option<u32>, u32, u32)> {
    chains.iter().flat_map(move |chain| {
        chain.iter().enumerate().filter_map(move |(place, &present)| {
            let before = place.checked_sub(1).map(|before| chain[before]);
            target(chain, place as i32, ahead).map(|came| (before, present, came))
        })
    })
}

/// The loss of `forecast` on every step of `chains`, in nats.
fn loss(chains: &[Chain], ahead: usize, forecast: impl Fn(Option<u32>, u32) -> Vec<f32>) -> f64 {
    let one = |(before, present, came): (Option<u32>, u32, u32)| {
        -f64::from(forecast(before, present)[came as usize]).ln()
    };
    steps(chains, ahead).map(one).sum()
}

/// The candidate with the least loss.
fn best_of(candidates: &[f32], loss: impl Fn(f32) -> f64) -> f32 {
    let losses = candidates.iter().map(|&one| (one, loss(one)));
    losses.min_by(|a, b| a.1.total_cmp(&b.1)).map_or(1.0, |one| one.0)
}

/// Shares of `seen`, smoothed towards `towards` with `weight` pseudo-counts.
fn shares(seen: impl Iterator<Item = u32>, towards: &[f32], weight: f32) -> Vec<f32> {
    let mut counts: Vec<f32> = towards.iter().map(|share| share * weight).collect();
    for theme in seen {
        counts[theme as usize] += 1.0;
    }
    let total: f32 = counts.iter().sum();
    counts.into_iter().map(|count| count / total).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forecasts_sum_to_one_and_follow_what_was_counted() {
        let chain = |themes: &[u32]| -> Chain { themes.into() };
        let train = vec![chain(&[0, 0, 0, 1, 1, 2]); 30];
        let counted = Counted::new(&train, &train[..5], 4, 2);
        for present in [None, Some(0), Some(3)] {
            for ahead in [1, 2] {
                for forecast in
                    [counted.markov(present, ahead), counted.persistence(present, ahead)]
                {
                    assert!((forecast.iter().sum::<f32>() - 1.0).abs() < 1e-5);
                    assert!(forecast.iter().all(|&p| p > 0.0));
                }
            }
        }
        assert!((counted.markov(Some(0), 1)[0] - 2.0 / 3.0).abs() < 0.02);
        assert!((counted.persistence(Some(2), 1)[2] - 0.6).abs() < 0.01);
        assert!(counted.markov(None, 1)[0] > 0.9);
        let (ratios, share) = (counted.ratios(), counted.marginal());
        let after = ratios[..4].iter().zip(share);
        let after: Vec<f32> = after.map(|(ratio, share)| ratio.exp() * share).collect();
        let same = after.iter().zip(counted.markov(Some(0), 1)).all(|(a, b)| (a - b).abs() < 1e-5);
        assert!(same, "{after:?}");
        assert!(counted.position(5)[2] > 0.7 && counted.position(99).iter().sum::<f32>() > 0.99);
    }

    #[test]
    fn order_2_knows_what_order_1_cannot() {
        let chain = |themes: &[u32]| -> Chain { themes.into() };
        let train = [vec![chain(&[0, 1, 2]); 20], vec![chain(&[2, 1, 0]); 20]].concat();
        let counted = Counted::new(&train, &train, 3, 1);
        assert!(counted.markov(Some(1), 1)[2] < 0.6);
        assert!(counted.markov2(&[0, 1], 1)[2] > 0.9 && counted.markov2(&[2, 1], 1)[0] > 0.9);
        assert!((counted.markov2(&[1], 1).iter().sum::<f32>() - 1.0).abs() < 1e-5);
    }
}
