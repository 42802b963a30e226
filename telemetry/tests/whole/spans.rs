//! Names, kinds, attributes, times and parents of what arrives.

use crate::traced::{attributes, batches, finished, hex, named, request, spans};
use opentelemetry_proto::tonic::trace::v1::{span::SpanKind, status::StatusCode};
use std::{thread, time::Duration};
use themecast_telemetry::{
    Finish, Operation, RequestSpan, end_segment, finish, forecast_span, prefill_span, request_span,
    segment_span, trace_id,
};

#[test]
fn a_request_says_all_that_the_conventions_ask_for() {
    let whole =
        RequestSpan { max_tokens: Some(128), temperature: Some(0.7), stream: true, ..request() };
    let spans = spans("", || finish(&request_span(whole), finished(200)));
    let span = named(&spans, "chat a-model");
    assert_eq!(span.kind(), SpanKind::Server);
    assert!(span.parent_span_id.is_empty());
    assert!(span.status.as_ref().is_none_or(|status| status.code() == StatusCode::Unset));
    let expected = [
        r#"gen_ai.operation.name = "chat""#,
        r#"gen_ai.provider.name = "mistral_rs""#,
        "gen_ai.request.max_tokens = 128",
        r#"gen_ai.request.model = "a-model""#,
        "gen_ai.request.stream = true",
        "gen_ai.request.temperature = 0.7",
        r#"gen_ai.response.finish_reasons = ["stop"]"#,
        r#"gen_ai.response.id = "chatcmpl-1""#,
        "gen_ai.usage.input_tokens = 7",
        "gen_ai.usage.output_tokens = 9",
        "http.response.status_code = 200",
    ];
    assert_eq!(attributes(&span.attributes), expected);
}

#[test]
fn what_is_not_known_is_left_out() {
    let bare = RequestSpan {
        operation: Operation::TextCompletion,
        temperature: Some(f64::NAN),
        ..request()
    };
    let unknown =
        Finish { input_tokens: None, output_tokens: None, finish_reason: "error", status: 404 };
    let spans = spans("", || finish(&request_span(bare), unknown));
    let span = named(&spans, "text_completion a-model");
    assert!(span.status.as_ref().is_none_or(|status| status.code() == StatusCode::Unset));
    let expected = [
        r#"gen_ai.operation.name = "text_completion""#,
        r#"gen_ai.provider.name = "mistral_rs""#,
        r#"gen_ai.request.model = "a-model""#,
        r#"gen_ai.response.finish_reasons = ["error"]"#,
        r#"gen_ai.response.id = "chatcmpl-1""#,
        "http.response.status_code = 404",
    ];
    assert_eq!(attributes(&span.attributes), expected);
}

#[test]
fn a_failure_of_the_server_is_an_error() {
    let spans = spans("", || finish(&request_span(request()), finished(503)));
    let span = named(&spans, "chat a-model");
    assert_eq!(span.status.as_ref().unwrap().code(), StatusCode::Error);
    assert!(attributes(&span.attributes).contains(&r#"error.type = "503""#.to_owned()));
}

#[test]
fn a_request_without_a_finish_is_exported_as_well() {
    let spans = spans("", || drop(request_span(request())));
    let span = named(&spans, "chat a-model");
    assert!(!attributes(&span.attributes).iter().any(|line| line.starts_with("http.")));
}

#[test]
fn spans_of_another_thread_are_the_requests_children() {
    let spans = spans("", || {
        let request = request_span(request());
        drop(prefill_span(&request));
        let dispatch = tracing::dispatcher::get_default(Clone::clone);
        let theirs = request.clone();
        let session = move || {
            let segment = segment_span(&theirs, 3);
            drop(forecast_span(&theirs, 41, 4));
            end_segment(segment, Some("theme-7"), Some(2.5));
            end_segment(segment_span(&theirs, 4), None, Some(f64::INFINITY));
        };
        let joined =
            thread::spawn(move || tracing::dispatcher::with_default(&dispatch, session)).join();
        joined.unwrap();
        finish(&request, finished(200));
    });
    let request = named(&spans, "chat a-model");
    let (below, _): (Vec<_>, Vec<_>) = spans.iter().partition(|span| span.name != request.name);
    assert_eq!(below.len(), 4);
    for span in &below {
        assert_eq!(span.trace_id, request.trace_id, "{}", span.name);
        assert_eq!(span.parent_span_id, request.span_id, "{}", span.name);
        assert_eq!(span.kind(), SpanKind::Internal, "{}", span.name);
        assert!(span.start_time_unix_nano >= request.start_time_unix_nano, "{}", span.name);
        assert!(span.end_time_unix_nano <= request.end_time_unix_nano, "{}", span.name);
    }
    let of = |name: &str| {
        let named = below.iter().filter(|span| span.name == name);
        named.map(|span| attributes(&span.attributes)).collect::<Vec<_>>()
    };
    assert_eq!(of("prefill"), [[""; 0]]);
    assert_eq!(of("forecast"), [["themecast.segment = 4", "themecast.token = 41"]]);
    let told = vec![
        "themecast.segment = 3",
        "themecast.surprise_nats = 2.5",
        r#"themecast.theme = "theme-7""#,
    ];
    assert_eq!(of("segment"), [told, vec!["themecast.segment = 4"]]);
}

#[test]
fn a_request_ends_where_it_is_finished() {
    let late = Duration::from_millis(300);
    let spans = spans("", || {
        let entered = request_span(request());
        entered.in_scope(|| ());
        thread::sleep(late);
        finish(&entered, finished(200));
        thread::sleep(late * 2);
    });
    let span = named(&spans, "chat a-model");
    let took = Duration::from_nanos(span.end_time_unix_nano - span.start_time_unix_nano);
    assert!((late..late * 2).contains(&took), "{took:?}");
}

#[test]
fn the_trace_id_is_that_of_what_is_exported() {
    let mut told = None;
    let spans = spans("", || told = trace_id(&request_span(request())));
    assert_eq!(told, Some(hex(&named(&spans, "chat a-model").trace_id)));
}

#[test]
fn a_batch_says_whose_it_is() {
    let more = "service_name = 'a-service'\nheaders = { x-key = 'a secret' }";
    let batches = batches(more, || drop(request_span(request())));
    assert_eq!(batches.len(), 1);
    assert_eq!(batches[0].headers["x-key"], "a secret");
    assert_eq!(batches[0].headers["content-type"], "application/x-protobuf");
    let [whose] = &batches[0].spans[..] else { panic!("one resource") };
    let resource = attributes(&whose.resource.as_ref().unwrap().attributes);
    assert!(resource.contains(&r#"service.name = "a-service""#.to_owned()), "{resource:?}");
    let scope = whose.scope_spans[0].scope.as_ref().unwrap();
    assert_eq!(scope.name, "themecast");
}
