//! What runs the model, behind one small trait: [`Host`].
//!
//! The server, the collector and the benchmark speak only to [`Host`]; [`mistral`] is the one
//! that is built. A second host implements the trait, reports its residuals to a [`StepSink`] and
//! changes nothing else. What never lives here: themes, forecasts, HTTP statuses.

pub mod mistral;
mod seeded;
mod vocabulary;

pub use seeded::SeededSampling;
#[cfg(test)]
pub(crate) use vocabulary::vocabulary_for_tests;
pub use vocabulary::{TextDecoder, Vocabulary};

use futures::{future::BoxFuture, stream::BoxStream};
use std::{sync::Arc, time::Duration};
use themecast_plugin_api::{Interest, ModelInfo, Phase, Site};

/// Which of OpenAI's two ways of asking a request uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// `/v1/chat/completions`.
    Chat,
    /// `/v1/completions`.
    Completion,
}

impl Route {
    /// The route's path.
    pub fn path(self) -> &'static str {
        match self {
            Self::Chat => "/v1/chat/completions",
            Self::Completion => "/v1/completions",
        }
    }

    /// The route of a path, if it is one of these.
    pub fn of(path: &str) -> Option<Self> {
        [Self::Chat, Self::Completion].into_iter().find(|route| route.path() == path)
    }
}

/// One request to a host.
pub struct Call {
    /// Which way of asking `body` is written in.
    pub route: Route,
    /// The request's body as OpenAI describes it.
    pub body: serde_json::Value,
    /// Who is to receive each step's residuals, if anyone.
    pub tap: Option<Tap>,
    /// Draws the tokens reproducibly in place of the host's own sampler.
    pub sampling: Option<SeededSampling>,
    /// Tokens that the answer begins with: the model reads them after the prompt and goes on.
    pub after: Vec<u32>,
    /// What is done to the residual stream while the answer is decoded; takes an engine that runs
    /// one request at a time.
    pub steering: Option<Steering>,
}

impl Call {
    /// A request as it is: untapped, with the host's own sampler.
    pub fn new(route: Route, body: serde_json::Value) -> Self {
        Self { route, body, tap: None, sampling: None, after: Vec::new(), steering: None }
    }
}

/// A direction added to the residual stream at every decoded token.
#[derive(Debug, Clone, PartialEq)]
pub struct Steering {
    /// Where.
    pub site: Site,
    /// *Shape* `[hidden]`.
    pub direction: Arc<[f32]>,
}

/// The wish for residuals of one request.
#[derive(Clone)]
pub struct Tap {
    /// Which residuals.
    pub interest: Interest,
    /// Who receives them.
    pub sink: Arc<dyn StepSink>,
}

/// One step of one request as the engine's thread saw it.
#[derive(Debug, Clone, PartialEq)]
pub struct RawStep {
    /// Index in the answer of the token that is sampled next.
    pub index: usize,
    /// Position in the sequence of the token that was read last.
    pub position: usize,
    /// The token that was read last.
    pub token: u32,
    /// Prompt or decode.
    pub phase: Phase,
    /// How many requests shared the forward pass.
    pub rows: usize,
    /// How many positions `residuals` holds of each site.
    pub positions: usize,
    /// *Shape* `[sites, positions, hidden]`, row-major.
    pub residuals: Vec<f32>,
}

/// Receives steps on the engine's own thread: must be quick, never block and never panic.
pub trait StepSink: Send + Sync {
    /// Takes one step, or the reason why its residuals can't be had; reading it took `took`.
    fn step(&self, step: Result<RawStep, String>, took: Duration);
    /// Whether the answer is to end at the token that is about to be sampled; asked once before each
    /// one, and what is said is done.
    fn stops(&self) -> bool {
        false
    }
}

/// What comes of a request.
#[derive(Debug)]
pub enum Event {
    /// One chunk of a streamed answer.
    Chunk {
        /// The chunk as the host serialises it, in OpenAI's shape.
        json: String,
        /// The text in it.
        text: String,
        /// OpenAI's `finish_reason`, on the last chunk.
        finish: Option<String>,
        /// The tokens that the answer took so far, where the host counts them.
        tokens: Option<Tokens>,
    },
    /// The whole body of an answer that is not streamed.
    Done {
        /// The body as the host serialises it, in OpenAI's shape.
        json: String,
        /// OpenAI's `finish_reason`.
        finish: String,
    },
    /// The answer failed; nothing follows.
    Failed(HostError),
}

/// How many tokens a request took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tokens {
    /// The prompt's.
    pub prompt: u64,
    /// The answer's, with the one that ended it.
    pub completion: u64,
}

/// A place on an engine, held by a request that writes its answer by itself; dropping it frees the
/// place.
pub type Held = Box<dyn Send>;

/// An answer under way; dropping it cancels the request and frees its engine within one step.
pub type Answer = BoxStream<'static, Event>;

/// Why a request failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum HostError {
    /// The request itself is at fault.
    #[error("{0}")]
    Invalid(String),
    /// Too many requests wait already.
    #[error("{0} requests are waiting already; try again later")]
    Busy(usize),
    /// The engine died; it is started again.
    #[error("the engine that ran this request died; it is being started again, so try once more")]
    EngineDied,
    /// The model failed on this request.
    #[error("{0}")]
    Model(String),
}

/// How many engines are in which state, and how many requests wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Load {
    /// Engines that run nothing.
    pub idle: usize,
    /// Engines that run at least one request.
    pub busy: usize,
    /// Engines that died and are being started again.
    pub dead: usize,
    /// Requests that wait for an engine.
    pub waiting: usize,
}

/// What runs the model.
pub trait Host: Send + Sync + 'static {
    /// The model's name, for people.
    fn name(&self) -> &str;
    /// The model, for plugins.
    fn model(&self) -> &ModelInfo;
    /// The model's tokens.
    fn vocabulary(&self) -> &Arc<Vocabulary>;
    /// Starts a request on the least busy engine; waits, first come first served, while none has
    /// room.
    ///
    /// # Errors
    /// [`HostError`] when the request can't be started at all.
    fn generate(&self, call: Call) -> BoxFuture<'_, Result<Answer, HostError>>;
    /// The tokens of `text`, without those that only begin or end a sequence.
    ///
    /// # Errors
    /// [`HostError`] when the engine can't be asked or the text can't be tokenized.
    fn tokenize(&self, text: String) -> BoxFuture<'_, Result<Vec<u32>, HostError>>;
    /// How busy the engines are.
    fn load(&self) -> Load;
    /// How many sequences one engine runs at once; each choice of a request is one.
    fn at_once(&self) -> usize;
    /// The host's own other routes, where it has any; those that write answers are for
    /// [`Host::answering_routes`].
    fn other_routes(&self) -> BoxFuture<'_, Option<axum::Router>> {
        Box::pin(async { None })
    }
    /// The same routes on the least busy engine, for one request that writes an answer, and its
    /// place there, to be held until the answer has ended; waits as [`Host::generate`] does.
    ///
    /// # Errors
    /// [`HostError`] when no place can be had.
    fn answering_routes(&self) -> BoxFuture<'_, Result<(axum::Router, Held), HostError>> {
        Box::pin(async { Err(HostError::Invalid("this host has no other routes".to_owned())) })
    }
}
