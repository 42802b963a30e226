//! Logs to stderr; `RUST_LOG` says how much, by default ours and mistral.rs's warnings. Traces go
//! past its filter to the exporter, where there is one.

use std::io::IsTerminal;
use themecast_telemetry::{Exporter, TARGET};
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

const DEFAULT: &str = "info,mistralrs=warn,mistralrs_core=warn,mistralrs_server_core=warn,\
                       mistralrs_quant=warn,mistralrs_paged_attn=warn";

/// Starts logging and, with an `exporter`, tracing; a second start changes nothing.
pub(super) fn start(exporter: Option<&Exporter>) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT));
    let traces = format!("{TARGET}=off").parse();
    let filter = traces.into_iter().fold(filter, EnvFilter::add_directive);
    let logs = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .with_filter(filter);
    let subscriber = tracing_subscriber::registry().with(logs);
    let _ = subscriber.with(exporter.map(Exporter::layer)).try_init();
}
