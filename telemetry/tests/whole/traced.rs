//! Work under an exporter, and what arrived of it.

use crate::receiver::{Batch, Receiver, Reply};
use opentelemetry_proto::tonic::{
    common::v1::{KeyValue, any_value::Value},
    logs::v1::LogRecord,
    trace::v1::{Span, span::Event},
};
use std::future::Future;
use themecast_telemetry::{Config, Exporter, Finish, Operation, RequestSpan};
use tracing_subscriber::{Registry, layer::SubscriberExt};

/// A request with every field that needs no thought.
pub(crate) fn request() -> RequestSpan<'static> {
    RequestSpan::new(Operation::Chat, "a-model", "chatcmpl-1")
}

pub(crate) fn finished(status: u16) -> Finish<'static> {
    Finish { input_tokens: Some(7), output_tokens: Some(9), finish_reason: "stop", status }
}

/// An exporter to this address, with further lines of configuration.
pub(crate) fn exporter_to(endpoint: &str, more: &str) -> Exporter {
    let config: Config = toml::from_str(&format!("endpoint = '{endpoint}'\n{more}")).unwrap();
    Exporter::start(&config).unwrap().expect("an endpoint is configured")
}

/// What a program would install: nothing but the exporter's layer.
pub(crate) fn subscriber(exporter: &Exporter) -> impl tracing::Subscriber + Send + Sync + use<> {
    Registry::default().with(exporter.layer())
}

/// Waits on a runtime with a single thread, which a blocking wait would hold up.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(future)
}

/// The batches that arrived of `work`, all of them taken.
pub(crate) fn batches(more: &str, work: impl FnOnce()) -> Vec<Batch> {
    let receiver = Receiver::start(Reply::Taken);
    let exporter = exporter_to(&receiver.endpoint, more);
    tracing::subscriber::with_default(subscriber(&exporter), work);
    assert!(wait(exporter.shutdown()), "not everything was taken");
    receiver.batches()
}

/// The log records that arrived of `work`, which ends before the exporter does.
pub(crate) fn records(more: &str, work: impl FnOnce()) -> Vec<LogRecord> {
    let receiver = Receiver::start(Reply::Taken);
    let exporter = exporter_to(&receiver.endpoint, more);
    tracing::subscriber::with_default(subscriber(&exporter), work);
    assert!(wait(exporter.shutdown()), "not everything was taken");
    receiver.records()
}

/// The spans that arrived of `work`, in the order in which they ended.
pub(crate) fn spans(more: &str, work: impl FnOnce()) -> Vec<Span> {
    let resources = batches(more, work).into_iter().flat_map(|batch| batch.spans);
    let scopes = resources.flat_map(|resource| resource.scope_spans);
    scopes.flat_map(|scope| scope.spans).collect()
}

/// The one span with this name.
pub(crate) fn named<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    let found: Vec<_> = spans.iter().filter(|span| span.name == name).collect();
    assert_eq!(found.len(), 1, "spans named {name:?} in {spans:#?}");
    found[0]
}

/// All attributes as `key = value`, sorted.
pub(crate) fn attributes(attributes: &[KeyValue]) -> Vec<String> {
    let mut lines: Vec<_> = attributes.iter().map(line).collect();
    lines.sort();
    lines
}

pub(crate) fn of_event(event: &Event) -> Vec<String> {
    attributes(&event.attributes)
}

fn line(attribute: &KeyValue) -> String {
    format!("{} = {}", attribute.key, value(attribute.value.as_ref().unwrap().value.as_ref()))
}

fn value(value: Option<&Value>) -> String {
    match value.unwrap() {
        Value::StringValue(text) => format!("{text:?}"),
        Value::IntValue(number) => number.to_string(),
        Value::DoubleValue(number) => format!("{number:?}"),
        Value::BoolValue(flag) => flag.to_string(),
        Value::ArrayValue(array) => {
            let values: Vec<_> =
                array.values.iter().map(|v| self::value(v.value.as_ref())).collect();
            format!("[{}]", values.join(", "))
        }
        other => panic!("no attribute of ours: {other:?}"),
    }
}

/// Bytes as hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
