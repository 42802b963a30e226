//! A plugin that measures another one and its tap, and taps more sites than that one asks for.

use crate::{
    host::{RawStep, StepSink, Tap},
    session::Runner,
};
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};
use themecast_plugin_api::{
    Annotation, End, Interest, ModelInfo, Plugin, PluginError, RequestInfo, Residuals, Session,
    Site, Step,
};

/// What one step took.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    /// Reading the residuals on the engine's thread, which decoding waits for.
    pub(super) tap: Duration,
    /// The plugin's step on the session's thread.
    pub(super) step: Duration,
}

/// What was measured; a step's tap comes first and is kept until the plugin has had its step.
#[derive(Default)]
struct Costs {
    whole: Mutex<Vec<Cost>>,
    taps: Mutex<HashMap<(String, usize), Duration>>,
}

/// Measures every step of the plugin it wraps.
pub(super) struct Timed {
    inner: Arc<dyn Plugin>,
    own: Interest,
    extra: Vec<Site>,
    costs: Arc<Costs>,
}

impl Timed {
    pub(super) fn new(runner: &Runner, extra: &[Site]) -> Arc<Self> {
        let own = runner.interest.clone();
        let extra = extra.iter().filter(|site| !own.sites.contains(site)).copied().collect();
        Arc::new(Self { inner: runner.plugin.clone(), own, extra, costs: Arc::default() })
    }

    /// The plugin's own sites first, then the extra ones.
    pub(super) fn interest(&self) -> Interest {
        let sites = [self.own.sites.clone(), self.extra.clone()].concat();
        Interest { sites, positions: self.own.positions }
    }

    /// The tap of the request `id`, measured from now on.
    pub(super) fn measured(&self, id: String, tap: Tap) -> Tap {
        let sink = TimedSink { id, inner: tap.sink, costs: self.costs.clone() };
        Tap { sink: Arc::new(sink), ..tap }
    }

    /// What each step took.
    pub(super) fn costs(&self) -> Vec<Cost> {
        self.costs.whole.lock().clone()
    }

    /// Forgets what was measured so far.
    pub(super) fn forget(&self) {
        self.costs.whole.lock().clear();
        self.costs.taps.lock().clear();
    }
}

impl Plugin for Timed {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn interest(&self, _model: &ModelInfo) -> Result<Interest, PluginError> {
        Ok(Self::interest(self))
    }

    fn open(&self, request: &RequestInfo) -> Result<Box<dyn Session>, PluginError> {
        let inner = self.inner.open(request)?;
        let (id, sites) = (request.id.clone(), self.own.sites.len());
        Ok(Box::new(TimedSession { id, inner, sites, costs: self.costs.clone() }))
    }
}

struct TimedSink {
    id: String,
    inner: Arc<dyn StepSink>,
    costs: Arc<Costs>,
}

impl StepSink for TimedSink {
    fn step(&self, step: Result<RawStep, String>, took: Duration) {
        if let Ok(step) = &step {
            self.costs.taps.lock().insert((self.id.clone(), step.index), took);
        }
        self.inner.step(step, took);
    }
}

struct TimedSession {
    id: String,
    inner: Box<dyn Session>,
    sites: usize,
    costs: Arc<Costs>,
}

impl Session for TimedSession {
    fn step(&mut self, step: &Step<'_>) -> Result<Option<Annotation>, PluginError> {
        let all = step.residuals;
        let own: Vec<f32> =
            (0..self.sites).flat_map(|site| all.all(site).iter().copied()).collect();
        let residuals = Residuals::new(&own, all.positions(), all.hidden_size());
        let begun = Instant::now();
        let said = self.inner.step(&Step { residuals, ..*step });
        let took = begun.elapsed();
        let tap = self.costs.taps.lock().remove(&(self.id.clone(), step.index));
        if let Some(tap) = tap {
            self.costs.whole.lock().push(Cost { tap, step: took });
        }
        said
    }

    fn end(&mut self, end: &End) -> Result<Option<Annotation>, PluginError> {
        self.inner.end(end)
    }
}
