//! The layer that sees this crate's spans only, and how one finds it again.

use crate::names::TARGET;
use opentelemetry_sdk::{logs::SdkLogger, trace::SdkTracer};
use tracing::{
    Level, Metadata, Span, Subscriber, level_filters::LevelFilter, subscriber::Interest,
};
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::{
    Layer,
    layer::{Context, Filter},
    registry::LookupSpan,
};

/// Lets through what has this crate's target. Being a type of its own it also marks a subscriber
/// that exports, and holds what takes its events.
struct Own {
    events: Option<SdkLogger>,
}

impl<S> Filter<S> for Own {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        own(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if own(metadata) { Interest::always() } else { Interest::never() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::INFO)
    }
}

fn own(metadata: &Metadata<'_>) -> bool {
    *metadata.level() <= Level::INFO && metadata.target().starts_with(TARGET)
}

/// The layer that hands this crate's spans to a tracer, without attributes of its own; `events`
/// takes the events, or else their span.
pub(crate) fn exporting_with<S>(
    tracer: SdkTracer,
    events: Option<SdkLogger>,
) -> impl Layer<S> + Send + Sync
where
    S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
{
    OpenTelemetryLayer::new(tracer)
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_context_activation(false)
        .with_filter(Own { events })
}

/// Whether spans of this thread are exported.
pub(crate) fn installed() -> bool {
    tracing::dispatcher::get_default(|subscriber| subscriber.downcast_ref::<Own>().is_some())
}

/// What takes the events of this span, where it isn't the span itself.
pub(crate) fn events(span: &Span) -> Option<SdkLogger> {
    span.with_subscriber(|(_, subscriber)| subscriber.downcast_ref::<Own>()?.events.clone())?
}
