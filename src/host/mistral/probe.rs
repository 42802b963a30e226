//! The logits processor on every request: reads the request's own row of the forward pass.
//!
//! mistral.rs calls it once for each sampled token, on the engine's thread or in the sampling
//! pool; a panic there would kill the engine, so everything that could is caught.

use crate::host::{RawStep, SeededSampling, StepSink, Vocabulary};
use candle_core::{Result, Tensor};
use mistralrs_core::CustomLogitsProcessor;
use parking_lot::Mutex;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};
use themecast_plugin_api::Phase;

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
}

/// What a probe remembers between samplings.
#[derive(Debug, Default)]
pub(super) struct Seen {
    prompt: Option<usize>,
    length: usize,
}

impl CustomLogitsProcessor for Probe {
    fn apply(&self, logits: &Tensor, context: &[u32]) -> Result<Tensor> {
        if let Some(reading) = &self.reading {
            let read = catch_unwind(AssertUnwindSafe(|| self.read(reading, context)));
            if read.is_err() {
                tracing::error!("reading the residuals of a step panicked");
            }
        }
        let end = self.vocabulary.end_tokens();
        if self.cancelled.load(Ordering::Relaxed) && !end.is_empty() {
            return only(logits, end);
        }
        match self.sampling {
            Some(sampling) => perturbed(logits, sampling, context.len()),
            None => Ok(logits.clone()),
        }
    }
}

impl Probe {
    fn read(&self, reading: &Reading, context: &[u32]) {
        let mut seen = self.seen.lock();
        if seen.length == context.len() {
            return; // the same token is sampled again under a grammar
        }
        seen.length = context.len();
        let prompt = *seen.prompt.get_or_insert(context.len());
        drop(seen);
        let begun = Instant::now();
        let step = raw_step(reading, context, prompt);
        reading.sink.step(step, begun.elapsed());
    }
}

fn raw_step(
    reading: &Reading,
    context: &[u32],
    prompt: usize,
) -> std::result::Result<RawStep, String> {
    let row = themecast_tap::current().ok_or("this forward pass was not tapped")?;
    let index = row.index().ok_or("which row of the batch this is could not be told")?;
    let first = context.len() == prompt;
    let all = reading.all_positions && first;
    let mut residuals = Vec::new();
    row.copy(index, &reading.ordinals, all, &mut residuals).map_err(|error| error.to_string())?;
    let computed = row.computed();
    let phase = match first {
        true => Phase::Prompt { computed, cached: prompt.saturating_sub(computed) },
        false => Phase::Decode,
    };
    Ok(RawStep {
        index: context.len() - prompt,
        position: context.len() - 1,
        token: context.last().copied().unwrap_or_default(),
        phase,
        rows: row.rows(),
        positions: if all { computed } else { 1 },
        residuals,
    })
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
