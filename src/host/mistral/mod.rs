//! The mistral.rs host: engines that run a model, one adapter over mistral.rs 0.8.1.
//!
//! The only place that knows mistral.rs. `metadata` reads what a model file says of itself,
//! `load` starts one engine and its tap, `pool` hands requests to engines, `request` is what an
//! engine runs, `probe` is the logits processor that reads a request's row, `answer` turns
//! mistral.rs's responses into events, `ending` says when they end, and `isolation` proves that
//! engines do not mix requests.

mod answer;
mod config;
mod ending;
mod isolation;
mod load;
mod metadata;
mod pool;
mod probe;
mod request;
mod source;
mod stdout;

pub use isolation::Isolation;
pub use load::LoadError;
pub use metadata::MetadataError;
pub use pool::MistralHost;
pub use source::ModelSource;

use std::sync::Arc;
use tokio::runtime::Handle;

/// How to load a model.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many engines run the model, each with its own copy of the weights.
    pub engines: usize,
    /// How many sequences one engine runs at once; `None`: 1 on a CPU, 32 on a GPU.
    pub sequences: Option<usize>,
    /// How many requests may wait for an engine.
    pub max_waiting: usize,
    /// How many prompts' caches an engine keeps, 0 being none; `None`: 0 on a CPU, where mistral.rs
    /// 0.8.1 never drops any and so grows without end, 16 on a GPU.
    pub prefix_cache: Option<usize>,
    /// Whether to compare prompts sent at once with the same prompts sent alone, before serving.
    pub self_check: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { engines: 1, sequences: None, max_waiting: 256, prefix_cache: None, self_check: true }
    }
}

/// Loads `source` on `options.engines` engines and checks their isolation.
///
/// # Errors
/// [`LoadError`] when the file is no model, mistral.rs can't load it, its norms do not map, or
/// its answers mix even where every engine runs one sequence at a time.
pub async fn load(source: &ModelSource, options: &Options) -> Result<Arc<MistralHost>, LoadError> {
    let metadata = metadata::read(source)?;
    let mut engines = Vec::with_capacity(options.engines);
    for number in 0..options.engines {
        engines.push(load::engine(source, &metadata, options, number).await?);
    }
    let host = MistralHost::new(source.name(), metadata, engines, options, Handle::current());
    if options.self_check {
        host.check_isolation().await?;
    }
    Ok(host)
}
