//! Spans of requests and events of alarms, exported over OTLP.
//!
//! Here live the [`Exporter`], off unless an endpoint is configured, and one function for each span
//! and event that is exported. What never will: HTTP routes, engines, how an alarm comes about, and
//! the text of any message.
//!
//! ```text
//!   request_span ─┬─ prefill_span    the request until its first token
//!                 ├─ segment_span    one segment of the answer; end_segment says its theme
//!                 ├─ forecast_span   one forecast at a boundary
//!                 ├─ evaluation      an alarm: the event gen_ai.evaluation.result, a log record
//!                 └─ finish          tokens, reason and status; the request's end
//!        │  never waits: a full queue drops
//!        └─▶ Exporter's threads ─▶ POST <endpoint>/v1/traces and /v1/logs, in batches
//! ```
//!
//! # What is exported
//!
//! Attributes follow OpenTelemetry's conventions for generative AI (in development), those of this
//! project begin with `themecast.`; a value that isn't known or not finite is left out.
//!
//! | span or event | kind | attributes |
//! |---|---|---|
//! | `chat <model>`, `text_completion <model>` | server | `gen_ai.operation.name`, `gen_ai.provider.name` (`mistral_rs`), `gen_ai.request.model`, `.max_tokens`, `.temperature`, `.stream` (only if it is one), `gen_ai.response.id`, `.finish_reasons`, `gen_ai.usage.input_tokens`, `.output_tokens`, `http.response.status_code`; for 5xx `error.type` and the status Error |
//! | `prefill` | internal | |
//! | `segment` | internal | `themecast.segment`, `themecast.theme`, `themecast.surprise_nats` |
//! | `forecast` | internal | `themecast.token`, `themecast.segment` |
//! | `gen_ai.evaluation.result` | event | `gen_ai.evaluation.name`, `.score.value`, `.score.label`, `.explanation`, `gen_ai.response.id`, `themecast.token`, `themecast.segment` |
//!
//! The conventions' own span is a client's; this is the same operation seen by the server, so its
//! kind is server and its parent whatever the client's `traceparent` says. A trace is sampled as
//! its client decided, and by [`Config::sample_ratio`] where there is no client's decision. Alarms are
//! never sampled: each is a log record that names its trace and span, unless [`Config::logs`] is off.
//!
//! # Use
//!
//! Spans are `tracing`'s, with the target [`TARGET`] and the level INFO. A layer of logs that
//! should not see them filters that target; a filter that stands before all layers must let it
//! through. Where no [`Exporter::layer`] is installed all functions do nothing.
//!
//! OpenTelemetry's own environment variables for resources (`OTEL_RESOURCE_ATTRIBUTES`), batches
//! (`OTEL_BSP_*`, `OTEL_BLRP_*`) and headers (`OTEL_EXPORTER_OTLP_HEADERS`, before the table's) hold as well.
//!
//! ```
//! use themecast_telemetry::{Config, Exporter, Operation, RequestSpan};
//! use tracing_subscriber::layer::SubscriberExt;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let config: Config = toml::from_str("endpoint = 'http://localhost:4318'\nsample_ratio = 0.1")?;
//! let exporter = Exporter::start(&config)?;
//! let layer = exporter.as_ref().map(Exporter::layer);
//! let installed = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
//! let request = RequestSpan::new(Operation::Chat, "a-model", "chatcmpl-1");
//! let span = themecast_telemetry::request_span(request);
//! assert_eq!(themecast_telemetry::trace_id(&span).map(|id| id.len()), Some(32));
//! # drop((span, installed));
//! if let Some(exporter) = exporter {
//!     exporter.shutdown().await;
//! }
//! # Ok(())
//! # }
//! ```

mod answer;
mod config;
mod elsewhere;
mod evaluation;
mod exporter;
mod layer;
mod names;
mod parent;
mod request;
mod watched;

pub use answer::{end_segment, forecast_span, prefill_span, segment_span};
pub use config::{Config, ConfigError};
pub use evaluation::{Evaluation, evaluation};
pub use exporter::{Exporter, StartError};
pub use names::TARGET;
pub use parent::client_trace_id;
pub use request::{Finish, Operation, RequestSpan, finish, request_span, trace_id};
