//! Attaching a bundle to a host: what `serve` starts with and what a swap brings in.
//!
//! `encoder` reads texts, `listeners` hear of each answer and pass it on to metrics, alarms and
//! audits, `recent` keeps the last alarms, `shipped` are the bundles inside the program. How a
//! forecast is made never lives here.

pub mod audit;
pub mod encoder;
mod listeners;
mod recent;
pub mod shipped;
mod trace;

use crate::{
    host::Host,
    metrics::Metrics,
    serve::Forecast,
    session::{PATIENCE, Runner, guarded},
};
use anyhow::{Context, Result, anyhow, ensure};
use encoder::{ENCODER, ENCODER_DIMENSION, Encoder};
use listeners::Listeners;
pub use recent::Recent;
use std::{path::Path, sync::Arc};
use themecast_alarms::Desk;
use themecast_forecast::{ForecastPlugin, bundle::Bundle, watchlist::Watched};
use themecast_plugin_api::Plugin;

/// What every bundle of a server is attached with.
#[derive(Clone)]
pub struct Setting {
    /// Where everything is counted.
    pub metrics: Arc<Metrics>,
    /// What reads texts.
    pub encoder: Arc<Encoder>,
    /// Where alarms are raised; nowhere but in annotations and metrics where there is none.
    pub desk: Option<Arc<Desk>>,
    /// The alarms of recent answers.
    pub recent: Arc<Recent>,
    /// The themes that must not come.
    pub watches: Vec<Watched>,
    /// The share of answers that are audited, 0 to 1.
    pub audited: f64,
}

impl Setting {
    /// No alarms but in annotations and metrics, no audits.
    pub fn new(metrics: Arc<Metrics>) -> Self {
        let encoder = Arc::new(Encoder::default());
        let recent = Arc::default();
        Self { metrics, encoder, desk: None, recent, watches: Vec::new(), audited: 0.0 }
    }
}

/// Loads the bundle in `folder` for the model that `host` runs.
///
/// # Errors
/// One line that says what in the bundle does not fit.
pub fn load(folder: &Path, host: &dyn Host, setting: &Setting) -> Result<Forecast> {
    attach(read(folder)?, host, setting)
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
/// One line that says what of the model or the setting the bundle was not made for.
pub fn attach(bundle: Bundle, host: &dyn Host, setting: &Setting) -> Result<Forecast> {
    let stops = setting.desk.as_ref().is_some_and(|desk| desk.stops());
    ensure!(
        !stops || !host.vocabulary().end_tokens().is_empty(),
        "alarms.policy: nothing can stop this model's answers, since its files name no token that \
         ends one; use \"webhook\" or \"shadow\" instead of \"stop\""
    );
    let warnings = bundle.fits(host.model())?.warnings;
    warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    check_dimensions(&bundle)?;
    let card = Arc::new(bundle.card.clone());
    if bundle.card.text.as_ref().is_some_and(|text| text.embedder == ENCODER) {
        setting.encoder.ready().map_err(|error| anyhow!(error))?;
    }
    let reads = encoders(&bundle);
    let listeners = Arc::new(Listeners::new(setting, card.clone(), host.name())?);
    let mut plugin = ForecastPlugin::new(Arc::new(bundle), listeners.clone());
    match reads.iter().find(|reads| *reads != ENCODER) {
        Some(other) => tracing::warn!("the encoder {other} is not known: no text is read"),
        None if reads.is_empty() => {}
        None => plugin = plugin.with_encoder(setting.encoder.clone()),
    }
    let plugin = plugin.with_watches(&setting.watches)?;
    let runner = runner(Arc::new(plugin), host, &setting.metrics)?;
    let fail_closed = setting.desk.as_ref().is_some_and(|desk| desk.fails_closed());
    listeners.begin();
    setting.metrics.bundle(&card);
    Ok(Forecast { runner: Runner { fail_closed, ..runner }, card: Some(card), warnings })
}

/// Refuses embeddings of another width than the encoder of that name has.
fn check_dimensions(bundle: &Bundle) -> Result<()> {
    let text = bundle.card.text.as_ref().map(|text| ("text", &text.embedder, text.dimension));
    let open = bundle.card.open.as_ref().map(|open| ("open", &open.embedder, open.dimension));
    for (part, embedder, dimension) in text.into_iter().chain(open) {
        ensure!(
            embedder != ENCODER || dimension == ENCODER_DIMENSION,
            "the card's '{part}' has {dimension} dimensions, {ENCODER} has {ENCODER_DIMENSION}"
        );
    }
    Ok(())
}

/// The encoders that a bundle reads texts and phrases through.
fn encoders(bundle: &Bundle) -> Vec<String> {
    let phrases = bundle.card.open.as_ref().map(|open| open.embedder.clone());
    let text = bundle.card.text.as_ref().map(|text| text.embedder.clone());
    phrases.into_iter().chain(text).collect()
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
        fail_closed: false,
    })
}
