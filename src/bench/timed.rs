//! A plugin that measures another one, and taps more sites than that one asks for.

use crate::session::Runner;
use parking_lot::Mutex;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use themecast_plugin_api::{
    Annotation, End, Interest, ModelInfo, Plugin, PluginError, RequestInfo, Residuals, Session,
    Site, Step,
};

type Costs = Arc<Mutex<Vec<Duration>>>;

/// Measures every step of the plugin it wraps.
pub(super) struct Timed {
    inner: Arc<dyn Plugin>,
    own: Interest,
    extra: Vec<Site>,
    costs: Costs,
}

impl Timed {
    pub(super) fn new(runner: &Runner, extra: &[Site]) -> Arc<Self> {
        let own = runner.interest.clone();
        let extra = extra.iter().filter(|site| !own.sites.contains(site)).copied().collect();
        Arc::new(Self { inner: runner.plugin.clone(), own, extra, costs: Costs::default() })
    }

    /// The plugin's own sites first, then the extra ones.
    pub(super) fn interest(&self) -> Interest {
        let sites = [self.own.sites.clone(), self.extra.clone()].concat();
        Interest { sites, positions: self.own.positions }
    }

    /// How long each step took.
    pub(super) fn costs(&self) -> Vec<Duration> {
        self.costs.lock().clone()
    }

    /// Forgets what was measured so far.
    pub(super) fn forget(&self) {
        self.costs.lock().clear();
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
        let sites = self.own.sites.len();
        Ok(Box::new(TimedSession { inner, sites, costs: self.costs.clone() }))
    }
}

struct TimedSession {
    inner: Box<dyn Session>,
    sites: usize,
    costs: Costs,
}

impl Session for TimedSession {
    fn step(&mut self, step: &Step<'_>) -> Result<Option<Annotation>, PluginError> {
        let all = step.residuals;
        let own: Vec<f32> =
            (0..self.sites).flat_map(|site| all.all(site).iter().copied()).collect();
        let residuals = Residuals::new(&own, all.positions(), all.hidden_size());
        let begun = Instant::now();
        let said = self.inner.step(&Step { residuals, ..*step });
        self.costs.lock().push(begun.elapsed());
        said
    }

    fn end(&mut self, end: &End) -> Result<Option<Annotation>, PluginError> {
        self.inner.end(end)
    }
}
