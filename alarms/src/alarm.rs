//! The event itself, and what is sent and logged of it.

use crate::policy::Action;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// How many themes of the forecast an alarm carries.
const LIKELIEST: usize = 3;
/// How long an excerpt may be, in characters.
const EXCERPT: usize = 500;

/// What raises alarms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Detector {
    /// The betting test of the excess surprise.
    Martingale,
    /// Cumulated sums of the excess surprise.
    Cusum,
    /// Page and Hinkley's test of a mean that rises.
    PageHinkley,
    /// A theme that is watched has become likely.
    Watch,
    /// Residuals beyond the training distribution.
    OutOfDistribution,
}

/// A theme and how likely it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Likely {
    /// The theme's id in the catalogue.
    pub theme: String,
    /// Its probability.
    pub p: f32,
}

/// A detector has raised its alarm about an answer.
///
/// Numbers that are not finite become `null` in JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// When, as RFC 3339 in UTC.
    pub time: DateTime<Utc>,
    /// The answer's id: its trace's, and its client's if that asked for annotations.
    pub completion_id: String,
    /// The trace that the request belongs to: its client's, else the server's own where it exports
    /// traces.
    pub trace_id: Option<String>,
    /// The model's name.
    pub model: String,
    /// What raised the alarm.
    pub detector: Detector,
    /// The watch's name, for [`Detector::Watch`]; never a phrase of a client's, which is text and
    /// belongs into the excerpt.
    pub label: Option<String>,
    /// The detector's statistic as a fraction of its alarm level: 1 or more.
    pub score: f32,
    /// The answer's token at which it was raised, from 0.
    pub token: usize,
    /// The segment of that token, from 0.
    pub segment: usize,
    /// The id of the theme that came, where one did.
    pub came: Option<String>,
    /// The three likeliest themes of the forecast, the likeliest first; further ones are cut off.
    pub forecast: Vec<Likely>,
    /// How much the residual is in distribution, 0 to 1; an annotation's `trust`.
    pub in_distribution: Option<f32>,
    /// The end of the segment that ended last, at most 500 characters; taken away unless the configuration says
    /// `include_text`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<String>,
}

impl Alarm {
    /// An alarm at this moment of which nothing else is known yet; its score is 1.
    pub fn new(
        completion_id: impl Into<String>,
        model: impl Into<String>,
        detector: Detector,
    ) -> Self {
        Self {
            time: Utc::now(),
            completion_id: completion_id.into(),
            trace_id: None,
            model: model.into(),
            detector,
            label: None,
            score: 1.0,
            token: 0,
            segment: 0,
            came: None,
            forecast: Vec::new(),
            in_distribution: None,
            excerpt: None,
        }
    }

    /// The same within what may leave the process.
    pub fn bounded(mut self, include_text: bool) -> Self {
        self.forecast.truncate(LIKELIEST);
        self.excerpt = self.excerpt.take().filter(|_| include_text);
        if let Some(excerpt) = &mut self.excerpt {
            let begin = excerpt.char_indices().nth_back(EXCERPT - 1).map(|(begin, _)| begin);
            excerpt.drain(..begin.unwrap_or(0));
        }
        self
    }
}

/// An alarm as it is sent and logged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// The alarm's own id (a UUID): the webhook's idempotency key, and the same in the log.
    pub id: String,
    /// What was done about it.
    pub action: Action,
    /// The alarm, its fields beside these.
    #[serde(flatten)]
    pub alarm: Alarm,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_the_end_of_what_was_written() {
        let text = format!("the beginning{}", "é".repeat(EXCERPT));
        for (text, kept) in [(text, "é".repeat(EXCERPT)), ("short".into(), "short".into())] {
            let alarm = Alarm { excerpt: Some(text), ..Alarm::new("id", "m", Detector::Cusum) };
            assert_eq!(alarm.clone().bounded(true).excerpt, Some(kept));
            assert_eq!(alarm.bounded(false).excerpt, None);
        }
    }
}
