//! The whole answer in short: its segments and how it kept to its path.

use crate::{annotation::rounded, bundle::Theme};
use themecast_plugin_api::Value;

/// A segment that has ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Ended {
    /// The token after its last.
    pub(crate) end: usize,
    /// The theme that came.
    pub(crate) theme: usize,
    /// Its probability by the current-theme head.
    pub(crate) p: f32,
    /// How surprising it was.
    pub(crate) surprise_nats: Option<f32>,
    /// The drift statistic then.
    pub(crate) score: f32,
}

/// The segments so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Summary {
    ended: Vec<Ended>,
}

impl Summary {
    pub(crate) fn ended(&mut self, segment: Ended) {
        self.ended.push(segment);
    }

    /// The last segment takes in what was written after it, up to token `end`: the one token that
    /// was sampled last and never read, mostly the end token.
    pub(crate) fn extend(&mut self, end: usize) {
        if let Some(last) = self.ended.last_mut() {
            last.end = end;
        }
    }

    /// How many tokens are in segments that have ended.
    pub(crate) fn tokens(&self) -> usize {
        self.ended.last().map_or(0, |last| last.end)
    }

    /// The summary of an answer of `tokens` tokens.
    pub(crate) fn value(&self, tokens: usize, themes: &[Theme], alarm: bool) -> Value {
        let starts = [0].into_iter().chain(self.ended.iter().map(|segment| segment.end));
        let segment = |(number, (segment, start)): (usize, (&Ended, usize))| {
            Value::map([
                ("segment", number.into()),
                ("start", start.into()),
                ("end", segment.end.into()),
                ("theme", themes[segment.theme].id.as_str().into()),
                ("p", rounded(segment.p)),
                ("surprise", segment.surprise_nats.map_or(Value::Null, rounded)),
            ])
        };
        let segments: Vec<Value> = self.ended.iter().zip(starts).enumerate().map(segment).collect();
        let surprises: Vec<f32> = self.ended.iter().filter_map(|s| s.surprise_nats).collect();
        let mean = surprises.iter().sum::<f32>() / surprises.len().max(1) as f32;
        let most = self.ended.iter().map(|segment| segment.score).fold(0.0, f32::max);
        Value::map([
            ("tokens", tokens.into()),
            ("segments", segments.into()),
            ("mean_surprise", rounded(mean)),
            ("max_score", rounded(most)),
            ("alarm", alarm.into()),
        ])
    }
}
