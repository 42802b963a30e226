//! Every metric of Themecast. Callers report what happened, typed; only this folder writes names.
//!
//! `families` defines the metrics with their help texts and buckets; the methods here, in
//! `forecasts`, `alarms` and `audits` are the only ways to change them. What several replicas report adds up: sums and
//! counts, never means. `labels` has the types that series are told apart by: no text of a request is one.

mod alarms;
mod audits;
mod families;
mod forecasts;
mod labels;
mod registrar;

pub use forecasts::ForecastMetrics;

use crate::{
    host::{Load, Route},
    session::Outcome,
};
use axum::http::StatusCode;
use families::Families;
use labels::{Forecasts, Kind, Reload, Status};
use parking_lot::Mutex;
use prometheus::{Encoder, Registry, TextEncoder};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// Which way of asking a request used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Served {
    /// One of the two that are forecast.
    Forecast(Route),
    /// Another one that writes answers.
    Other,
}

impl Served {
    fn name(self) -> &'static str {
        match self {
            Self::Forecast(route) => route.path(),
            Self::Other => "other",
        }
    }
}

/// Why an annotation was not sent.
#[derive(Debug, Clone, Copy)]
pub enum DropReason {
    /// The session was too slow for its engine.
    Behind,
    /// The stream did not wait any longer.
    Late,
}

impl DropReason {
    const ALL: [Self; 2] = [Self::Behind, Self::Late];

    fn name(self) -> &'static str {
        match self {
            Self::Behind => "behind",
            Self::Late => "late",
        }
    }
}

/// What went wrong in a plugin's session.
#[derive(Debug, Clone, Copy)]
pub enum Failure {
    /// It returned an error.
    Error,
    /// It panicked.
    Panic,
    /// It said a number that is not finite.
    NotFinite,
    /// The residuals of a step could not be read.
    Tap,
    /// It could not be opened.
    Open,
}

impl Failure {
    const ALL: [Self; 5] = [Self::Error, Self::Panic, Self::NotFinite, Self::Tap, Self::Open];

    fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Panic => "panic",
            Self::NotFinite => "not_finite",
            Self::Tap => "tap",
            Self::Open => "open",
        }
    }
}

/// The metrics of one process.
pub struct Metrics {
    registry: Registry,
    families: Families,
    sessions: Arc<AtomicUsize>,
    /// Held by a scrape, and by what must not be seen half done.
    scrape: Mutex<()>,
}

/// Counts a thing for as long as it lives.
pub struct Alive(prometheus::IntGauge);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Counts a session for as long as it lives.
pub struct SessionAlive(Arc<AtomicUsize>);

impl Drop for SessionAlive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Metrics {
    /// Makes and registers every metric.
    ///
    /// # Errors
    /// When two metrics have one name, which a test rules out.
    pub fn new() -> Result<Arc<Self>, prometheus::Error> {
        let registry = Registry::new();
        let families = Families::register(&registry)?;
        // A rate needs a series that is there before the first event.
        for outcome in Forecasts::ALL {
            families.plugin.forecasts.of(&outcome);
        }
        for reason in DropReason::ALL {
            families.plugin.dropped.of(&reason);
        }
        for failure in Failure::ALL {
            families.plugin.failures.of(&failure);
        }
        for kind in [Kind::Prompt, Kind::Completion] {
            families.work.tokens.of(&kind);
        }
        for ok in [true, false] {
            families.plugin.reloads.of(&Reload(ok));
        }
        let scrape = Mutex::default();
        Ok(Arc::new(Self { registry, families, sessions: Arc::default(), scrape }))
    }

    /// The exposition in Prometheus's text format, with the engines' present state.
    pub fn render(&self, load: Load) -> String {
        let _whole = self.scrape.lock();
        self.families.load(load);
        let mut text = Vec::new();
        let encoded = TextEncoder::new().encode(&self.registry.gather(), &mut text);
        if let Err(error) = encoded {
            tracing::error!(%error, "the metrics could not be rendered");
        }
        String::from_utf8_lossy(&text).into_owned()
    }

    /// A request has come in; it is in flight for as long as the result lives.
    pub fn request(&self) -> Alive {
        self.families.work.in_flight.inc();
        Alive(self.families.work.in_flight.clone())
    }

    /// A request has been answered.
    pub fn answered(&self, route: Served, status: StatusCode) {
        self.families.work.requests.of(&(route, Status(status))).inc();
    }

    /// Tokens were read and written.
    pub fn tokens(&self, prompt: u64, completion: u64) {
        self.families.work.tokens.of(&Kind::Prompt).inc_by(prompt);
        self.families.work.tokens.of(&Kind::Completion).inc_by(completion);
    }

    /// The first token came this long after its request.
    pub fn first_token(&self, after: Duration) {
        self.families.work.first_token.observe(after.as_secs_f64());
    }

    /// A further token came this long after the one before.
    pub fn inter_token(&self, after: Duration) {
        self.families.work.inter_token.observe(after.as_secs_f64());
    }

    /// The isolation check has ended.
    pub fn isolation(&self, passed: bool) {
        self.families.work.isolation.set(i64::from(passed));
    }

    /// A step's residuals were copied.
    pub fn tapped(&self, bytes: usize, took: Duration) {
        self.families.plugin.tap_bytes.inc_by(bytes as u64);
        self.families.plugin.tap.observe(took.as_secs_f64());
    }

    /// A plugin was asked about one step; its annotation was ready this long after the tap.
    pub fn forecast(&self, outcome: &Outcome, after: Duration) {
        self.families.plugin.forecasts.of(&outcome.into()).inc();
        if outcome.is_ok() {
            self.families.plugin.forecast.observe(after.as_secs_f64());
        }
    }

    /// An annotation was not sent.
    pub fn annotation_dropped(&self, reason: DropReason) {
        self.families.plugin.dropped.of(&reason).inc();
    }

    /// Something went wrong in a plugin's session.
    pub fn plugin_failed(&self, failure: Failure) {
        self.families.plugin.failures.of(&failure).inc();
    }

    /// The bundle was swapped, or a bad one refused.
    pub fn bundle_reloaded(&self, ok: bool) {
        self.families.plugin.reloads.of(&Reload(ok)).inc();
    }

    /// A session lives for as long as the result.
    pub fn session(&self) -> SessionAlive {
        self.sessions.fetch_add(1, Ordering::AcqRel);
        SessionAlive(self.sessions.clone())
    }

    /// How many sessions live right now.
    pub fn sessions(&self) -> usize {
        self.sessions.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exposition_names_every_family_with_its_labels() {
        let metrics = Metrics::new().unwrap();
        let in_flight = metrics.request();
        metrics.answered(Served::Forecast(Route::Chat), StatusCode::OK);
        metrics.tokens(3, 4);
        metrics.forecast(&Err("x".into()), Duration::from_millis(1));
        let text = metrics.render(Load { idle: 1, busy: 2, dead: 0, waiting: 5 });
        drop(in_flight);
        for line in [
            "themecast_requests_total{route=\"/v1/chat/completions\",status=\"200\"} 1",
            "themecast_requests_in_flight 1",
            "themecast_requests_waiting 5",
            "themecast_engines{state=\"busy\"} 2",
            "themecast_tokens_total{kind=\"completion\"} 4",
            "themecast_forecasts_total{outcome=\"error\"} 1",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        assert!(metrics.render(Load::default()).contains("themecast_requests_in_flight 0"));
    }
}
