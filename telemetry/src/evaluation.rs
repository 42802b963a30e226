//! An alarm, as the conventions have it: the result of an evaluation of an answer.

use crate::names::{self, finite, index};
use opentelemetry::KeyValue;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// What a detector says of an answer.
#[derive(Debug, Clone, Copy)]
pub struct Evaluation<'a> {
    /// The detector's name; `themecast.divergence.` is put before it.
    pub detector: &'a str,
    /// The answer's id, as its client knows it.
    pub response_id: &'a str,
    /// The detector's statistic as a fraction of its alarm level.
    pub score: f64,
    /// What the score means, one of few words such as `alarm`.
    pub label: &'a str,
    /// The answer's token, from 0.
    pub token: usize,
    /// The segment of that token, from 0.
    pub segment: usize,
    /// Why, in words of the detector's own; never text of a message.
    pub explanation: &'a str,
}

/// Adds the event `gen_ai.evaluation.result` to the request's span, at this moment.
pub fn evaluation(request: &Span, evaluation: Evaluation<'_>) {
    if request.is_disabled() {
        return;
    }
    let name = format!("{}{}", names::DIVERGENCE, evaluation.detector);
    let mut attributes = vec![
        KeyValue::new(names::EVALUATION_NAME, name),
        KeyValue::new(names::SCORE_LABEL, evaluation.label.to_owned()),
        KeyValue::new(names::EXPLANATION, evaluation.explanation.to_owned()),
        KeyValue::new(names::RESPONSE_ID, evaluation.response_id.to_owned()),
        KeyValue::new(names::TOKEN, index(evaluation.token)),
        KeyValue::new(names::SEGMENT, index(evaluation.segment)),
    ];
    let score = finite(evaluation.score);
    attributes.extend(score.map(|score| KeyValue::new(names::SCORE_VALUE, score)));
    request.add_event(names::EVALUATION, attributes);
}
