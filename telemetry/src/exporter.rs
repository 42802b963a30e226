//! What takes finished spans and events to the receiver.

use crate::{
    config::{Config, ConfigError},
    elsewhere::elsewhere,
    layer,
    watched::{Lost, Watched},
};
use opentelemetry::{InstrumentationScope, logs::LoggerProvider, trace::TracerProvider};
use opentelemetry_otlp::{
    ExporterBuildError, LogExporter, Protocol, SpanExporter, WithExportConfig, WithHttpConfig,
};
use opentelemetry_sdk::{
    Resource,
    logs::SdkLoggerProvider,
    trace::{Sampler, SdkTracerProvider},
};
use std::{sync::Arc, time::Duration};
use tracing::Subscriber;
use tracing_subscriber::{Layer, registry::LookupSpan};

/// Exports traces and the events of alarms, each from a thread of its own, in batches.
///
/// Nothing waits for the receiver but [`Exporter::shutdown`]: of more than 2048 that wait further
/// ones are dropped. Where it is dropped instead, whoever drops its last layer may wait up
/// to five seconds for the rest to go out.
#[derive(Debug)]
pub struct Exporter {
    spans: SdkTracerProvider,
    /// None where events are parts of their spans.
    events: Option<SdkLoggerProvider>,
    timeout: Duration,
    lost: [Arc<Lost>; 2],
}

/// Why no exporter was started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A value of the configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The client of the receiver can't be built.
    #[error("the exporter of traces can't be built: {0}")]
    Build(#[from] ExporterBuildError),
}

impl Exporter {
    /// Starts an exporter, or none where no endpoint is configured. The receiver isn't asked.
    ///
    /// # Errors
    /// [`StartError`] if the configuration is wrong or the HTTP client can't be built.
    pub fn start(config: &Config) -> Result<Option<Self>, StartError> {
        config.check()?;
        let Some(url) = config.traces_url() else { return Ok(None) };
        let lost = [Lost::of("traces"), Lost::of("events of alarms")];
        let [lost_spans, lost_events] = lost.clone();
        let service = Resource::builder().with_service_name(config.service_name.clone()).build();
        let undecided = Sampler::TraceIdRatioBased(config.sample_ratio);
        let spans = spans_to(config, url)?;
        let spans = SdkTracerProvider::builder()
            .with_resource(service.clone())
            .with_sampler(Sampler::ParentBased(Box::new(undecided)))
            .with_batch_exporter(Watched::new(spans, lost_spans))
            .build();
        let events = match config.logs_url() {
            Some(url) => Some(
                SdkLoggerProvider::builder()
                    .with_resource(service)
                    .with_batch_exporter(Watched::new(events_to(config, url)?, lost_events))
                    .build(),
            ),
            None => None,
        };
        Ok(Some(Self { spans, events, timeout: config.timeout(), lost }))
    }

    /// The layer that exports the spans of this crate and no others.
    pub fn layer<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        let scope = InstrumentationScope::builder("themecast")
            .with_version(env!("CARGO_PKG_VERSION"))
            .build();
        let events = self.events.as_ref().map(|events| events.logger_with_scope(scope.clone()));
        layer::exporting_with(self.spans.tracer_with_scope(scope), events)
    }

    /// How many spans and events were sent and not taken so far.
    pub fn lost(&self) -> u64 {
        self.lost.iter().map(|lost| lost.count()).sum()
    }

    /// Sends what waits and ends the exporter, within the configured timeout; says whether
    /// everything that waited was taken. Spans that end later go nowhere.
    ///
    /// The waiting is done on a thread of its own, so no runtime is held up, and goes on there if
    /// the future is dropped.
    pub async fn shutdown(self) -> bool {
        let before = self.lost();
        elsewhere(move || {
            let spans = self.spans.shutdown_with_timeout(self.timeout).is_ok();
            let ended =
                |events: &SdkLoggerProvider| events.shutdown_with_timeout(self.timeout).is_ok();
            let events = self.events.as_ref().is_none_or(ended);
            spans && events && self.lost() == before
        })
        .await
    }
}

fn spans_to(config: &Config, url: String) -> Result<SpanExporter, ExporterBuildError> {
    to(SpanExporter::builder().with_http(), config, url).build()
}

fn events_to(config: &Config, url: String) -> Result<LogExporter, ExporterBuildError> {
    to(LogExporter::builder().with_http(), config, url).build()
}

fn to<B: WithExportConfig + WithHttpConfig>(builder: B, config: &Config, url: String) -> B {
    builder
        .with_endpoint(url)
        .with_protocol(Protocol::HttpBinary)
        .with_timeout(config.timeout())
        .with_headers(config.headers.clone().into_iter().collect())
}
