//! The forecast as an activation plugin.

use crate::{
    bundle::Bundle,
    events::Observer,
    open::Watch,
    options::Options,
    session::ForecastSession,
    text::{Embed, Reader},
    watchlist::{WatchError, Watched, Watching},
};
use std::{collections::HashSet, sync::Arc};
use themecast_plugin_api::{Interest, ModelInfo, Plugin, PluginError, RequestInfo, Session};

/// Forecasts themes with the predictor of a bundle.
pub struct ForecastPlugin {
    bundle: Arc<Bundle>,
    observer: Arc<dyn Observer>,
    encoder: Option<Arc<dyn Embed>>,
    watches: Vec<Watching>,
}

impl ForecastPlugin {
    /// A plugin over `bundle` that tells `observer` what happens.
    pub fn new(bundle: Arc<Bundle>, observer: Arc<dyn Observer>) -> Self {
        Self { bundle, observer, encoder: None, watches: Vec::new() }
    }

    /// The same, with the sentence encoder that phrases to watch for go through, and the text
    /// where the bundle reads it.
    #[must_use]
    pub fn with_encoder(self, encoder: Arc<dyn Embed>) -> Self {
        Self { encoder: Some(encoder), ..self }
    }

    /// The same, raising an alarm before one of the `watched` themes comes.
    ///
    /// # Errors
    /// [`WatchError`] for the first one that does not fit the bundle.
    pub fn with_watches(self, watched: &[Watched]) -> Result<Self, WatchError> {
        let mut names = HashSet::new();
        if let Some(twice) = watched.iter().find(|one| !names.insert(&one.name)) {
            return Err(WatchError::twice(&twice.name));
        }
        let watch = |one: &Watched| Watching::new(one, &self.bundle.card.themes);
        let watches = watched.iter().map(watch).collect::<Result<_, _>>()?;
        Ok(Self { watches, ..self })
    }

    /// What scores the phrases of a request.
    fn phrases(&self, phrases: &[String]) -> Result<Watch, PluginError> {
        match (&self.bundle.open, &self.encoder) {
            (Some(head), Some(encoder)) if !phrases.is_empty() => {
                Watch::embed(head, &**encoder, phrases).map_err(PluginError::failed)
            }
            _ => Ok(Watch::default()),
        }
    }

    fn no_encoder(&self) -> Option<String> {
        let text = self.bundle.card.text.as_ref().filter(|_| self.encoder.is_none())?;
        Some(format!("the bundle reads the text through {}, which is not there", text.embedder))
    }
}

impl Plugin for ForecastPlugin {
    fn name(&self) -> &str {
        "themecast"
    }

    fn interest(&self, model: &ModelInfo) -> Result<Interest, PluginError> {
        let fit = self.bundle.fits(model);
        fit.map_err(|error| PluginError::UnsupportedModel(error.to_string()))?;
        match self.no_encoder() {
            Some(problem) => Err(PluginError::failed(problem)),
            None => Ok(Interest::last(self.bundle.sites())),
        }
    }

    fn open(&self, request: &RequestInfo) -> Result<Box<dyn Session>, PluginError> {
        let scores_phrases = self.bundle.open.is_some() && self.encoder.is_some();
        let options = Options::read(&request.options, self.bundle.card.horizons, scores_phrases)?;
        let phrases = self.phrases(&options.watch)?;
        let observer = self.observer.answer(request).unwrap_or_else(|| self.observer.clone());
        let session = ForecastSession::new(self.bundle.clone(), observer, options)
            .scoring(phrases)
            .watching(self.watches.clone());
        match (&self.bundle.card.text, &self.encoder) {
            (Some(text), Some(encoder)) => {
                let reader = Reader::new(encoder.clone(), text);
                Ok(Box::new(session.reading(reader, &request.prompt)?))
            }
            _ => Ok(Box::new(session)),
        }
    }
}
