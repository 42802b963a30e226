//! Logs to stderr; `RUST_LOG` says how much, by default ours and mistral.rs's warnings.

use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

const DEFAULT: &str = "info,mistralrs=warn,mistralrs_core=warn,mistralrs_server_core=warn,\
                       mistralrs_quant=warn,mistralrs_paged_attn=warn";

/// Starts logging; a second start changes nothing.
pub(super) fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .try_init();
}
