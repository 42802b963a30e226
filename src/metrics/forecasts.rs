//! The forecast's events as metrics.

use super::{
    Metrics,
    families::Families,
    labels::{After, Ahead, Before, Bundle, Theme, Watch},
};
use std::sync::Arc;
use themecast_forecast::{
    bundle::Card,
    events::{Detector, ForecastMade, Observer, Raised, Reaction, SegmentEnded},
    watchlist::Watched,
};

/// Counts what the sessions of one bundle tell; theme labels come from its catalogue.
pub struct ForecastMetrics {
    metrics: Arc<Metrics>,
    themes: Vec<Theme>,
    watches: Vec<Watch>,
    horizons: usize,
}

impl ForecastMetrics {
    /// Counts for the sessions of the bundle with this card, which watch for `watches`.
    pub fn new(metrics: Arc<Metrics>, card: &Card, watches: &[Watched]) -> Self {
        let (themes, watches) = (Theme::all(card), watches.iter().map(Watch::from).collect());
        Self { metrics, themes, watches, horizons: card.horizons }
    }

    /// Makes every series of the bundle, once it has been taken: a rate needs one that is there before
    /// its first event.
    pub fn begin(&self) {
        let Families { forecasts, divergence, .. } = self.families();
        for detector in Detector::DIVERGENCE {
            divergence.alarms.of(&detector);
            divergence.held_back.of(&detector);
        }
        for theme in &self.themes {
            forecasts.realized.of(theme);
        }
        for ahead in Ahead::up_to(self.horizons) {
            forecasts.samples.of(&ahead);
            for theme in &self.themes {
                forecasts.probability.of(&(theme.clone(), ahead));
            }
            divergence.surprise.of(&ahead);
            divergence.excess.of(&ahead);
        }
        for watch in &self.watches {
            divergence.watches.of(watch);
        }
    }

    fn families(&self) -> &Families {
        &self.metrics.families
    }
}

impl Metrics {
    /// This bundle is in use from now on.
    pub fn bundle(&self, card: &Card) {
        let _between_scrapes = self.scrape.lock();
        self.families.plugin.bundle.reset();
        self.families.plugin.bundle.of(&Bundle::from(card)).set(1);
        self.families.forecasts.reference.reset();
        for (label, theme) in Theme::all(card).iter().zip(&card.themes) {
            self.families.forecasts.reference.of(label).set(f64::from(theme.share));
        }
    }
}

impl Observer for ForecastMetrics {
    fn forecast(&self, event: &ForecastMade<'_>) {
        for (ahead, step) in event.steps.iter().enumerate() {
            let (ahead, forecasts) = (Ahead::new(ahead), &self.families().forecasts);
            forecasts.samples.of(&ahead).inc();
            for (theme, p) in self.themes.iter().zip(step) {
                forecasts.probability.of(&(theme.clone(), ahead)).inc_by(f64::from(*p));
            }
        }
    }

    /// What the end of an answer cut off is no segment: the bundle's data has none of those either.
    fn segment_ended(&self, event: &SegmentEnded<'_>) {
        if !event.complete {
            return;
        }
        let families = self.families();
        let theme = |theme: usize| self.themes.get(theme);
        if let Some(came) = theme(event.theme) {
            families.forecasts.realized.of(came).inc();
            if let Some(before) = event.before.and_then(theme) {
                let labels = (Before(before.clone()), After(came.clone()));
                families.forecasts.transitions.of(&labels).inc();
            }
        }
        for surprise in event.surprises {
            let ahead = Ahead::new(surprise.ahead);
            let nats = f64::from(surprise.surprise_nats);
            families.divergence.surprise.of(&ahead).observe(nats);
            let excess = f64::from(surprise.excess_nats);
            families.divergence.excess.of(&ahead).observe(excess);
        }
        families.divergence.shift.observe(f64::from(event.shift));
        families.divergence.score.observe(f64::from(event.score));
    }

    fn alarm(&self, event: &Raised<'_>) -> Reaction {
        let families = &self.families().divergence;
        match event.detector {
            Detector::Watch => {
                let name = event.watch.unwrap_or_default();
                if let Some(watch) = self.watches.iter().find(|watch| watch.is(name)) {
                    families.watches.of(watch).inc();
                }
            }
            Detector::OutOfDistribution => {} // counted with its residual
            detector => families.alarms.of(&detector).inc(),
        }
        Reaction::GoOn
    }

    fn held_back(&self, event: &Raised<'_>) {
        self.families().divergence.held_back.of(&event.detector).inc();
    }

    fn residual(&self, distance: f32, out_of_distribution: bool) {
        self.families().divergence.distance.observe(f64::from(distance));
        self.families().divergence.out_of_distribution.inc_by(u64::from(out_of_distribution));
    }
}
