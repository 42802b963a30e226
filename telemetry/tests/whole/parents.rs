//! A client's span as the parent of a request.

use crate::traced::{hex, named, request, spans};
use themecast_telemetry::{RequestSpan, client_trace_id, request_span, trace_id};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN: &str = "b7ad6b7169203331";

/// A request of the client's trace.
pub(crate) fn within(traceparent: &str) -> RequestSpan<'_> {
    RequestSpan { traceparent: Some(traceparent), ..request() }
}

/// The client's `traceparent`, sampled or not.
pub(crate) fn traceparent(sampled: bool) -> String {
    format!("00-{TRACE}-{SPAN}-{:02}", u8::from(sampled))
}

#[test]
fn a_request_goes_on_with_its_clients_trace() {
    let mut told = None;
    let header = traceparent(true);
    let request = RequestSpan { tracestate: Some("vendor=value"), ..within(&header) };
    let spans = spans("", || told = trace_id(&request_span(request)));
    let span = named(&spans, "chat a-model");
    assert_eq!((hex(&span.trace_id), hex(&span.parent_span_id)), (TRACE.into(), SPAN.into()));
    assert_ne!(hex(&span.span_id), SPAN);
    assert_eq!(span.trace_state, "vendor=value");
    assert_eq!(told.as_deref(), Some(TRACE));
}

#[test]
fn a_later_version_with_more_fields_is_read() {
    let header = format!("01-{TRACE}-{SPAN}-01-more");
    let spans = spans("", || drop(request_span(within(&header))));
    assert_eq!(hex(&named(&spans, "chat a-model").trace_id), TRACE);
}

#[test]
fn a_clients_trace_is_known_without_an_exporter_too() {
    assert_eq!(client_trace_id(&traceparent(false)).as_deref(), Some(TRACE));
}

#[track_caller]
fn starts_a_trace(traceparent: &str) {
    assert_eq!(client_trace_id(traceparent), None);
    let spans = spans("", || drop(request_span(within(traceparent))));
    let span = named(&spans, "chat a-model");
    assert!(span.parent_span_id.is_empty(), "{traceparent:?} became a parent");
    assert_ne!(hex(&span.trace_id), TRACE, "{traceparent:?}");
    assert!(span.trace_id.iter().any(|&byte| byte != 0));
}

#[test]
fn a_malformed_parent_is_none() {
    starts_a_trace("");
    starts_a_trace("00");
    starts_a_trace("00-1-1-01");
    starts_a_trace("-----");
    starts_a_trace(&format!("0-{TRACE}-{SPAN}-01"));
    starts_a_trace(&format!("ff-{TRACE}-{SPAN}-01"));
    starts_a_trace(&format!("00-{TRACE}-{SPAN}"));
    starts_a_trace(&format!("00-{TRACE}-{SPAN}-01-more"));
    starts_a_trace(&format!("00-{TRACE}-{SPAN}-+1"));
    starts_a_trace(&format!("00-{}-{SPAN}-01", TRACE.to_uppercase()));
    starts_a_trace(&format!("00-{}-{SPAN}-01", "0".repeat(32)));
    starts_a_trace(&format!("00-{TRACE}-{}-01", "0".repeat(16)));
    starts_a_trace(&format!("00-{}-{SPAN}-01", "ä".repeat(16)));
}
