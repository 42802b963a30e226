//! Alarms as events of their own, or of the request's span.

use crate::{
    parents::{traceparent, within},
    receiver::{Receiver, Reply},
    traced::{
        attributes, exporter_to, finished, hex, named, of_event, records, request, spans,
        subscriber, wait,
    },
};
use themecast_telemetry::{Evaluation, RequestSpan, evaluation, finish, request_span, trace_id};

const ATTRIBUTES: [&str; 7] = [
    r#"gen_ai.evaluation.explanation = "wealth 23.1 over the level 20""#,
    r#"gen_ai.evaluation.name = "themecast.divergence.martingale""#,
    r#"gen_ai.evaluation.score.label = "alarm""#,
    "gen_ai.evaluation.score.value = 1.155",
    r#"gen_ai.response.id = "chatcmpl-1""#,
    "themecast.segment = 4",
    "themecast.token = 57",
];

fn raised(score: f64) -> Evaluation<'static> {
    Evaluation {
        detector: "martingale",
        response_id: "chatcmpl-1",
        score,
        label: "alarm",
        token: 57,
        segment: 4,
        explanation: "wealth 23.1 over the level 20",
    }
}

#[test]
fn an_alarm_is_the_result_of_an_evaluation() {
    let mut id = None;
    let records = records("", || {
        let request = request_span(request());
        id = trace_id(&request);
        evaluation(&request, raised(1.155));
    });
    let [record] = &records[..] else { panic!("one record, not {records:?}") };
    assert_eq!(record.event_name, "gen_ai.evaluation.result");
    assert_eq!(attributes(&record.attributes), ATTRIBUTES);
    assert_eq!(Some(hex(&record.trace_id)), id);
    assert_eq!(record.span_id.len(), 8);
    assert!(record.time_unix_nano > 0 && record.body.is_none());
}

/// How many log records arrive of ten answers with one alarm each.
fn arrive(ratio: f64, request: RequestSpan<'_>) -> usize {
    let alarms = || (0..10).for_each(|_| evaluation(&request_span(request), raised(1.0)));
    records(&format!("sample_ratio = {ratio:?}"), alarms).len()
}

#[test]
fn every_alarm_is_told_whatever_becomes_of_its_trace() {
    assert_eq!(arrive(0.0, request()), 10);
    assert_eq!(arrive(1.0, within(&traceparent(false))), 10);
}

#[test]
fn without_log_records_an_alarm_is_an_event_of_its_trace() {
    let receiver = Receiver::start(Reply::Taken);
    let exporter = exporter_to(&receiver.endpoint, "logs = false");
    tracing::subscriber::with_default(subscriber(&exporter), || {
        evaluation(&request_span(request()), raised(1.155));
    });
    assert!(wait(exporter.shutdown()));
    assert!(receiver.records().is_empty());
    let spans = spans("logs = false", || {
        let request = request_span(request());
        evaluation(&request, raised(1.155));
        finish(&request, finished(200));
    });
    let [event] = &named(&spans, "chat a-model").events[..] else { panic!("one event") };
    assert_eq!(event.name, "gen_ai.evaluation.result");
    assert_eq!(of_event(event), ATTRIBUTES);
}

#[test]
fn alarms_keep_their_order_and_may_come_after_the_end() {
    let records = records("", || {
        let request = request_span(request());
        evaluation(&request, raised(f64::INFINITY));
        finish(&request, finished(200));
        evaluation(&request, Evaluation { detector: "cusum", ..raised(1.0) });
    });
    let lines: Vec<_> = records.iter().map(|record| attributes(&record.attributes)).collect();
    assert_eq!(lines.len(), 2);
    assert!(!lines[0].iter().any(|line| line.contains("score.value")), "{:?}", lines[0]);
    let cusum = r#"gen_ai.evaluation.name = "themecast.divergence.cusum""#.to_owned();
    assert!(lines[1].contains(&cusum));
    assert!(records[0].time_unix_nano <= records[1].time_unix_nano);
}

#[test]
fn events_that_nobody_takes_are_told_at_the_end() {
    let receiver = Receiver::start(Reply::Refused);
    let exporter = exporter_to(&receiver.endpoint, "");
    tracing::subscriber::with_default(subscriber(&exporter), || {
        let request = request_span(request());
        (0..3).for_each(|_| evaluation(&request, raised(1.0)));
        std::mem::forget(request); // its span would be lost as well
    });
    assert!(!wait(exporter.shutdown()));
    assert_eq!(receiver.records().len(), 3);
}
