//! The logits processor on every request: reads the request's own row of the forward pass.
//!
//! mistral.rs calls it once for each sampled token, on the engine's thread or in the sampling
//! pool; a panic there would kill the engine, so everything that could is caught.

use crate::host::{RawStep, SeededSampling, StepSink, Tokens, Vocabulary};
use candle_core::{Result, Tensor};
use mistralrs_core::CustomLogitsProcessor;
use parking_lot::Mutex;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Instant,
};
use themecast_plugin_api::Phase;
use tokio::sync::mpsc;

/// What a probe hands steps to.
pub(super) struct Reading {
    pub(super) ordinals: Vec<usize>,
    pub(super) all_positions: bool,
    pub(super) sink: Arc<dyn StepSink>,
}

/// One request's logits processor.
pub(super) struct Probe {
    pub(super) reading: Option<Reading>,
    pub(super) sampling: Option<SeededSampling>,
    pub(super) vocabulary: Arc<Vocabulary>,
    /// Set when nobody waits for the answer any more: the next token ends it.
    pub(super) cancelled: Arc<AtomicBool>,
    pub(super) seen: Mutex<Seen>,
    pub(super) count: Arc<Count>,
}

/// The tokens that a request has taken so far, for those who can't ask its probe.
#[derive(Debug, Default)]
pub(super) struct Count {
    prompt: AtomicU64,
    sampled: AtomicU64,
}

impl Count {
    /// The token of index `index` is about to be sampled on `length` tokens.
    pub(super) fn step(&self, index: usize, length: usize) {
        if index == 0 {
            self.prompt.store(length as u64, Ordering::Relaxed);
        }
        self.sampled.store(index as u64 + 1, Ordering::Relaxed);
    }

    pub(super) fn tokens(&self) -> Tokens {
        Tokens {
            prompt: self.prompt.load(Ordering::Relaxed),
            completion: self.sampled.load(Ordering::Relaxed),
        }
    }
}

/// The prompt's tokens, which the engine sends before it reads the prompt.
pub(super) type PromptTokens = mpsc::Receiver<anyhow::Result<Vec<u32>>>;

/// What a probe remembers between samplings.
#[derive(Default)]
pub(super) struct Seen {
    /// How many tokens have been sampled.
    steps: usize,
    /// How long the context was at the last one.
    length: usize,
    prompt: Option<PromptTokens>,
}

impl Seen {
    pub(super) fn new(prompt: Option<PromptTokens>) -> Self {
        Self { prompt, ..Self::default() }
    }

    /// The index of the token that is sampled on `context`; none when it is sampled again.
    fn advance(&mut self, context: &[u32]) -> Option<usize> {
        if self.length == context.len() {
            return None; // under a grammar
        }
        self.length = context.len();
        self.steps += 1;
        Some(self.steps - 1)
    }

    /// How long the whole prompt is: of one in the prefix cache, `context` is only the rest.
    fn prompt_len(&mut self, context: &[u32]) -> usize {
        let tokens = self.prompt.take().and_then(|mut tokens| tokens.try_recv().ok()?.ok());
        tokens.map_or(0, |tokens| tokens.len()).max(context.len())
    }
}

impl CustomLogitsProcessor for Probe {
    fn apply(&self, logits: &Tensor, context: &[u32]) -> Result<Tensor> {
        let mut seen = self.seen.lock();
        let step = seen.advance(context);
        let position = seen.steps;
        if let Some(index) = step {
            let length = if index == 0 { seen.prompt_len(context) } else { context.len() };
            self.count.step(index, length);
            self.read(&Place { index, length, token: context.last().copied() });
        }
        drop(seen);
        let end = self.vocabulary.end_tokens();
        if !end.is_empty() && (self.cancelled.load(Ordering::Relaxed) || self.stops()) {
            return only(logits, end);
        }
        match self.sampling {
            Some(sampling) => perturbed(logits, sampling, position),
            None => Ok(logits.clone()),
        }
    }
}

impl Probe {
    /// Reads a step for whoever wants it.
    fn read(&self, place: &Place) {
        let Some(reading) = &self.reading else { return };
        let read = catch_unwind(AssertUnwindSafe(|| reading.read(place, &self.cancelled)));
        if read.is_err() {
            tracing::error!("reading the residuals of a step panicked");
        }
    }

    /// Whether the request's session wants the token that is sampled now to be the last.
    fn stops(&self) -> bool {
        self.reading.as_ref().is_some_and(|reading| reading.sink.stops())
    }
}

/// Where in an answer a step is.
struct Place {
    index: usize,
    /// How many tokens have been read, prompt included.
    length: usize,
    token: Option<u32>,
}

impl Reading {
    /// Hands the step on, unless nobody waits for it: then the lease is gone too.
    fn read(&self, place: &Place, cancelled: &AtomicBool) {
        let begun = Instant::now();
        let step = self.step(place);
        if step.is_ok() || !cancelled.load(Ordering::Relaxed) {
            self.sink.step(step, begun.elapsed());
        }
    }

    fn step(&self, place: &Place) -> std::result::Result<RawStep, String> {
        let row = themecast_tap::current().ok_or("this forward pass was not tapped")?;
        let number = row.index().ok_or("which row of the batch this is could not be told")?;
        let all = self.all_positions && place.index == 0;
        let mut residuals = Vec::new();
        let copied = row.copy(number, &self.ordinals, all, &mut residuals);
        copied.map_err(|error| error.to_string())?;
        let computed = row.computed();
        let phase = match place.index {
            0 => Phase::Prompt { computed, cached: place.length.saturating_sub(computed) },
            _ => Phase::Decode,
        };
        Ok(RawStep {
            index: place.index,
            position: place.length - 1,
            token: place.token.unwrap_or_default(),
            phase,
            rows: row.rows(),
            positions: if all { computed } else { 1 },
            residuals,
        })
    }
}

/// Leaves only `tokens` to choose from.
fn only(logits: &Tensor, tokens: &[u32]) -> Result<Tensor> {
    let mut left = vec![f32::NEG_INFINITY; logits.elem_count()];
    for &token in tokens {
        if let Some(logit) = left.get_mut(token as usize) {
            *logit = 0.0;
        }
    }
    Tensor::from_vec(left, logits.shape(), logits.device())
}

fn perturbed(logits: &Tensor, sampling: SeededSampling, position: usize) -> Result<Tensor> {
    let mut values: Vec<f32> = logits.to_vec1()?;
    sampling.perturb(&mut values, position);
    Tensor::from_vec(values, logits.shape(), logits.device())
}
