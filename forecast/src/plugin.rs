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
    /// The phrases of all watches, in their order.
    watched: Watch,
}

impl ForecastPlugin {
    /// A plugin over `bundle` that tells `observer` what happens.
    pub fn new(bundle: Arc<Bundle>, observer: Arc<dyn Observer>) -> Self {
        Self { bundle, observer, encoder: None, watches: Vec::new(), watched: Watch::default() }
    }

    /// The same, with the sentence encoder that phrases to watch for go through, and the text
    /// where the bundle reads it.
    #[must_use]
    pub fn with_encoder(self, encoder: Arc<dyn Embed>) -> Self {
        Self { encoder: Some(encoder), ..self }
    }

    /// The same, raising an alarm before one of the `watched` themes or phrases comes. Phrases are
    /// encoded here, so the encoder comes first.
    ///
    /// # Errors
    /// [`WatchError`] for the first one that does not fit the bundle, or whose phrases nothing scores.
    pub fn with_watches(self, watched: &[Watched]) -> Result<Self, WatchError> {
        let mut names = HashSet::new();
        if let Some(twice) = watched.iter().find(|one| !names.insert(&one.name)) {
            return Err(WatchError::twice(&twice.name));
        }
        let (mut watches, mut phrases) = (Vec::with_capacity(watched.len()), Vec::new());
        for one in watched {
            watches.push(Watching::new(one, &self.bundle.card.themes, phrases.len())?);
            phrases.extend_from_slice(&one.phrases);
        }
        let Some(first) = watched.iter().find(|one| !one.phrases.is_empty()) else {
            return Ok(Self { watches, ..self });
        };
        let unscored = |problem| WatchError::unscored(&first.name, problem);
        let (Some(head), Some(encoder)) = (&self.bundle.open, &self.encoder) else {
            let problem = "the bundle scores no phrases: give one that was trained with --watch, or \
                           ids of themes";
            return Err(unscored(problem.to_owned()));
        };
        let watched = Watch::embed(head, &**encoder, &phrases).map_err(unscored)?;
        Ok(Self { watches, watched, ..self })
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
            .watching(self.watches.clone(), self.watched.clone());
        match (&self.bundle.card.text, &self.encoder) {
            (Some(text), Some(encoder)) => {
                let reader = Reader::new(encoder.clone(), text);
                Ok(Box::new(session.reading(reader, &request.prompt)?))
            }
            _ => Ok(Box::new(session)),
        }
    }
}
