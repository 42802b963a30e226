//! The whole answer in short: its segments and how it kept to its path.

use crate::{
    annotation::{Divergence, rounded},
    bundle::Theme,
    divergence::Surprise,
};
use themecast_plugin_api::Value;

/// A segment that has ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ended {
    /// The token after its last.
    pub(crate) end: usize,
    /// The theme that came.
    pub(crate) theme: usize,
    /// Its probability by the current-theme head.
    pub(crate) p: f32,
    /// How surprising it was to each forecast that had been made of it.
    pub(crate) surprises: Vec<Surprise>,
    /// How far the first forecast of it moved: Jensen–Shannon, base 2.
    pub(crate) shift: f32,
    /// The drift statistic then.
    pub(crate) score: f32,
}

impl Ended {
    /// Surprise at the forecast made at its start, in nats.
    fn surprise_nats(&self) -> Option<f32> {
        self.surprises.first().map(|first| first.surprise_nats)
    }

    /// Surprise and excess at each forecast of it, by how many segments before its start.
    fn by_ahead(&self) -> Value {
        let one = |surprise: &Surprise| {
            Value::map([
                ("ahead", surprise.ahead.into()),
                ("surprise", rounded(surprise.surprise_nats)),
                ("excess", rounded(surprise.excess_nats)),
            ])
        };
        self.surprises.iter().map(one).collect::<Vec<_>>().into()
    }
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
    pub(crate) fn value(&self, tokens: usize, themes: &[Theme], divergence: &Divergence) -> Value {
        let starts = [0].into_iter().chain(self.ended.iter().map(|segment| segment.end));
        let segment = |(number, (segment, start)): (usize, (&Ended, usize))| {
            Value::map([
                ("segment", number.into()),
                ("start", start.into()),
                ("end", segment.end.into()),
                ("theme", themes[segment.theme].id.as_str().into()),
                ("p", rounded(segment.p)),
                ("surprise", segment.surprise_nats().map_or(Value::Null, rounded)),
                ("by_ahead", segment.by_ahead()),
                ("shift", rounded(segment.shift)),
                ("score", rounded(segment.score)),
            ])
        };
        let segments: Vec<Value> = self.ended.iter().zip(starts).enumerate().map(segment).collect();
        let surprises: Vec<f32> = self.ended.iter().filter_map(Ended::surprise_nats).collect();
        let mean = surprises.iter().sum::<f32>() / surprises.len().max(1) as f32;
        let most = self.ended.iter().map(|segment| segment.score).fold(0.0, f32::max);
        let fields = [
            ("tokens", tokens.into()),
            ("segments", segments.into()),
            ("mean_surprise", rounded(mean)),
            ("max_score", rounded(most)),
            ("alarm", divergence.alarm.into()),
        ];
        Value::map(fields.into_iter().chain(divergence.raised()))
    }
}
