//! What is drawn of an annotation, read from its JSON; keys that are not drawn are left out.

use serde::Deserialize;

/// One token's annotation.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Note {
    pub(crate) now: Vec<Likely>,
    pub(crate) next: Vec<Ahead>,
    pub(crate) watch: Vec<Likely>,
    pub(crate) divergence: Divergence,
    pub(crate) trust: Trust,
    /// Of the whole answer, beside its last token.
    pub(crate) summary: Option<Summary>,
    /// Where a policy ended the answer.
    pub(crate) stopped: Option<Stopped>,
    /// Why there is no forecast.
    pub(crate) error: Option<String>,
}

/// A theme or a phrase, and how probable it is.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Likely {
    pub(crate) theme: String,
    pub(crate) p: f64,
}

/// The themes of one of the coming segments, the most probable first.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Ahead {
    pub(crate) top: Vec<Likely>,
}

/// How far the answer has left its path.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Divergence {
    /// The drift statistic as a fraction of its alarm level.
    pub(crate) score: f64,
    /// The detectors that have raised an alarm.
    pub(crate) alarms: Vec<String>,
}

/// Whether the forecast is to be believed.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Trust {
    pub(crate) out_of_distribution: bool,
}

/// The segments of a whole answer.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Summary {
    pub(crate) tokens: usize,
    pub(crate) segments: Vec<Segment>,
    /// In nats.
    pub(crate) mean_surprise: f64,
    /// The most that the drift statistic reached, as a fraction of its alarm level.
    pub(crate) max_score: f64,
    pub(crate) alarms: Vec<String>,
}

/// A segment and the theme that came.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Segment {
    pub(crate) theme: String,
}

/// Which detector ended the answer.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Stopped {
    pub(crate) by: String,
}
