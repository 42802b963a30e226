//! A receiver of traces and log records over OTLP that decodes what it gets.

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use opentelemetry_proto::tonic::{
    collector::{logs::v1::ExportLogsServiceRequest, trace::v1::ExportTraceServiceRequest},
    logs::v1::LogRecord,
    trace::v1::ResourceSpans,
};
use prost::Message;
use std::{
    future::pending,
    net::TcpListener,
    sync::{Arc, Mutex},
    thread,
};

/// What the receiver does with a batch.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Reply {
    Taken,
    /// 400, which nobody tries again.
    Refused,
    Never,
}

/// A batch that has come in.
pub(crate) struct Batch {
    pub(crate) headers: HeaderMap,
    pub(crate) spans: Vec<ResourceSpans>,
}

#[derive(Clone)]
pub(crate) struct Receiver {
    pub(crate) endpoint: String,
    batches: Arc<Mutex<Vec<Batch>>>,
    records: Arc<Mutex<Vec<LogRecord>>>,
}

impl Receiver {
    /// Starts one on a thread of its own, which the process's end ends.
    pub(crate) fn start(reply: Reply) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let receiver = Self { endpoint, batches: Arc::default(), records: Arc::default() };
        let state = (receiver.clone(), reply);
        thread::spawn(move || {
            tokio::runtime::Runtime::new().unwrap().block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                let router = Router::new()
                    .route("/v1/traces", post(take))
                    .route("/v1/logs", post(take_records))
                    .with_state(state);
                axum::serve(listener, router).await.unwrap();
            });
        });
        receiver
    }

    /// Whatever has come and was not taken yet.
    pub(crate) fn batches(&self) -> Vec<Batch> {
        std::mem::take(&mut *self.batches.lock().unwrap())
    }

    /// Whatever log records have come and were not taken yet.
    pub(crate) fn records(&self) -> Vec<LogRecord> {
        std::mem::take(&mut *self.records.lock().unwrap())
    }
}

async fn take_records(
    State((receiver, reply)): State<(Receiver, Reply)>,
    body: Bytes,
) -> StatusCode {
    let resources = ExportLogsServiceRequest::decode(body).unwrap().resource_logs;
    let scopes = resources.into_iter().flat_map(|resource| resource.scope_logs);
    receiver.records.lock().unwrap().extend(scopes.flat_map(|scope| scope.log_records));
    answer(reply).await
}

async fn take(
    State((receiver, reply)): State<(Receiver, Reply)>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let spans = ExportTraceServiceRequest::decode(body).unwrap().resource_spans;
    receiver.batches.lock().unwrap().push(Batch { headers, spans });
    answer(reply).await
}

async fn answer(reply: Reply) -> StatusCode {
    match reply {
        Reply::Taken => StatusCode::OK,
        Reply::Refused => StatusCode::BAD_REQUEST,
        Reply::Never => pending().await,
    }
}
