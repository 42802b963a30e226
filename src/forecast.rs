//! Attaching a bundle to a host: what `serve` starts with and what a swap brings in.

use crate::{
    host::Host,
    metrics::{ForecastMetrics, Metrics},
    serve::Forecast,
    session::{PATIENCE, Runner, guarded},
};
use anyhow::{Context, Result, anyhow};
use phrases::Phrases;
use std::{path::Path, sync::Arc};
use themecast_forecast::{ForecastPlugin, bundle::Bundle};
use themecast_plugin_api::Plugin;

/// Phrases to watch for, as vectors.
pub mod phrases;
/// The bundle that is shipped for the default model.
pub mod shipped;

/// Loads the bundle in `folder` for the model that `host` runs.
///
/// # Errors
/// One line that says what in the bundle does not fit.
pub fn load(folder: &Path, host: &dyn Host, metrics: &Arc<Metrics>) -> Result<Forecast> {
    attach(read(folder)?, host, metrics)
}

/// Reads the bundle in `folder`.
///
/// # Errors
/// One line that says what in the bundle does not fit.
pub fn read(folder: &Path) -> Result<Bundle> {
    Bundle::load(folder).with_context(|| format!("bundle {}", folder.display()))
}

/// Attaches `bundle` to the model that `host` runs.
///
/// # Errors
/// One line that says what of the model the bundle was not made for.
pub fn attach(bundle: Bundle, host: &dyn Host, metrics: &Arc<Metrics>) -> Result<Forecast> {
    for warning in bundle.fits(host.model())?.warnings {
        tracing::warn!("{warning}");
    }
    metrics.bundle(&bundle.card);
    let card = Arc::new(bundle.card.clone());
    let observer = Arc::new(ForecastMetrics::new(metrics.clone(), card.clone()));
    let encoder = bundle.card.open.as_ref().map(|open| open.embedder.clone());
    let mut plugin = ForecastPlugin::new(Arc::new(bundle), observer);
    match encoder.as_deref() {
        Some(phrases::ENCODER) => plugin = plugin.with_encoder(Arc::new(Phrases::default())),
        Some(other) => tracing::warn!("the encoder {other} is not known: no phrases are watched"),
        None => {}
    }
    Ok(Forecast { runner: runner(Arc::new(plugin), host, metrics)?, card: Some(card) })
}

/// Attaches any plugin to the model that `host` runs.
///
/// # Errors
/// Why the plugin does not fit the model, a panic of its own included.
pub fn runner(plugin: Arc<dyn Plugin>, host: &dyn Host, metrics: &Arc<Metrics>) -> Result<Runner> {
    let interest = guarded(|| plugin.interest(host.model()))
        .map_err(|panic| anyhow!("the plugin '{}' panicked at start: {panic}", plugin.name()))??;
    Ok(Runner {
        plugin,
        interest,
        vocabulary: host.vocabulary().clone(),
        metrics: metrics.clone(),
        patience: PATIENCE,
    })
}
