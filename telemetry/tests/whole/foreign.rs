//! What isn't this crate's stays here, and where nothing is exported nothing is done.

use crate::{
    receiver::{Receiver, Reply},
    traced::{exporter_to, finished, named, request, spans, wait},
};
use std::{
    hint::black_box,
    io,
    sync::{Arc, Mutex},
    time::Instant,
};
use themecast_telemetry::{
    Config, Evaluation, Exporter, evaluation, finish, forecast_span, prefill_span, request_span,
    segment_span, trace_id,
};
use tracing_subscriber::{
    Layer, Registry, filter::LevelFilter, fmt::MakeWriter, layer::SubscriberExt,
};

#[test]
fn spans_and_events_of_others_are_not_exported() {
    let spans = spans("", || {
        let foreign = tracing::info_span!(target: "hyper", "foreign", secret = "prompt");
        let _inside = foreign.enter();
        tracing::error!(target: "themecast", "ours, but no trace");
        let request = request_span(request());
        request.in_scope(|| {
            tracing::info!("a line of the log with a message's text");
            tracing::error!(target: "themecast::serve", "another");
            let _below = tracing::info_span!(target: "mistralrs_core", "below").entered();
            drop(segment_span(&request, 0));
        });
        finish(&request, finished(200));
    });
    let names: Vec<_> = spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["segment", "chat a-model"]);
    let request = named(&spans, "chat a-model");
    assert!(request.events.is_empty() && request.parent_span_id.is_empty());
    assert_eq!(named(&spans, "segment").parent_span_id, request.span_id);
}

/// A log in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[test]
fn a_log_beside_the_exporter_is_written_as_before() {
    let receiver = Receiver::start(Reply::Taken);
    let exporter = exporter_to(&receiver.endpoint, "");
    let log = Log::default();
    let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(log.clone());
    let subscriber =
        Registry::default().with(lines.with_filter(LevelFilter::DEBUG)).with(exporter.layer());
    tracing::subscriber::with_default(subscriber, || {
        drop(request_span(request()));
        tracing::debug!("below the exporter's level");
        tracing::trace!("below the log's");
    });
    assert!(wait(exporter.shutdown()));
    assert_eq!(receiver.batches().len(), 1);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(
        log.contains("below the exporter's level") && !log.contains("below the log's"),
        "{log}"
    );
}

/// Everything a request may tell.
fn tell_all() {
    let request = black_box(request_span(request()));
    let below = [prefill_span(&request), segment_span(&request, 0), forecast_span(&request, 1, 0)];
    assert!(request.is_disabled() && below.iter().all(tracing::Span::is_disabled));
    assert_eq!(trace_id(&request), None);
    let raised = Evaluation {
        detector: "cusum",
        response_id: "",
        score: 1.0,
        label: "alarm",
        token: 0,
        segment: 0,
        explanation: "",
    };
    evaluation(&request, raised);
    finish(&request, finished(200));
}

#[test]
fn without_an_exporter_everything_is_disabled() {
    tell_all();
    let log = Log::default();
    let lines = tracing_subscriber::fmt::layer().with_writer(log.clone());
    let none = Exporter::start(&Config::default()).unwrap();
    let subscriber = Registry::default().with(lines).with(none.as_ref().map(Exporter::layer));
    tracing::subscriber::with_default(subscriber, tell_all);
    assert!(log.0.lock().unwrap().is_empty());
}

fn nanoseconds_of_telling_all() -> u128 {
    let begun = Instant::now();
    (0..10_000).for_each(|_| tell_all());
    begun.elapsed().as_nanos() / 10_000
}

#[test]
#[ignore = "measures time"]
fn without_an_exporter_a_request_costs_next_to_nothing() {
    let without = nanoseconds_of_telling_all();
    let lines = tracing_subscriber::fmt::layer().with_writer(Log::default());
    let subscriber = Registry::default().with(lines);
    let beside_a_log = tracing::subscriber::with_default(subscriber, nanoseconds_of_telling_all);
    println!("a request's 6 calls: {without} ns, beside a log {beside_a_log} ns");
    assert!(without < 2_000 && beside_a_log < 2_000, "{without} {beside_a_log}");
}
