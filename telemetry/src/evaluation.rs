//! An alarm, as the conventions have it: the result of an evaluation of an answer.

use crate::{
    layer,
    names::{self, finite, index},
};
use opentelemetry::{
    KeyValue, Value,
    logs::{AnyValue, LogRecord, Logger, Severity},
    trace::TraceContextExt,
};
use std::time::SystemTime;
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

/// Sends the event `gen_ai.evaluation.result` about the request, at this moment: as a log record of
/// its own whether or not the trace is sampled, or else within the request's span.
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
    match layer::events(request) {
        Some(logger) => record(&logger, request, attributes),
        None => request.add_event(names::EVALUATION, attributes),
    }
}

fn record<L: Logger>(logger: &L, request: &Span, attributes: Vec<KeyValue>) {
    let context = request.context();
    let span = context.span().span_context().clone();
    let mut record = logger.create_log_record();
    record.set_event_name(names::EVALUATION);
    record.set_timestamp(SystemTime::now());
    record.set_severity_number(Severity::Warn);
    record.set_trace_context(span.trace_id(), span.span_id(), Some(span.trace_flags()));
    record.add_attributes(
        attributes.into_iter().map(|KeyValue { key, value, .. }| (key, any(value))),
    );
    logger.emit(record);
}

/// An attribute's value as log records have it; there are no lists among ours.
fn any(value: Value) -> AnyValue {
    match value {
        Value::Bool(flag) => AnyValue::Boolean(flag),
        Value::I64(number) => AnyValue::Int(number),
        Value::F64(number) => AnyValue::Double(number),
        text => AnyValue::String(text.to_string().into()),
    }
}
