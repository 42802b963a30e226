//! The spans below a request: its prefill, its segments and their forecasts.
//!
//! Each may begin and end on any thread; it ends when it is dropped, and is disabled where the
//! request's span is.

use crate::names::{self, TARGET, finite, index};
use tracing::{Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// Begins the span of the prefill, which ends with the first token.
pub fn prefill_span(request: &Span) -> Span {
    if request.is_disabled() {
        return Span::none();
    }
    info_span!(target: TARGET, parent: request, "prefill")
}

/// Begins the span of the answer's segment with this number, from 0.
pub fn segment_span(request: &Span, segment: usize) -> Span {
    if request.is_disabled() {
        return Span::none();
    }
    let span = info_span!(target: TARGET, parent: request, "segment");
    span.set_attribute(names::SEGMENT, index(segment));
    span
}

/// Ends the span of a segment with its theme's id and how surprising that was, if known.
pub fn end_segment(segment: Span, theme: Option<&str>, surprise_nats: Option<f64>) {
    if segment.is_disabled() {
        return;
    }
    if let Some(theme) = theme {
        segment.set_attribute(names::THEME, theme.to_owned());
    }
    if let Some(surprise) = surprise_nats.and_then(finite) {
        segment.set_attribute(names::SURPRISE_NATS, surprise);
    }
}

/// Begins the span of a forecast, made at a boundary before the answer's token `token` and its
/// segment `segment`, both from 0.
pub fn forecast_span(request: &Span, token: usize, segment: usize) -> Span {
    if request.is_disabled() {
        return Span::none();
    }
    let span = info_span!(target: TARGET, parent: request, "forecast");
    span.set_attribute(names::TOKEN, index(token));
    span.set_attribute(names::SEGMENT, index(segment));
    span
}
