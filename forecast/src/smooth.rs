//! Forecasts that do not flicker: a moving average of their logarithms within a segment.
//!
//! A mean in log space keeps distributions sharp where all agree and lets none of them be
//! outvoted into certainty. At a segment's beginning nothing is carried over: the boundary is where
//! a forecast learns most, and what it speaks of moves on by one.

/// The moving average of one answer's forecasts.
#[derive(Debug, Clone)]
pub struct Smoother {
    /// Of the segment being written, and of those ahead.
    weights: [f32; 2],
    /// *Shape* `[steps, themes]`: the average of the logarithms so far.
    logs: Vec<Vec<f32>>,
}

/// The least probability that is told apart from none.
const LEAST: f32 = 1e-6;

impl Smoother {
    /// An average in which the newest forecast counts `now` of the segment being written and
    /// `ahead` of those after it, 0 to 1; 1 changes nothing. Were segments endless, its mean lag would be
    /// `(1 − weight) / weight` tokens.
    pub fn new(now: f32, ahead: f32) -> Self {
        let weights = [now, ahead].map(|weight| weight.clamp(f32::MIN_POSITIVE, 1.0));
        Self { weights, logs: Vec::new() }
    }

    /// Takes the newest forecasts, *shape* `[steps, themes]`, and leaves the averages in their
    /// place; `begins`: they are the first ones of a segment.
    pub fn apply(&mut self, begins: bool, steps: &mut [Vec<f32>]) {
        if begins || self.logs.len() != steps.len() {
            self.logs = steps.iter().map(|p| logarithms(p)).collect();
            return;
        }
        for (step, (logs, p)) in self.logs.iter_mut().zip(steps).enumerate() {
            let weight = self.weights[step.min(1)];
            for (log, new) in logs.iter_mut().zip(logarithms(p)) {
                *log += weight * (new - *log);
            }
            p.copy_from_slice(logs);
            crate::linear::softmax(p);
        }
    }
}

fn logarithms(p: &[f32]) -> Vec<f32> {
    p.iter().map(|p| p.max(LEAST).ln()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_comes_through_with_the_lag_it_says() {
        let (low, high) = (vec![0.9, 0.1], vec![0.1, 0.9]);
        let mut smoother = Smoother::new(0.25, 1.0);
        let mut log_odds = Vec::new();
        for token in 0..60 {
            let mut steps = [if token < 4 { low.clone() } else { high.clone() }];
            smoother.apply(token == 0, &mut steps);
            assert!((steps[0].iter().sum::<f32>() - 1.0).abs() < 1e-5);
            log_odds.push((steps[0][1] / steps[0][0]).ln());
        }
        let (before, after) = (log_odds[3], log_odds[59]);
        let missing: f32 = log_odds[4..].iter().map(|odds| (after - odds) / (after - before)).sum();
        assert!((missing - 3.0).abs() < 0.05, "a lag of {missing} tokens");
    }

    #[test]
    fn the_segment_being_written_has_its_own_weight() {
        let mut smoother = Smoother::new(1.0, 0.5);
        smoother.apply(true, &mut [vec![0.9, 0.1], vec![0.9, 0.1]]);
        let mut next = [vec![0.1, 0.9], vec![0.1, 0.9]];
        smoother.apply(false, &mut next);
        assert!((next[0][1] - 0.9).abs() < 1e-5 && (next[1][1] - 0.5).abs() < 1e-5, "{next:?}");
    }

    #[test]
    fn segments_begin_afresh_and_a_weight_of_one_changes_nothing() {
        let mut smoother = Smoother::new(0.1, 0.1);
        smoother.apply(true, &mut [vec![0.5, 0.5]]);
        let mut fresh = [vec![0.2, 0.8]];
        smoother.apply(true, &mut fresh);
        assert_eq!(fresh[0], [0.2, 0.8]);
        let mut plain = Smoother::new(1.0, 1.0);
        plain.apply(true, &mut [vec![0.5, 0.5]]);
        let mut next = [vec![0.3, 0.7]];
        plain.apply(false, &mut next);
        assert!((next[0][0] - 0.3).abs() < 1e-6);
    }
}
