//! The span of a request, from its headers to its last token.

use crate::{
    layer,
    names::{self, TARGET, count, finite},
    parent,
};
use opentelemetry::{
    Array, StringValue, Value,
    trace::{Status, TraceContextExt, TraceId},
};
use tracing::{Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// What is asked of the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// An answer in a conversation.
    Chat,
    /// A text gone on with.
    TextCompletion,
}

impl Operation {
    /// Its name in the conventions.
    pub fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::TextCompletion => "text_completion",
        }
    }
}

/// A request, as far as it is told.
#[derive(Debug, Clone, Copy)]
pub struct RequestSpan<'a> {
    /// What is asked for.
    pub operation: Operation,
    /// The model's name as the request has it.
    pub model: &'a str,
    /// The answer's id, as its client will know it.
    pub response_id: &'a str,
    /// The header `traceparent`, if there is one; one that is malformed counts as none.
    pub traceparent: Option<&'a str>,
    /// The header `tracestate`, if there is one.
    pub tracestate: Option<&'a str>,
    /// How long the answer may become, in tokens.
    pub max_tokens: Option<u64>,
    /// The temperature of sampling.
    pub temperature: Option<f64>,
    /// Whether the answer is streamed.
    pub stream: bool,
}

impl<'a> RequestSpan<'a> {
    /// A request of which nothing else is known.
    pub fn new(operation: Operation, model: &'a str, response_id: &'a str) -> Self {
        Self {
            operation,
            model,
            response_id,
            traceparent: None,
            tracestate: None,
            max_tokens: None,
            temperature: None,
            stream: false,
        }
    }
}

/// How a request ended.
#[derive(Debug, Clone, Copy)]
pub struct Finish<'a> {
    /// The length of the prompt, if it is known.
    pub input_tokens: Option<u64>,
    /// The length of the answer, if it is known.
    pub output_tokens: Option<u64>,
    /// Why the answer ended; the conventions want `error` where it should have gone on.
    pub finish_reason: &'a str,
    /// The HTTP status.
    pub status: u16,
}

/// Begins the span of a request; a disabled one where nothing is exported.
///
/// It ends with [`finish`], or else when it and all spans below it are dropped.
pub fn request_span(request: RequestSpan<'_>) -> Span {
    if !layer::installed() {
        return Span::none();
    }
    let name = format!("{} {}", request.operation.name(), request.model);
    let span = info_span!(
        target: TARGET,
        parent: None,
        "request",
        otel.name = name.as_str(),
        otel.kind = "server"
    );
    if let Some(parent) = parent::remote(request.traceparent, request.tracestate) {
        // Refused only of spans that are disabled or have begun, which this one hasn't.
        let _ = span.set_parent(parent);
    }
    describe(&span, request);
    span
}

fn describe(span: &Span, request: RequestSpan<'_>) {
    span.set_attribute(names::OPERATION, request.operation.name());
    span.set_attribute(names::PROVIDER, names::MISTRAL_RS);
    span.set_attribute(names::REQUEST_MODEL, request.model.to_owned());
    span.set_attribute(names::RESPONSE_ID, request.response_id.to_owned());
    if let Some(tokens) = request.max_tokens {
        span.set_attribute(names::REQUEST_MAX_TOKENS, count(tokens));
    }
    if let Some(temperature) = request.temperature.and_then(finite) {
        span.set_attribute(names::REQUEST_TEMPERATURE, temperature);
    }
    if request.stream {
        span.set_attribute(names::REQUEST_STREAM, true);
    }
}

/// Says how a request ended, and ends its span at this moment. Events are taken until the span is
/// dropped.
pub fn finish(span: &Span, finish: Finish<'_>) {
    if span.is_disabled() {
        return;
    }
    if let Some(tokens) = finish.input_tokens {
        span.set_attribute(names::INPUT_TOKENS, count(tokens));
    }
    if let Some(tokens) = finish.output_tokens {
        span.set_attribute(names::OUTPUT_TOKENS, count(tokens));
    }
    let reasons = vec![StringValue::from(finish.finish_reason.to_owned())];
    span.set_attribute(names::FINISH_REASONS, Value::Array(Array::String(reasons)));
    span.set_attribute(names::STATUS_CODE, i64::from(finish.status));
    if finish.status >= 500 {
        span.set_attribute(names::ERROR_TYPE, finish.status.to_string());
        span.set_status(Status::error(""));
    }
    // The layer takes the last exit for the end.
    span.in_scope(|| ());
}

/// The id of the span's trace as 32 hex digits, sampled or not; none where nothing is exported.
pub fn trace_id(span: &Span) -> Option<String> {
    let context = span.context();
    let trace = context.span().span_context().trace_id();
    (trace != TraceId::INVALID).then(|| trace.to_string())
}
