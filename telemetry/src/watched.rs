//! An exporter whose failures are counted and told once.

use opentelemetry_otlp::SpanExporter as Otlp;
use opentelemetry_sdk::{
    Resource,
    error::{OTelSdkError, OTelSdkResult},
    trace::{SpanData, SpanExporter},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

/// Spans that were sent and not taken.
#[derive(Debug, Default)]
pub(crate) struct Lost {
    spans: AtomicU64,
    failing: AtomicBool,
}

impl Lost {
    /// How many.
    pub(crate) fn count(&self) -> u64 {
        self.spans.load(Ordering::Relaxed)
    }

    fn failed(&self, spans: u64, error: &OTelSdkError) {
        self.spans.fetch_add(spans, Ordering::Relaxed);
        if !self.failing.swap(true, Ordering::Relaxed) {
            tracing::warn!(%error, spans, "traces are lost: their receiver doesn't take them");
        }
    }

    fn taken(&self) {
        if self.failing.swap(false, Ordering::Relaxed) {
            tracing::info!(lost = self.count(), "traces are taken again");
        }
    }
}

/// The exporter over OTLP, watched.
#[derive(Debug)]
pub(crate) struct Watched {
    inner: Otlp,
    lost: Arc<Lost>,
}

impl Watched {
    pub(crate) fn new(inner: Otlp, lost: Arc<Lost>) -> Self {
        Self { inner, lost }
    }
}

impl SpanExporter for Watched {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len() as u64;
        let result = self.inner.export(batch).await;
        match &result {
            Ok(()) => self.lost.taken(),
            Err(error) => self.lost.failed(spans, error),
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn shutdown(&self) -> OTelSdkResult {
        self.inner.shutdown()
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}
