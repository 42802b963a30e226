//! Baselines that know the themes so far and nothing else.

use crate::replay::{Chain, target};

/// Strengths of the prior that the Markov chain is smoothed with, in pseudo-counts.
const PRIORS: [f32; 6] = [0.3, 1.0, 3.0, 10.0, 30.0, 100.0];

/// Shares, transitions and persistence, counted on the training split.
pub(super) struct Counted {
    themes: usize,
    marginal: Vec<f32>,
    /// By segment number, then pooled.
    by_position: Vec<Vec<f32>>,
    steps: Vec<Step>,
}

/// What was counted for one number of segments ahead.
struct Step {
    /// *Shape* `[present, themes]`.
    transitions: Vec<Vec<f32>>,
    stay: f32,
    prior: f32,
}

impl Counted {
    /// Counts on `train`; the strength of the smoothing is chosen on `validation`.
    pub(super) fn new(
        train: &[Chain],
        validation: &[Chain],
        themes: usize,
        horizons: usize,
    ) -> Self {
        let every = train.iter().flat_map(|chain| chain.iter().copied());
        let uniform = vec![1.0 / themes as f32; themes];
        let marginal = shares(every, &uniform, themes as f32 / 2.0);
        let at = |place: usize| train.iter().filter_map(move |chain| chain.get(place).copied());
        let by_position = (0..horizons).map(|place| shares(at(place), &marginal, 3.0)).collect();
        let mut counted = Self { themes, marginal, by_position, steps: Vec::new() };
        for ahead in 1..=horizons {
            let step = counted.count(train, validation, ahead);
            counted.steps.push(step);
        }
        counted
    }

    fn count(&self, train: &[Chain], validation: &[Chain], ahead: usize) -> Step {
        let mut transitions = vec![vec![0.0; self.themes]; self.themes];
        for (present, came) in pairs(train, ahead) {
            transitions[present as usize][came as usize] += 1.0;
        }
        let all = pairs(train, ahead).count() as f32;
        let same = pairs(train, ahead).filter(|(present, came)| present == came).count() as f32;
        let mut step = Step { transitions, stay: (same + 1.0) / (all + 2.0), prior: 1.0 };
        let mut best = f64::INFINITY;
        for prior in PRIORS {
            let loss: f64 = pairs(validation, ahead)
                .map(|(present, came)| {
                    -f64::from(self.smoothed(&step, present, prior)[came as usize]).ln()
                })
                .sum();
            if loss < best {
                best = loss;
                step.prior = prior;
            }
        }
        step
    }

    /// Shares of the training segments.
    pub(super) fn marginal(&self) -> Vec<f32> {
        self.marginal.clone()
    }

    /// The present theme with the training split's probability of staying, the rest by share; at
    /// the prompt's end the shares at that place of the answer.
    pub(super) fn persistence(&self, present: Option<u32>, ahead: usize) -> Vec<f32> {
        let Some(present) = present.map(|present| present as usize) else {
            return self.by_position[ahead - 1].clone();
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
    pub(super) fn markov(&self, present: Option<u32>, ahead: usize) -> Vec<f32> {
        let step = &self.steps[ahead - 1];
        match present {
            Some(present) => self.smoothed(step, present, step.prior),
            None => self.by_position[ahead - 1].clone(),
        }
    }

    fn smoothed(&self, step: &Step, present: u32, prior: f32) -> Vec<f32> {
        let counts = &step.transitions[present as usize];
        let total: f32 = counts.iter().sum::<f32>() + prior;
        counts.iter().zip(&self.marginal).map(|(n, share)| (n + prior * share) / total).collect()
    }
}

/// Every (present, later) pair of themes `ahead` segments apart.
fn pairs(chains: &[Chain], ahead: usize) -> impl Iterator<Item = (u32, u32)> {
    chains.iter().flat_map(move |chain| {
        chain.iter().enumerate().filter_map(move |(place, &present)| {
            target(chain, place as i32, ahead).map(|came| (present, came))
        })
    })
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
    }
}
