//! The forecast as an activation plugin.

use crate::{bundle::Bundle, events::Observer, options::Options, session::ForecastSession};
use std::sync::Arc;
use themecast_plugin_api::{Interest, ModelInfo, Plugin, PluginError, RequestInfo, Session};

/// Forecasts themes with the predictor of a bundle.
pub struct ForecastPlugin {
    bundle: Arc<Bundle>,
    observer: Arc<dyn Observer>,
}

impl ForecastPlugin {
    /// A plugin over `bundle` that tells `observer` what happens.
    pub fn new(bundle: Arc<Bundle>, observer: Arc<dyn Observer>) -> Self {
        Self { bundle, observer }
    }
}

impl Plugin for ForecastPlugin {
    fn name(&self) -> &str {
        "themecast"
    }

    fn interest(&self, model: &ModelInfo) -> Result<Interest, PluginError> {
        let fit = self.bundle.fits(model);
        fit.map_err(|error| PluginError::UnsupportedModel(error.to_string()))?;
        Ok(Interest::last(self.bundle.card.sites.clone()))
    }

    fn open(&self, request: &RequestInfo) -> Result<Box<dyn Session>, PluginError> {
        let options = Options::read(&request.options, self.bundle.card.horizons)?;
        Ok(Box::new(ForecastSession::new(self.bundle.clone(), self.observer.clone(), options)))
    }
}
