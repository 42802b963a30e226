//! Exporters whose failures are counted and told once.

use opentelemetry_otlp::{LogExporter as OtlpEvents, SpanExporter as OtlpSpans};
use opentelemetry_sdk::{
    Resource,
    error::{OTelSdkError, OTelSdkResult},
    logs::{LogBatch, LogExporter},
    trace::{SpanData, SpanExporter},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

/// What was sent and not taken.
#[derive(Debug)]
pub(crate) struct Lost {
    what: &'static str,
    count: AtomicU64,
    failing: AtomicBool,
}

impl Lost {
    /// Nothing so far of `what`.
    pub(crate) fn of(what: &'static str) -> Arc<Self> {
        Arc::new(Self { what, count: AtomicU64::new(0), failing: AtomicBool::new(false) })
    }

    /// How many.
    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    fn note(&self, sent: u64, result: &OTelSdkResult) {
        match result {
            Ok(()) => self.taken(),
            Err(error) => self.failed(sent, error),
        }
    }

    fn failed(&self, sent: u64, error: &OTelSdkError) {
        self.count.fetch_add(sent, Ordering::Relaxed);
        if !self.failing.swap(true, Ordering::Relaxed) {
            let what = self.what;
            tracing::warn!(%error, sent, "{what} are lost: their receiver doesn't take them");
        }
    }

    fn taken(&self) {
        if self.failing.swap(false, Ordering::Relaxed) {
            tracing::info!(lost = self.count(), "{} are taken again", self.what);
        }
    }
}

/// An exporter over OTLP, watched.
#[derive(Debug)]
pub(crate) struct Watched<E> {
    inner: E,
    lost: Arc<Lost>,
}

impl<E> Watched<E> {
    pub(crate) fn new(inner: E, lost: Arc<Lost>) -> Self {
        Self { inner, lost }
    }
}

impl SpanExporter for Watched<OtlpSpans> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let sent = batch.len() as u64;
        let result = self.inner.export(batch).await;
        self.lost.note(sent, &result);
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

impl LogExporter for Watched<OtlpEvents> {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        let sent = batch.iter().count() as u64;
        let result = self.inner.export(batch).await;
        self.lost.note(sent, &result);
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn shutdown(&self) -> OTelSdkResult {
        self.inner.shutdown()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}
