//! The well-known control charts, for comparison: both are tuned on clean traffic and promise
//! nothing by themselves.

use serde::{Deserialize, Serialize};

/// What a chart is tuned to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ControlCard {
    /// How much excess surprise is let pass at each segment, in nats.
    pub slack_nats: f32,
    /// The sum from which the alarm is raised, in nats.
    pub threshold_nats: f32,
}

/// The one-sided cumulative sum of the excess. *Source* Page 1954.
#[derive(Debug, Clone, PartialEq)]
pub struct Cusum {
    card: ControlCard,
    sum: f32,
    alarm: bool,
}

impl Cusum {
    /// Before the first segment.
    pub fn new(card: ControlCard) -> Self {
        Self { card, sum: 0.0, alarm: false }
    }

    /// A segment has ended with this excess; whether that raises the alarm for the first time.
    pub fn add(&mut self, excess_nats: f32) -> bool {
        self.sum = (self.sum + excess_nats - self.card.slack_nats).max(0.0);
        let raised = !self.alarm && self.score() >= 1.0;
        self.alarm |= raised;
        raised
    }

    /// The sum as a fraction of its alarm level.
    pub fn score(&self) -> f32 {
        self.sum / self.card.threshold_nats
    }
}

/// The rise of the excess's sum over its least value so far, each excess taken relative to the
/// answer's own mean. *Source* Page 1954; Hinkley 1971.
#[derive(Debug, Clone, PartialEq)]
pub struct PageHinkley {
    card: ControlCard,
    count: f32,
    mean: f32,
    sum: f32,
    least: f32,
    alarm: bool,
}

impl PageHinkley {
    /// Before the first segment.
    pub fn new(card: ControlCard) -> Self {
        Self { card, count: 0.0, mean: 0.0, sum: 0.0, least: 0.0, alarm: false }
    }

    /// A segment has ended with this excess; whether that raises the alarm for the first time.
    pub fn add(&mut self, excess_nats: f32) -> bool {
        self.count += 1.0;
        self.mean += (excess_nats - self.mean) / self.count;
        self.sum += excess_nats - self.mean - self.card.slack_nats;
        self.least = self.least.min(self.sum);
        let raised = !self.alarm && self.score() >= 1.0;
        self.alarm |= raised;
        raised
    }

    /// The rise as a fraction of its alarm level.
    pub fn score(&self) -> f32 {
        (self.sum - self.least) / self.card.threshold_nats
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARD: ControlCard = ControlCard { slack_nats: 0.5, threshold_nats: 2.0 };

    #[test]
    fn a_cumulative_sum_forgets_what_lies_below_zero() {
        let mut cusum = Cusum::new(CARD);
        assert!(!cusum.add(-9.0) && cusum.score() == 0.0);
        assert!(!cusum.add(1.5) && cusum.score() == 0.5);
        assert!(cusum.add(1.6), "1 + 1.1 is above 2");
        assert!(!cusum.add(1.6), "only the first time");
    }

    #[test]
    fn page_and_hinkley_see_a_rise_and_no_steady_level() {
        let mut steady = PageHinkley::new(CARD);
        assert!((0..50).all(|_| !steady.add(3.0)), "a constant has no rise");
        let mut rising = PageHinkley::new(CARD);
        assert!((0..10).all(|_| !rising.add(0.0)));
        assert!((0..4).any(|_| rising.add(3.0)));
    }
}
