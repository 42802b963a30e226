//! The forecast's events as metrics.

use super::{Metrics, families::Families};
use std::sync::Arc;
use themecast_forecast::{
    bundle::Card,
    events::{Detector, ForecastMade, Observer, Raised, Reaction, SegmentEnded},
    watchlist::Watched,
};

/// Counts what the sessions of one bundle tell; theme labels come from its catalogue.
pub struct ForecastMetrics {
    metrics: Arc<Metrics>,
    card: Arc<Card>,
}

impl ForecastMetrics {
    /// Counts for the sessions of the bundle with this card, which watch for `watches`.
    pub fn new(metrics: Arc<Metrics>, card: Arc<Card>, watches: &[Watched]) -> Self {
        // A rate needs a series that is there before the first alarm.
        for detector in Detector::DIVERGENCE.map(Detector::name) {
            metrics.families.divergence.alarms.with_label_values(&[detector]);
            metrics.families.divergence.held_back.with_label_values(&[detector]);
        }
        for theme in &card.themes {
            metrics.families.forecasts.realized.with_label_values(&[&theme.id]);
        }
        for ahead in 0..=card.horizons {
            let ahead = [ahead.to_string()];
            metrics.families.forecasts.samples.with_label_values(&ahead);
            metrics.families.divergence.surprise.with_label_values(&ahead);
            metrics.families.divergence.excess.with_label_values(&ahead);
        }
        for watch in watches {
            metrics.families.divergence.watches.with_label_values(&[&watch.name]);
        }
        Self { metrics, card }
    }

    fn families(&self) -> &Families {
        &self.metrics.families
    }

    fn theme(&self, theme: usize) -> &str {
        self.card.themes.get(theme).map_or("", |theme| &theme.id)
    }
}

impl Metrics {
    /// This bundle is in use from now on.
    pub fn bundle(&self, card: &Card) {
        let (themes, horizons) = (card.themes.len().to_string(), card.horizons.to_string());
        let labels = [&card.predictor, &card.model.architecture, &themes, &horizons, &card.created];
        let _between_scrapes = self.scrape.lock();
        self.families.plugin.bundle.reset();
        self.families.plugin.bundle.with_label_values(&labels.map(String::as_str)).set(1.0);
        self.families.forecasts.reference.reset();
        for theme in &card.themes {
            let share = self.families.forecasts.reference.with_label_values(&[theme.id.as_str()]);
            share.set(f64::from(theme.share));
        }
    }
}

impl Observer for ForecastMetrics {
    fn forecast(&self, event: &ForecastMade<'_>) {
        for (ahead, step) in event.steps.iter().enumerate() {
            let ahead = ahead.to_string();
            self.families().forecasts.samples.with_label_values(&[ahead.as_str()]).inc();
            for (theme, p) in step.iter().enumerate() {
                let labels = [self.theme(theme), &ahead];
                self.families()
                    .forecasts
                    .probability
                    .with_label_values(&labels)
                    .inc_by(f64::from(*p));
            }
        }
    }

    /// What the end of an answer cut off is no segment: the bundle's data has none of those either.
    fn segment_ended(&self, event: &SegmentEnded<'_>) {
        if !event.complete {
            return;
        }
        let families = self.families();
        families.forecasts.realized.with_label_values(&[self.theme(event.theme)]).inc();
        if let Some(before) = event.before {
            let labels = [self.theme(before), self.theme(event.theme)];
            families.forecasts.transitions.with_label_values(&labels).inc();
        }
        for surprise in event.surprises {
            let ahead = surprise.ahead.to_string();
            let nats = f64::from(surprise.surprise_nats);
            families.divergence.surprise.with_label_values(&[ahead.as_str()]).observe(nats);
            let excess = f64::from(surprise.excess_nats);
            families.divergence.excess.with_label_values(&[ahead.as_str()]).observe(excess);
        }
        families.divergence.shift.observe(f64::from(event.shift));
        families.divergence.score.observe(f64::from(event.score));
    }

    fn alarm(&self, event: &Raised<'_>) -> Reaction {
        let families = &self.families().divergence;
        match event.detector {
            Detector::Watch => {
                families.watches.with_label_values(&[event.watch.unwrap_or_default()]).inc();
            }
            Detector::OutOfDistribution => {} // counted with its residual
            detector => families.alarms.with_label_values(&[detector.name()]).inc(),
        }
        Reaction::GoOn
    }

    fn held_back(&self, event: &Raised<'_>) {
        let detector = event.detector.name();
        self.families().divergence.held_back.with_label_values(&[detector]).inc();
    }

    fn residual(&self, distance: f32, out_of_distribution: bool) {
        self.families().divergence.distance.observe(f64::from(distance));
        self.families().divergence.out_of_distribution.inc_by(u64::from(out_of_distribution));
    }
}
