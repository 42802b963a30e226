//! What takes finished spans to the receiver.

use crate::{
    config::{Config, ConfigError},
    elsewhere::elsewhere,
    layer,
    watched::{Lost, Watched},
};
use opentelemetry::{InstrumentationScope, trace::TracerProvider};
use opentelemetry_otlp::{
    ExporterBuildError, Protocol, SpanExporter, WithExportConfig, WithHttpConfig,
};
use opentelemetry_sdk::{
    Resource,
    trace::{Sampler, SdkTracerProvider},
};
use std::{sync::Arc, time::Duration};
use tracing::Subscriber;
use tracing_subscriber::{Layer, registry::LookupSpan};

/// Exports traces from a thread of its own, in batches.
///
/// Nothing waits for the receiver but [`Exporter::shutdown`]: of more than 2048 spans that wait
/// further ones are dropped. Where it is dropped instead, whoever drops its last layer may wait up
/// to five seconds for the rest to go out.
#[derive(Debug)]
pub struct Exporter {
    provider: SdkTracerProvider,
    timeout: Duration,
    lost: Arc<Lost>,
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
        let lost = Arc::new(Lost::default());
        let watched = Watched::new(client(config, url)?, Arc::clone(&lost));
        let service = Resource::builder().with_service_name(config.service_name.clone()).build();
        let undecided = Sampler::TraceIdRatioBased(config.sample_ratio);
        let provider = SdkTracerProvider::builder()
            .with_resource(service)
            .with_sampler(Sampler::ParentBased(Box::new(undecided)))
            .with_batch_exporter(watched)
            .build();
        Ok(Some(Self { provider, timeout: config.timeout(), lost }))
    }

    /// The layer that exports the spans of this crate and no others.
    pub fn layer<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        let scope = InstrumentationScope::builder("themecast")
            .with_version(env!("CARGO_PKG_VERSION"))
            .build();
        layer::exporting_with(self.provider.tracer_with_scope(scope))
    }

    /// How many spans were sent and not taken so far.
    pub fn lost(&self) -> u64 {
        self.lost.count()
    }

    /// Sends what waits and ends the exporter, within the configured timeout; says whether
    /// everything that waited was taken. Spans that end later go nowhere.
    ///
    /// The waiting is done on a thread of its own, so no runtime is held up, and goes on there if
    /// the future is dropped.
    pub async fn shutdown(self) -> bool {
        let before = self.lost.count();
        elsewhere(move || {
            let ended = self.provider.shutdown_with_timeout(self.timeout).is_ok();
            ended && self.lost.count() == before
        })
        .await
    }
}

fn client(config: &Config, url: String) -> Result<SpanExporter, ExporterBuildError> {
    SpanExporter::builder()
        .with_http()
        .with_endpoint(url)
        .with_protocol(Protocol::HttpBinary)
        .with_timeout(config.timeout())
        .with_headers(config.headers.clone().into_iter().collect())
        .build()
}
