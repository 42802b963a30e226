//! Starting one engine: mistral.rs loads the model, the tap listens to its first pass.

use super::{MetadataError, ModelSource, Options, metadata::Metadata, stdout::StdoutToStderr};
use futures::FutureExt;
use mistralrs_core::{AutoDeviceMapParams, MistralRs, ModelDType, ModelSelected};
use mistralrs_server_core::mistralrs_for_server_builder::MistralRsForServerBuilder;
use std::{panic::AssertUnwindSafe, path::Path, sync::Arc};
use themecast_tap::{Discovery, EngineTap, SiteError};

/// Why a model can't be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Its files say so.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// mistral.rs says so.
    #[error("{model}: mistral.rs could not load this model: {error}")]
    Engine {
        /// The model.
        model: String,
        /// What mistral.rs said.
        error: String,
    },
    /// Its residual stream can't be read.
    #[error("{model}: the residual stream can't be tapped: {error}")]
    Sites {
        /// The model.
        model: String,
        /// Why not.
        error: SiteError,
    },
    /// Its answers are not the same alone and among others, whatever an engine runs at once.
    #[error(
        "{model}: the isolation check failed even with one sequence an engine, so nothing is \
         served: prompts got no answer, or another one than alone (the log says which); start \
         again with --engines 1, or with another --model"
    )]
    Isolation {
        /// The model.
        model: String,
    },
}

/// One engine: mistral.rs's handle, its tap, and how much it may run at once.
#[derive(Clone)]
pub(super) struct Engine {
    pub(super) runner: Arc<MistralRs>,
    pub(super) tap: Arc<EngineTap>,
    pub(super) sequences: usize,
}

/// How many sequences a GPU engine runs at once by default.
const GPU_SEQUENCES: usize = 32;
/// How many prompts' caches a GPU engine keeps by default.
const GPU_PREFIXES: usize = 16;

pub(super) async fn engine(
    source: &ModelSource,
    metadata: &Metadata,
    options: &Options,
    number: usize,
) -> Result<Engine, LoadError> {
    let cpu = !candle_core::utils::cuda_is_available() && !candle_core::utils::metal_is_available();
    let sequences = options.sequences.unwrap_or(if cpu { 1 } else { GPU_SEQUENCES });
    let prefix_cache = options.prefix_cache.unwrap_or(if cpu { 0 } else { GPU_PREFIXES });
    tracing::info!(%source, engine = number, sequences, "loading the model");
    let untapped = |error| LoadError::Sites { model: source.to_string(), error };
    let discovery = Discovery::start().map_err(untapped)?;
    let stdout = StdoutToStderr::start();
    let build = MistralRsForServerBuilder::new()
        .with_model(selected(source))
        .with_max_seqs(sequences)
        .with_cpu(cpu)
        .set_paged_attn(Some(false))
        .with_prefix_cache_n(prefix_cache)
        .with_interactive_mode(true)
        .build();
    let failed = |error: String| LoadError::Engine {
        model: source.to_string(),
        error: error.replace('\n', " "),
    };
    let built = AssertUnwindSafe(build).catch_unwind().await;
    drop(stdout);
    let built = built.map_err(|_| failed("it panicked; its log says where".to_owned()))?;
    let runner = built.map_err(|error| failed(format!("{error:#}")))?;
    let tap = discovery.resolve(&metadata.info).map_err(untapped)?;
    know_as(&runner, &source.name());
    Ok(Engine { runner, tap, sequences })
}

/// Lets requests name the model as people do: mistral.rs knows one from a file by its folder's path.
fn know_as(runner: &MistralRs, name: &str) {
    let ids = runner.list_models().unwrap_or_default();
    let named = ids.first().map(|id| runner.register_model_alias(name, id));
    if let Some(Err(error)) = named {
        tracing::warn!("requests must name the model \"default\", not '{name}': {error}");
    }
}

fn selected(source: &ModelSource) -> ModelSelected {
    match source {
        ModelSource::Gguf(path) => ModelSelected::GGUF {
            tok_model_id: None,
            quantized_model_id: text(
                path.parent().filter(|p| *p != Path::new("")).unwrap_or(Path::new(".")),
            ),
            quantized_filename: path
                .file_name()
                .map(|name| text(Path::new(name)))
                .unwrap_or_default(),
            dtype: ModelDType::Auto,
            topology: None,
            max_seq_len: AutoDeviceMapParams::DEFAULT_MAX_SEQ_LEN,
            max_batch_size: AutoDeviceMapParams::DEFAULT_MAX_BATCH_SIZE,
        },
        ModelSource::Folder(path) => plain(text(path)),
        ModelSource::Hub(name) => plain(name.clone()),
    }
}

fn plain(model_id: String) -> ModelSelected {
    ModelSelected::Plain {
        model_id,
        tokenizer_json: None,
        arch: None,
        dtype: ModelDType::Auto,
        topology: None,
        organization: None,
        write_uqff: None,
        from_uqff: None,
        imatrix: None,
        calibration_file: None,
        max_seq_len: AutoDeviceMapParams::DEFAULT_MAX_SEQ_LEN,
        max_batch_size: AutoDeviceMapParams::DEFAULT_MAX_BATCH_SIZE,
        hf_cache_path: None,
        matformer_config_path: None,
        matformer_slice_name: None,
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
