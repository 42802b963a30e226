//! Loading the models that commands name or need: the language model, the sentence embedder.

use super::Usage;
use crate::host::{
    Host,
    mistral::{self, MistralHost, ModelSource, Options},
};
use anyhow::{Context, Result, anyhow};
use std::sync::Arc;
use themecast_lab::embed::Embedder;
use themecast_plugin_api::Site;

/// The model's source: what the user named, or the default model; that and those known by name are
/// fetched on first use.
pub(super) async fn source(named: Option<&str>) -> Result<ModelSource> {
    let known = named.filter(|name| themecast_assets::is_known(name)).map(str::to_owned);
    if let (Some(named), None) = (named, &known) {
        return ModelSource::parse(named).map_err(|error| anyhow!(error));
    }
    let fetched = tokio::task::spawn_blocking(move || {
        let progress = themecast_assets::to_stderr();
        match known {
            Some(name) => themecast_assets::named(&name, &*progress),
            None => themecast_assets::default_model(&*progress),
        }
    });
    let path = fetched.await.context("fetching the model was cut short")??;
    Ok(ModelSource::Gguf(path))
}

/// Loads a model on engines that a command keeps busy by itself, with one request at a time: no other
/// engine can be steered.
pub(super) async fn load(named: Option<&str>, engines: usize) -> Result<Arc<MistralHost>> {
    let source = source(named).await?;
    let options = Options {
        engines,
        sequences: Some(1),
        self_check: false,
        prefix_cache: Some(0),
        ..Options::default()
    };
    Ok(mistral::load(&source, &options).await?)
}

/// The same, for those who need no more than a host.
pub(super) async fn host(named: Option<&str>, engines: usize) -> Result<Arc<dyn Host>> {
    Ok(load(named, engines).await?)
}

/// Refuses sites that the model of `host` has not.
pub(super) fn check_sites(host: &dyn Host, sites: &[Site]) -> Result<(), Usage> {
    let missing = sites.iter().find(|site| !host.model().has(**site));
    missing.map_or(Ok(()), |site| {
        let layers = host.model().layers;
        Err(Usage(format!(
            "--sites: the model has no site {site}: its {layers} layers count from 0"
        )))
    })
}

/// The sentence embedder, fetched on first use, where it is `wanted`.
pub(super) fn embedder(wanted: bool) -> Result<Option<Embedder>> {
    if !wanted {
        return Ok(None);
    }
    let folder = themecast_assets::embedder(&*themecast_assets::to_stderr())?;
    Ok(Some(Embedder::load(&folder)?))
}
