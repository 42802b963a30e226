//! The engines behind one address: least busy first, waiting requests first come first served.

use super::{
    Isolation, LoadError, Options,
    answer::{self, Running},
    ending::Ending,
    isolation,
    load::Engine,
    metadata::Metadata,
    probe::{Count, Probe, Seen},
    request,
};
use crate::host::{Answer, Call, Held, Host, HostError, Load, Vocabulary};
use futures::{FutureExt, future::BoxFuture};
use mistralrs_core::{MistralRs, Request};
use mistralrs_server_core::mistralrs_server_router_builder::MistralRsServerRouterBuilder;
use parking_lot::Mutex;
use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};
use themecast_plugin_api::ModelInfo;
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
};

/// How many responses an engine may be ahead of the task that takes them.
const RESPONSES_AHEAD: usize = 10_000;

/// How long to wait before looking whether a dead engine runs again.
const RESTART_PAUSE: std::time::Duration = std::time::Duration::from_millis(50);

/// mistral.rs, running one model on one or several engines.
#[derive(Clone)]
pub struct MistralHost(Arc<Pool>);

pub(super) struct Pool {
    name: String,
    metadata: Metadata,
    engines: Vec<Engine>,
    places: Mutex<Vec<Places>>,
    room: Arc<Semaphore>,
    waiting: AtomicUsize,
    max_waiting: usize,
    isolation: OnceLock<Isolation>,
    runtime: Handle,
}

/// How many requests an engine runs and may run.
#[derive(Debug, Clone, Copy)]
struct Places {
    running: usize,
    capacity: usize,
    dead: bool,
}

/// One request's place on an engine; dropping it frees the place.
pub(super) struct Place {
    pool: Arc<Pool>,
    engine: usize,
    /// Where the engine that runs now takes requests; closed for good once it has died.
    sender: mpsc::Sender<Request>,
    _permit: OwnedSemaphorePermit,
}

impl MistralHost {
    pub(super) fn new(
        name: String,
        metadata: Metadata,
        engines: Vec<Engine>,
        options: &Options,
        runtime: Handle,
    ) -> Arc<Self> {
        let place =
            |engine: &Engine| Places { running: 0, capacity: engine.sequences, dead: false };
        let places: Vec<Places> = engines.iter().map(place).collect();
        let room = places.iter().map(|places| places.capacity).sum();
        let pool = Pool {
            name,
            metadata,
            engines,
            places: Mutex::new(places),
            room: Arc::new(Semaphore::new(room)),
            waiting: AtomicUsize::new(0),
            max_waiting: options.max_waiting,
            isolation: OnceLock::new(),
            runtime,
        };
        Arc::new(Self(Arc::new(pool)))
    }

    /// What the isolation check found; `None` when it has not been run.
    pub fn isolation(&self) -> Option<Isolation> {
        self.0.isolation.get().copied()
    }

    /// How many requests run on tapped engines right now.
    pub fn live_taps(&self) -> usize {
        self.0.engines.iter().map(|engine| engine.tap.live()).sum()
    }

    /// Whether a tap still holds residuals of some forward pass.
    pub fn holds_residuals(&self) -> bool {
        self.0.engines.iter().any(|engine| engine.tap.holds_anything())
    }

    /// Checks that requests do not mix, at one sequence an engine if need be.
    ///
    /// # Errors
    /// [`LoadError::Isolation`] where they mix, or get no answer, even then.
    pub(super) async fn check_isolation(&self) -> Result<(), LoadError> {
        let sequences: usize = self.0.places.lock().iter().map(|places| places.capacity).sum();
        let ask = |prompt| isolation::ask(self, prompt);
        let found = isolation::settle(sequences, ask, || self.0.one_sequence_each()).await;
        let failed = || LoadError::Isolation { model: self.0.name.clone() };
        let _ = self.0.isolation.set(found.ok_or_else(failed)?);
        Ok(())
    }
}

impl Pool {
    /// Lets every engine run one sequence at a time from now on.
    fn one_sequence_each(&self) {
        let mut places = self.places.lock();
        let surplus: usize = places.iter().map(|places| places.capacity - 1).sum();
        places.iter_mut().for_each(|places| places.capacity = 1);
        self.room.forget_permits(surplus);
    }

    /// Waits for a place, first come first served, and takes it on the least busy engine.
    async fn place(self: &Arc<Self>) -> Result<Place, HostError> {
        let permit = match self.room.clone().try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => {
                let _waiting = Waiting::new(self)?;
                let permit = self.room.clone().acquire_owned().await;
                permit.map_err(|_| HostError::EngineDied)?
            }
        };
        let engine = self.least_busy().ok_or(HostError::EngineDied)?;
        let Ok(sender) = self.engines[engine].runner.get_sender(None) else {
            self.places.lock()[engine].running -= 1;
            return Err(HostError::EngineDied);
        };
        Ok(Place { pool: self.clone(), engine, sender, _permit: permit })
    }

    /// One place more is taken on the engine, among those with room, that runs least.
    fn least_busy(&self) -> Option<usize> {
        let mut places = self.places.lock();
        let open =
            |(_, place): &(usize, &mut Places)| !place.dead && place.running < place.capacity;
        let least = places.iter_mut().enumerate().filter(open).min_by_key(|(_, p)| p.running);
        let (engine, place) = least?;
        place.running += 1;
        Some(engine)
    }

    async fn start(self: Arc<Self>, call: Call) -> Result<Answer, HostError> {
        let (sender, responses) = mpsc::channel(RESPONSES_AHEAD);
        let Call { route, body, tap, sampling, after, steering } = call;
        let mut request =
            request::parse(route, body, self.engines[0].runner.clone(), sender).await?;
        if request.sampling_params.n_choices > 1 && self.at_once() == 1 {
            let message = "an engine runs one sequence at a time: send one request a choice";
            return Err(HostError::Invalid(message.to_owned()));
        }
        let place = self.place().await?;
        let engine = &self.engines[place.engine];
        if steering.is_some() && self.places.lock()[place.engine].capacity > 1 {
            let message = "only an engine that runs one sequence at a time can be steered";
            return Err(HostError::Invalid(message.to_owned()));
        }
        let lease = request::lease(engine, tap.as_ref(), steering.as_ref())?;
        let cancelled = Arc::new(AtomicBool::new(false));
        if !after.is_empty() {
            request::go_on(&mut request, &after, &place.sender).await?;
        }
        let (prompt, tokens) = tap.as_ref().and_then(|_| request::prompt_tokens(&request)).unzip();
        let probe = Probe {
            reading: tap.zip(lease.as_ref()).map(|(tap, lease)| request::reading(tap, lease)),
            sampling,
            vocabulary: self.metadata.vocabulary.clone(),
            cancelled: cancelled.clone(),
            seen: Mutex::new(Seen::new(tokens)),
            count: Arc::new(Count::default()),
        };
        let ending = Ending::new(route, &request, &self.name, probe.count.clone());
        if sampling.is_some() {
            request.sampling_params.temperature = Some(0.0); // None would be 1 in mistral.rs
        }
        request.logits_processors = Some(vec![Arc::new(probe)]);
        for request in prompt.flatten().into_iter().chain([Request::Normal(request)]) {
            place.sender.try_send(request).map_err(|_| HostError::EngineDied)?;
        }
        Ok(answer::events(Running { responses, place, lease, cancelled }, ending))
    }

    /// The routes of an engine, and a place on it.
    async fn answering(self: &Arc<Self>) -> Result<(axum::Router, Held), HostError> {
        let place = self.place().await?;
        let routes = routes(self.engines[place.engine].runner.clone()).await;
        let held: Held = Box::new(FreeOnDrop(Some(place)));
        Ok((routes.ok_or(HostError::EngineDied)?, held))
    }

    /// How many sequences each engine runs at once.
    fn at_once(&self) -> usize {
        self.places.lock().iter().map(|places| places.capacity).min().unwrap_or(1)
    }
}

/// mistral.rs's own routes over one engine.
async fn routes(engine: Arc<MistralRs>) -> Option<axum::Router> {
    MistralRsServerRouterBuilder::new().with_mistralrs(engine).build().await.ok()
}

impl Place {
    /// The runtime that the host was made in.
    pub(super) fn runtime(&self) -> Handle {
        self.pool.runtime.clone()
    }

    /// Frees the place; whether its engine has died. A dead engine is started again in the
    /// background, and its place stays taken until it runs.
    pub(super) fn free(self) -> bool {
        let died = self.sender.is_closed();
        if died {
            self.runtime().spawn(async move {
                self.pool.places.lock()[self.engine].dead = true;
                tracing::error!(engine = self.engine, "an engine died; starting it again");
                while self.is_down() {
                    tokio::time::sleep(RESTART_PAUSE).await;
                }
                self.pool.places.lock()[self.engine].dead = false;
                tracing::info!(engine = self.engine, "the engine runs again");
            });
        }
        died
    }

    /// Whether the engine does not run again yet: mistral.rs starts a dead one when it is asked for its
    /// sender.
    fn is_down(&self) -> bool {
        let runner = &self.pool.engines[self.engine].runner;
        !matches!(runner.get_sender(None), Ok(sender) if !sender.is_closed())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.pool.places.lock()[self.engine].running -= 1;
    }
}

/// A place that is freed as at the end of an answer, wherever it is dropped.
struct FreeOnDrop(Option<Place>);

impl Drop for FreeOnDrop {
    fn drop(&mut self) {
        if let Some(place) = self.0.take() {
            place.free();
        }
    }
}

/// Counts a waiting request for as long as it waits.
struct Waiting<'a>(&'a Pool);

impl<'a> Waiting<'a> {
    fn new(pool: &'a Pool) -> Result<Self, HostError> {
        let waiting = pool.waiting.fetch_add(1, Ordering::AcqRel);
        let this = Self(pool);
        if waiting >= pool.max_waiting {
            return Err(HostError::Busy(waiting));
        }
        Ok(this)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Host for MistralHost {
    fn name(&self) -> &str {
        &self.0.name
    }

    fn model(&self) -> &ModelInfo {
        &self.0.metadata.info
    }

    fn vocabulary(&self) -> &Arc<Vocabulary> {
        &self.0.metadata.vocabulary
    }

    fn generate(&self, call: Call) -> BoxFuture<'_, Result<Answer, HostError>> {
        self.0.clone().start(call).boxed()
    }

    fn tokenize(&self, text: String) -> BoxFuture<'_, Result<Vec<u32>, HostError>> {
        let sender = self.0.engines[0].runner.get_sender(None);
        async move { request::tokens(text, &sender.map_err(|_| HostError::EngineDied)?).await }
            .boxed()
    }

    fn load(&self) -> Load {
        let places = self.0.places.lock();
        let count = |is: fn(&Places) -> bool| places.iter().filter(|place| is(place)).count();
        Load {
            idle: count(|place| !place.dead && place.running == 0),
            busy: count(|place| !place.dead && place.running > 0),
            dead: count(|place| place.dead),
            waiting: self.0.waiting.load(Ordering::Acquire),
        }
    }

    fn at_once(&self) -> usize {
        self.0.at_once()
    }

    fn other_routes(&self) -> BoxFuture<'_, Option<axum::Router>> {
        routes(self.0.engines[0].runner.clone()).boxed()
    }

    fn answering_routes(&self) -> BoxFuture<'_, Result<(axum::Router, Held), HostError>> {
        self.0.answering().boxed()
    }
}
