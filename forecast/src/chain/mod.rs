//! The chain predictor: a small causal transformer that emits themes step by step.
//!
//! It reads one token for each boundary of the answer (the row of features that the linear heads
//! read, projected) and one for the present moment; its output gives the distributions of the
//! segment being written and of those after it. Then it goes on: `<theme>` tokens follow the
//! present moment, each conditioned on the themes before it, so that chains have joint
//! probabilities ([`crate::chains`] averages them with linked ones). Boundaries stay in a cache, so a
//! step costs one token; nothing is recomputed.
//!
//! ```text
//!   boundary 0 ─ boundary 1 ─ … ─ present ─ <theme z0> ─ <theme z1> ─ …
//!                                   │           │            │
//!                              p(z0 … zH)   p(z1 | z0)   p(z2 | z0 z1)
//! ```
//!
//! `z0` is the theme of the token that is about to be written, `zi` that of the `i`-th segment
//! after it. The distributions are a mean in log space of the transformer's and of the linear
//! heads', each offset with a weight and a temperature of its own ([`Mix`]). Plain Rust on slices:
//! training lives in the lab, which is tested to compute the same.

mod layers;
mod tensors;
mod track;

pub(crate) use layers::Cache;
pub(crate) use tensors::{PREFIX, Sizes, read, tensors_of, write};
pub use track::{Outlook, Track};

use serde::{Deserialize, Serialize};

/// The sizes of a chain predictor and how it is mixed with the linear heads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChainCard {
    /// Width of a token's vector.
    pub width: usize,
    /// Attention heads; they divide the width.
    pub heads: usize,
    /// Layers.
    pub layers: usize,
    /// Width of the layers' inner vectors.
    pub inner: usize,
    /// Boundaries that are told apart by their place; later ones share the last place.
    pub places: usize,
    /// At boundaries, one for each of `z0 … zH`.
    pub boundary: Vec<Mix>,
    /// Between them.
    pub mid: Vec<Mix>,
    /// What the logits of `p(zk+1 | z0 … zk)` are divided by, for each `k`.
    pub temperatures: Vec<f32>,
}

/// How a distribution comes of the transformer's and the linear heads'.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Mix {
    /// The transformer's share of the logarithm, 0 to 1.
    pub weight: f32,
    /// What the mean is divided by.
    pub temperature: f32,
}

impl Mix {
    /// The mean in log space of `own` and `linear` (both *shape* `[themes]`), into `own`.
    pub fn apply(&self, own: &mut [f32], linear: &[f32]) {
        for (own, linear) in own.iter_mut().zip(linear) {
            let log = |p: f32| p.max(1e-9).ln();
            *own =
                (self.weight * log(*own) + (1.0 - self.weight) * log(*linear)) / self.temperature;
        }
        crate::linear::softmax(own);
    }
}

/// The weights of one layer; matrices are row-major, *shape* `[out, in]`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LayerWeights {
    /// Scale and shift of the norm before attention, *shape* `[2, width]`.
    pub norm1: Vec<f32>,
    /// Queries, keys and values, *shape* `[3 width, width]`.
    pub qkv: Vec<f32>,
    /// After attention, *shape* `[width, width]`.
    pub out: Vec<f32>,
    /// Scale and shift of the norm before the inner vectors, *shape* `[2, width]`.
    pub norm2: Vec<f32>,
    /// *Shape* `[inner, width]`.
    pub up: Vec<f32>,
    /// *Shape* `[inner]`.
    pub up_bias: Vec<f32>,
    /// *Shape* `[width, inner]`.
    pub down: Vec<f32>,
    /// *Shape* `[width]`.
    pub down_bias: Vec<f32>,
}

/// A trained chain predictor.
#[derive(Debug, Clone, PartialEq)]
pub struct ChainModel {
    /// Its sizes.
    pub card: ChainCard,
    /// From a raw row of features, *shape* `[width, features]`.
    pub input: Vec<f32>,
    /// *Shape* `[width]`.
    pub input_bias: Vec<f32>,
    /// Added for a boundary and for a moment between them, *shape* `[2, width]`.
    pub kinds: Vec<f32>,
    /// Added for the place of a boundary, *shape* `[places, width]`.
    pub places: Vec<f32>,
    /// The `<theme>` tokens, *shape* `[themes, width]`.
    pub themes: Vec<f32>,
    /// Added for their place in the chain, *shape* `[horizons, width]`.
    pub steps: Vec<f32>,
    /// The layers.
    pub layers: Vec<LayerWeights>,
    /// Scale and shift of the last norm, *shape* `[2, width]`.
    pub norm: Vec<f32>,
    /// The distributions of `z0 … zH`, *shape* `[horizons + 1, themes, width]`.
    pub marginal: Vec<f32>,
    /// *Shape* `[horizons + 1, themes]`.
    pub marginal_bias: Vec<f32>,
    /// The next theme after a `<theme>` token, *shape* `[themes, width]`.
    pub next: Vec<f32>,
    /// *Shape* `[themes]`.
    pub next_bias: Vec<f32>,
}

impl ChainModel {
    /// How many numbers were trained.
    pub fn parameters(&self) -> usize {
        tensors_of(self).iter().map(|(_, _, values)| values.len()).sum()
    }
}
