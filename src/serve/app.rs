//! What every route shares.

use super::{ApiError, Keys, kept::Kept, live::Live, traces::Traces};
use crate::{forecast::Setting, host::Host, metrics::Metrics, session::Runner};
use parking_lot::{Mutex, RwLock};
use std::sync::{Arc, OnceLock};
use themecast_forecast::bundle::Card;
use tokio::sync::Semaphore;

/// How many requests may wait on a thread each for their phrases or prompts to be encoded.
pub(super) const MOST_ENCODING: usize = 64;

/// The state of the server.
pub struct App {
    /// The metrics of this process.
    pub metrics: Arc<Metrics>,
    /// What bundles are attached with.
    pub setting: Setting,
    /// Who may ask, and who may administer.
    pub keys: Keys,
    pub(super) traces: Traces,
    pub(super) live: Live,
    pub(super) kept: Kept,
    /// For requests whose phrases or prompts are being encoded, one after the other: without a bound they would
    /// take every thread that other sessions are opened on.
    pub(super) encoding: Arc<Semaphore>,
    ready: OnceLock<Ready>,
}

/// What is there once the model is loaded.
pub struct Ready {
    /// What runs the model.
    pub host: Arc<dyn Host>,
    /// The host's own other routes.
    pub other_routes: Option<axum::Router>,
    /// The forecast in use; none with `--no-forecast`.
    pub forecast: RwLock<Option<Forecast>>,
    /// Held while a bundle is read and put in place.
    pub(super) swaps: Mutex<()>,
}

/// A plugin in use, and the card of its bundle where it has one.
#[derive(Clone)]
pub struct Forecast {
    /// Opens the sessions.
    pub runner: Runner,
    /// The bundle's card.
    pub card: Option<Arc<Card>>,
    /// What of the model the bundle was not made for, where it runs all the same.
    pub warnings: Vec<String>,
}

/// A plugin without a bundle.
impl From<Runner> for Forecast {
    fn from(runner: Runner) -> Self {
        Self { runner, card: None, warnings: Vec::new() }
    }
}

impl App {
    /// A server that is not ready yet.
    pub fn new(metrics: Arc<Metrics>, keys: Keys) -> Arc<Self> {
        Self::with(Setting::new(metrics), keys)
    }

    /// The same, attaching bundles with `setting`.
    pub fn with(setting: Setting, keys: Keys) -> Arc<Self> {
        let (traces, live, kept) = (Traces::default(), Live::default(), Kept::default());
        let metrics = setting.metrics.clone();
        let encoding = Arc::new(Semaphore::new(MOST_ENCODING));
        let ready = OnceLock::new();
        Arc::new(Self { metrics, setting, keys, traces, live, kept, encoding, ready })
    }

    /// The model is loaded: requests are taken from now on.
    pub async fn set_ready(&self, host: Arc<dyn Host>, forecast: Option<Forecast>) {
        let other_routes = host.other_routes().await;
        let forecast = RwLock::new(forecast);
        let ready = Ready { host, other_routes, forecast, swaps: Mutex::default() };
        if self.ready.set(ready).is_err() {
            tracing::error!("the server was made ready twice; the first model stays");
        }
    }

    /// Whether some alarms end answers: then none may pass by the detectors.
    pub(super) fn stops(&self) -> bool {
        self.setting.desk.as_ref().is_some_and(|desk| desk.stops())
    }

    /// What is there once the model is loaded.
    ///
    /// # Errors
    /// [`ApiError::NotReady`] before.
    pub fn ready(&self) -> Result<&Ready, ApiError> {
        self.ready.get().ok_or(ApiError::NotReady)
    }
}

impl Ready {
    /// The forecast in use right now.
    pub fn forecast(&self) -> Option<Forecast> {
        self.forecast.read().clone()
    }
}
