//! Which traces are exported.

use crate::{
    parents::{traceparent, within},
    traced::{request, spans, wait},
};
use std::cell::RefCell;
use themecast_telemetry::{Config, Exporter, RequestSpan, request_span, segment_span, trace_id};

/// How many spans arrive of so many requests with one segment each, all of which have an id.
fn arrive(ratio: f64, requests: usize, request: RequestSpan<'_>) -> usize {
    let ids = RefCell::new(Vec::new());
    let spans = spans(&format!("sample_ratio = {ratio:?}"), || {
        for _ in 0..requests {
            let span = request_span(request);
            drop(segment_span(&span, 0));
            ids.borrow_mut().push(trace_id(&span).expect("an id, sampled or not"));
        }
    });
    let valid = |id: &String| id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit());
    assert!(ids.borrow().iter().all(valid));
    spans.len()
}

#[test]
fn all_none_or_a_share_of_the_traces_without_a_client() {
    assert_eq!(arrive(1.0, 50, request()), 100);
    assert_eq!(arrive(0.0, 50, request()), 0);
    // 400 throws at a half: six standard deviations either way, and whole traces only.
    let half = arrive(0.5, 400, request());
    assert!((280..=520).contains(&half), "{half} of 800");
    assert_eq!(half % 2, 0);
}

#[test]
fn a_client_decides_about_its_trace() {
    assert_eq!(arrive(0.0, 10, within(&traceparent(true))), 20);
    assert_eq!(arrive(1.0, 10, within(&traceparent(false))), 0);
}

#[test]
fn nothing_is_exported_without_an_endpoint() {
    assert!(Exporter::start(&Config::default()).unwrap().is_none());
}

#[test]
fn nothing_is_exported_after_the_end() {
    let receiver = crate::receiver::Receiver::start(crate::receiver::Reply::Taken);
    let exporter = crate::traced::exporter_to(&receiver.endpoint, "");
    let subscriber = crate::traced::subscriber(&exporter);
    tracing::subscriber::with_default(subscriber, || {
        drop(request_span(request()));
        assert!(wait(exporter.shutdown()));
        assert_eq!(receiver.batches().len(), 1);
        let late = request_span(request());
        assert_eq!(trace_id(&late), None);
        drop(segment_span(&late, 0));
    });
    assert!(receiver.batches().is_empty());
}
