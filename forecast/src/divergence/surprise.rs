//! How surprising what came was, and how far a forecast moved.

/// The smallest probability that surprise is taken of, so that it stays finite.
const FLOOR: f32 = 1e-6;

/// The entropy of the distribution `p`, *shape* `[themes]`, in nats.
pub fn entropy_nats(p: &[f32]) -> f32 {
    -p.iter().filter(|p| **p > 0.0).map(|p| p * p.ln()).sum::<f32>()
}

/// The surprise at `theme` under the forecast `p`, *shape* `[themes]`, in nats: at most that of a
/// probability of 1e-6.
pub fn surprise_nats(p: &[f32], theme: usize) -> f32 {
    -p.get(theme).copied().unwrap_or(0.0).max(FLOOR).ln()
}

/// The Jensen–Shannon divergence of two distributions, base 2: 0 to 1.
///
/// *Source*: Lin 1991, "Divergence measures based on the Shannon entropy".
pub fn jensen_shannon(p: &[f32], q: &[f32]) -> f32 {
    let mean: Vec<f32> = p.iter().zip(q).map(|(p, q)| (p + q) / 2.0).collect();
    let nats = entropy_nats(&mean) - (entropy_nats(p) + entropy_nats(q)) / 2.0;
    (nats / std::f32::consts::LN_2).clamp(0.0, 1.0)
}

/// How surprising one segment was, at one distance from which it had been forecast.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Surprise {
    /// How many segments before its own start the forecast was made; 0: at its start.
    pub ahead: usize,
    /// Surprise, in nats.
    pub surprise_nats: f32,
    /// Surprise minus the forecast's entropy, in nats: mean 0 where forecasts are calibrated.
    pub excess_nats: f32,
}

/// How surprising `theme` was to each of the forecasts made of its segment, *shape*
/// `[ahead][themes]`.
pub fn surprises(forecasts: &[Vec<f32>], theme: usize) -> Vec<Surprise> {
    let surprise = |(ahead, p): (usize, &Vec<f32>)| {
        let surprise_nats = surprise_nats(p, theme);
        Surprise { ahead, surprise_nats, excess_nats: surprise_nats - entropy_nats(p) }
    };
    forecasts.iter().enumerate().map(surprise).collect()
}

/// The forecasts that have been made for segments which have not ended yet.
#[derive(Debug, Clone, Default)]
pub struct Pending {
    /// For the running segment and those after it: the forecasts, the latest first.
    made: std::collections::VecDeque<Vec<Vec<f32>>>,
}

impl Pending {
    /// A segment begins; `steps` are the forecasts for it and those after it.
    pub fn begin(&mut self, steps: &[Vec<f32>]) {
        self.made.resize(steps.len(), Vec::new());
        for (forecasts, step) in self.made.iter_mut().zip(steps) {
            forecasts.insert(0, step.clone());
        }
    }

    /// The first forecast that was made for the running segment: several segments before its start
    /// where the answer is that old.
    pub fn first(&self) -> Option<&[f32]> {
        self.made.front()?.last().map(Vec::as_slice)
    }

    /// The running segment has ended: the forecasts that had been made of it, by how far ahead;
    /// *shape* `[ahead][themes]`.
    pub fn end(&mut self) -> Vec<Vec<f32>> {
        self.made.pop_front().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f32, b: f32) {
        assert!((a - b).abs() < 1e-5, "{a} is not {b}");
    }

    #[test]
    fn surprise_and_entropy_are_in_nats() {
        close(surprise_nats(&[0.25, 0.75], 0), 4f32.ln());
        close(surprise_nats(&[1.0, 0.0], 1), -FLOOR.ln());
        close(entropy_nats(&[0.5, 0.5, 0.0]), 2f32.ln());
    }

    #[test]
    fn jensen_shannon_runs_from_0_to_1() {
        close(jensen_shannon(&[0.3, 0.7], &[0.3, 0.7]), 0.0);
        close(jensen_shannon(&[1.0, 0.0], &[0.0, 1.0]), 1.0);
        // H(0.75, 0.25) − (H(0.5, 0.5) + H(1, 0)) / 2 = 0.811278 − 0.5 bits
        close(jensen_shannon(&[0.5, 0.5], &[1.0, 0.0]), 0.311278);
    }

    #[test]
    fn excess_is_surprise_minus_the_forecasts_own_entropy() {
        let mut pending = Pending::default();
        pending.begin(&[vec![0.25, 0.75]]);
        let surprises = super::surprises(&pending.end(), 0);
        close(surprises[0].surprise_nats, 1.386294);
        close(surprises[0].excess_nats, 1.386294 - 0.562335);
    }

    #[test]
    fn forecasts_are_kept_until_their_segment_ends() {
        let mut pending = Pending::default();
        pending.begin(&[vec![0.9, 0.1], vec![0.4, 0.6]]);
        assert_eq!(pending.end().len(), 1);
        pending.begin(&[vec![0.2, 0.8], vec![0.5, 0.5]]);
        assert_eq!(pending.first(), Some(&[0.4f32, 0.6][..]), "made a segment before its start");
        let surprises = super::surprises(&pending.end(), 1);
        assert_eq!(surprises.iter().map(|s| s.ahead).collect::<Vec<_>>(), [0, 1]);
        close(surprises[0].surprise_nats, -(0.8f32.ln()));
        close(surprises[1].surprise_nats, -(0.6f32.ln()));
    }
}
