//! The forecast as an activation plugin.

use crate::{
    bundle::Bundle,
    events::Observer,
    open::{Embed, Watch},
    options::Options,
    session::ForecastSession,
};
use std::sync::Arc;
use themecast_plugin_api::{Interest, ModelInfo, Plugin, PluginError, RequestInfo, Session};

/// Forecasts themes with the predictor of a bundle.
pub struct ForecastPlugin {
    bundle: Arc<Bundle>,
    observer: Arc<dyn Observer>,
    encoder: Option<Arc<dyn Embed>>,
}

impl ForecastPlugin {
    /// A plugin over `bundle` that tells `observer` what happens.
    pub fn new(bundle: Arc<Bundle>, observer: Arc<dyn Observer>) -> Self {
        Self { bundle, observer, encoder: None }
    }

    /// The same, with the encoder that phrases to watch for go through, where the bundle has an
    /// open-vocabulary head.
    #[must_use]
    pub fn with_encoder(self, encoder: Arc<dyn Embed>) -> Self {
        Self { encoder: Some(encoder), ..self }
    }

    /// What scores the phrases of a request.
    fn watch(&self, phrases: &[String]) -> Result<Watch, PluginError> {
        match (&self.bundle.open, &self.encoder) {
            (Some(head), Some(encoder)) if !phrases.is_empty() => {
                Watch::embed(head, &**encoder, phrases).map_err(PluginError::failed)
            }
            _ => Ok(Watch::default()),
        }
    }
}

impl Plugin for ForecastPlugin {
    fn name(&self) -> &str {
        "themecast"
    }

    fn interest(&self, model: &ModelInfo) -> Result<Interest, PluginError> {
        let fit = self.bundle.fits(model);
        fit.map_err(|error| PluginError::UnsupportedModel(error.to_string()))?;
        Ok(Interest::last(self.bundle.sites()))
    }

    fn open(&self, request: &RequestInfo) -> Result<Box<dyn Session>, PluginError> {
        let scores_phrases = self.bundle.open.is_some() && self.encoder.is_some();
        let options = Options::read(&request.options, self.bundle.card.horizons, scores_phrases)?;
        let watch = self.watch(&options.watch)?;
        let session = ForecastSession::new(self.bundle.clone(), self.observer.clone(), options);
        Ok(Box::new(session.watching(watch)))
    }
}
