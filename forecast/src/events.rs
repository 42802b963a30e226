//! What a session tells whoever listens: typed events, no metric names.
//!
//! `ahead` counts from the segment that begins: 0 is the forecast of a segment made when it began.

use crate::divergence::Surprise;
use std::sync::Arc;
use themecast_plugin_api::RequestInfo;

/// A segment begins, and these are the forecasts for it and those after it.
#[derive(Debug, Clone, Copy)]
pub struct ForecastMade<'a> {
    /// One distribution a segment ahead, 0 being the one that begins; *shape* `[ahead][themes]`.
    pub steps: &'a [Vec<f32>],
}

/// A segment has ended.
#[derive(Debug, Clone, Copy)]
pub struct SegmentEnded<'a> {
    /// The token after its last.
    pub end: usize,
    /// Its text.
    pub text: &'a str,
    /// The theme that came, as the current-theme head has it.
    pub theme: usize,
    /// That of the segment before it, where there was one.
    pub before: Option<usize>,
    /// The forecasts that had been made of it, by how far ahead; *shape* `[ahead][themes]`.
    pub forecasts: &'a [Vec<f32>],
    /// How surprising the theme was to each of them.
    pub surprises: &'a [Surprise],
    /// How far the forecast of it moved while it was written: Jensen–Shannon, base 2.
    pub shift: f32,
    /// The drift statistic as a fraction of its alarm level.
    pub score: f32,
    /// Nothing more of it would have come; otherwise the answer was cut off within it, and its theme
    /// is a guess from a part.
    pub complete: bool,
}

/// A detector has raised its alarm for the first time in this answer, or a watch once more.
#[derive(Debug, Clone, Copy)]
pub struct Raised<'a> {
    /// What raised it.
    pub detector: Detector,
    /// What is watched for, where a watch raised it: the name that the operator gave.
    pub watch: Option<&'a str>,
    /// The detector's statistic as a fraction of its alarm level: 1 or more.
    pub score: f32,
    /// The token about to be written.
    pub token: usize,
    /// The segment of that token.
    pub segment: usize,
    /// The theme of the segment that has ended, where one did.
    pub came: Option<usize>,
    /// What had been forecast: of that segment, else of the next; *shape* `[themes]`.
    pub forecast: &'a [f32],
    /// How much the answer is in distribution, 0 to 1.
    pub in_distribution: f32,
}

/// What becomes of an answer that an alarm was raised about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reaction {
    /// It goes on.
    #[default]
    GoOn,
    /// It ends at the next token.
    Stop,
}

/// Receives the events of every session; must be quick.
pub trait Observer: Send + Sync {
    /// An answer begins; whoever is returned hears of it alone, in place of `self`.
    fn answer(&self, request: &RequestInfo) -> Option<Arc<dyn Observer>> {
        let _ = request;
        None
    }
    /// A segment begins.
    fn forecast(&self, event: &ForecastMade<'_>) {
        let _ = event;
    }
    /// A segment has ended.
    fn segment_ended(&self, event: &SegmentEnded<'_>) {
        let _ = event;
    }
    /// An alarm has been raised; what becomes of the answer.
    fn alarm(&self, event: &Raised<'_>) -> Reaction {
        let _ = event;
        Reaction::GoOn
    }
    /// The same, of an answer that is out of distribution: not to be relied on.
    fn held_back(&self, event: &Raised<'_>) {
        let _ = event;
    }
    /// A residual lies this far from the training distribution, in standard deviations a dimension,
    /// and whether that is beyond its 99th percentile: the one at the prompt's end, as the bundle's
    /// recogniser sees it, or the one at each segment's start where the bundle has none.
    fn residual(&self, distance: f32, out_of_distribution: bool) {
        let _ = (distance, out_of_distribution);
    }
    /// The answer has ended.
    fn ended(&self) {}
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
    /// A theme that is watched for has become likely.
    Watch,
    /// The prompt is unlike those of training.
    OutOfDistribution,
}

impl Detector {
    /// Those of divergence: the others have metrics of their own.
    pub const DIVERGENCE: [Self; 3] = [Self::Martingale, Self::Cusum, Self::PageHinkley];

    /// Its name, in metrics, summaries and configurations.
    pub fn name(self) -> &'static str {
        match self {
            Self::Martingale => "martingale",
            Self::Cusum => "cusum",
            Self::PageHinkley => "page_hinkley",
            Self::Watch => "watch",
            Self::OutOfDistribution => "out_of_distribution",
        }
    }
}

/// Counts nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {}
