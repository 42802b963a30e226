//! What a session tells whoever counts: typed events, no metric names.
//!
//! `ahead` counts from the segment that begins: 0 is the forecast of a segment made when it began.

use crate::divergence::Surprise;

/// A segment begins, and these are the forecasts for it and those after it.
#[derive(Debug, Clone, Copy)]
pub struct ForecastMade<'a> {
    /// One distribution a segment ahead, 0 being the one that begins; *shape* `[ahead][themes]`.
    pub steps: &'a [Vec<f32>],
}

/// A segment has ended.
#[derive(Debug, Clone, Copy)]
pub struct SegmentEnded<'a> {
    /// The theme that came.
    pub theme: usize,
    /// How surprising that was, by how far ahead it had been forecast.
    pub surprises: &'a [Surprise],
    /// How far the forecast of it moved while it was written: Jensen–Shannon, base 2.
    pub shift: f32,
    /// The drift statistic as a fraction of its alarm level.
    pub score: f32,
}

/// Receives the events of every session; must be quick.
pub trait Observer: Send + Sync {
    /// A segment begins.
    fn forecast(&self, event: &ForecastMade<'_>) {
        let _ = event;
    }
    /// A segment has ended.
    fn segment_ended(&self, event: &SegmentEnded<'_>) {
        let _ = event;
    }
    /// A detector has raised its alarm for the first time in this answer.
    fn alarm(&self, detector: Detector) {
        let _ = detector;
    }
    /// The same, of an answer that is out of distribution: not to be relied on.
    fn held_back(&self, detector: Detector) {
        let _ = detector;
    }
    /// The residual at a segment's start lies this far from the training distribution, in
    /// standard deviations a dimension, and whether that is beyond its 99th percentile.
    fn residual(&self, distance: f32, out_of_distribution: bool) {
        let _ = (distance, out_of_distribution);
    }
}

/// What raises alarms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detector {
    /// The test martingale over themes and residuals.
    Martingale,
    /// The cumulative sum of the excess surprise.
    Cusum,
    /// Page and Hinkley's test of the excess surprise.
    PageHinkley,
}

impl Detector {
    /// Every detector.
    pub const ALL: [Self; 3] = [Self::Martingale, Self::Cusum, Self::PageHinkley];
}

/// Counts nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {}
