//! All detectors along one answer.

use super::{
    Coherence, CoherenceCard, ControlCard, Cusum, Martingale, PageHinkley, entropy_nats, odds,
    surprise_nats,
};
use crate::{bundle::Bundle, events::Detector};
use serde::{Deserialize, Serialize};

/// The share of the wealth that is bet on themes; the rest goes to the residuals, which tell more
/// of an answer that turns to something else (EVALUATION.md).
const THEMES: f64 = 0.2;

/// What the detectors are tuned to, found on clean answers that nothing was fitted on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DetectorCard {
    /// The cumulative sum.
    pub cusum: ControlCard,
    /// Page and Hinkley's test.
    pub page_hinkley: ControlCard,
    /// How incoherent clean segments are.
    pub coherence: CoherenceCard,
}

/// A segment that has ended.
#[derive(Debug, Clone, Copy)]
pub struct Segment<'a> {
    /// The forecast made at its start, *shape* `[themes]`.
    pub forecast: &'a [f32],
    /// The theme that came.
    pub theme: usize,
    /// The mean of its residuals at the last site, *shape* `[hidden]`.
    pub residual_mean: &'a [f32],
}

/// The detectors of one answer.
#[derive(Debug, Clone)]
pub struct Monitor {
    themes: Martingale,
    alarm: bool,
    tuned: Option<Tuned>,
}

/// What needs a card.
#[derive(Debug, Clone)]
struct Tuned {
    cusum: Cusum,
    page_hinkley: PageHinkley,
    coherence: Coherence,
    residuals: Martingale,
}

impl Monitor {
    /// Before the first segment.
    pub fn new(bundle: &Bundle) -> Self {
        let tuned = bundle.card.calibration.detectors.as_ref().map(|card| Tuned {
            cusum: Cusum::new(card.cusum),
            page_hinkley: PageHinkley::new(card.page_hinkley),
            coherence: Coherence::default(),
            residuals: Martingale::default(),
        });
        Self { themes: Martingale::default(), alarm: false, tuned }
    }

    /// A segment has ended; which detectors raise their alarm by it, for the first time in this
    /// answer, and their statistics as fractions of their alarm levels.
    pub fn end(&mut self, bundle: &Bundle, segment: Segment<'_>) -> Vec<(Detector, f32)> {
        let reference = &bundle.card.reference;
        let Segment { forecast, theme, residual_mean } = segment;
        let mut alarms = Vec::new();
        let mut tell = |raised: bool, detector, score: f32| {
            if raised {
                alarms.push((detector, score.max(1.0)));
            }
        };
        self.themes.bet(odds(forecast, &reference.theme_share, theme));
        let cards = bundle.card.calibration.detectors.as_ref();
        if let Some((tuned, card)) = self.tuned.as_mut().zip(cards) {
            let excess = surprise_nats(forecast, theme) - entropy_nats(forecast);
            let raised = tuned.cusum.add(excess);
            tell(raised, Detector::Cusum, tuned.cusum.score());
            let raised = tuned.page_hinkley.add(excess);
            tell(raised, Detector::PageHinkley, tuned.page_hinkley.score());
            let scaled = reference.standardised(residual_mean);
            if let Some((before, distance)) = tuned.coherence.end(&scaled) {
                tuned.residuals.bet(card.coherence.payoff(before, distance));
            }
        }
        let score = self.score();
        if score >= 1.0 && !std::mem::replace(&mut self.alarm, true) {
            alarms.push((Detector::Martingale, score));
        }
        alarms
    }

    /// The test's statistic as a fraction of its alarm level: bets on themes and, where the bundle
    /// knows clean traffic's residuals, on those.
    pub fn score(&self) -> f32 {
        match &self.tuned {
            Some(tuned) => {
                let shares = [(THEMES, &self.themes), (1.0 - THEMES, &tuned.residuals)];
                Martingale::joint(&shares)
            }
            None => self.themes.score(),
        }
    }

    /// Every statistic as a fraction of its alarm level, by name: the test and its two halves, the
    /// control charts.
    pub fn scores(&self) -> Vec<(&'static str, f32)> {
        let mut scores = vec![("martingale", self.score()), ("themes alone", self.themes.score())];
        if let Some(tuned) = &self.tuned {
            scores.push(("residuals alone", tuned.residuals.score()));
            scores.push(("cusum", tuned.cusum.score()));
            scores.push(("page-hinkley", tuned.page_hinkley.score()));
        }
        scores
    }
}
