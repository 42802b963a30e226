//! The chain predictor in candle, with gradients.

use super::{
    batch::{Batch, Targets},
    dropout::Dropout,
};
use crate::{LabError, Result, train::scaler::Scaler};
use candle_core::{D, DType, Device, Tensor, Var};
use candle_nn::{loss, ops};
use rand_xoshiro::{
    Xoshiro256PlusPlus,
    rand_core::{RngCore, SeedableRng},
};
use themecast_forecast::chain::{ChainCard, ChainModel, LayerWeights};

type Candle<T> = candle_core::Result<T>;

/// The sizes that do not stand on the card.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    pub(super) features: usize,
    pub(super) themes: usize,
    pub(super) horizons: usize,
}

struct Layer {
    norm1: Var,
    qkv: Var,
    out: Var,
    norm2: Var,
    up: Var,
    up_bias: Var,
    down: Var,
    down_bias: Var,
}

/// The weights as variables; matrices are `[out, in]` as in the bundle.
pub(super) struct Network {
    heads: usize,
    sizes: Sizes,
    input: Var,
    input_bias: Var,
    kinds: Var,
    places: Var,
    themes: Var,
    steps: Var,
    layers: Vec<Layer>,
    norm: Var,
    marginal: Var,
    marginal_bias: Var,
    next: Var,
    next_bias: Var,
}

/// Draws normal numbers from a seed.
struct Draw(Xoshiro256PlusPlus);

impl Draw {
    fn unit(&mut self) -> f32 {
        ((self.0.next_u64() >> 40) as f32 + 0.5) / (1u64 << 24) as f32
    }

    /// A variable of normal numbers. *Source*: Box and Muller 1958.
    fn normal(&mut self, shape: &[usize], deviation: f32) -> Candle<Var> {
        let count: usize = shape.iter().product();
        let mut one = || {
            let (radius, angle) = ((-2.0 * self.unit().ln()).sqrt(), self.unit());
            deviation * radius * (std::f32::consts::TAU * angle).cos()
        };
        let values: Vec<f32> = (0..count).map(|_| one()).collect();
        Var::from_tensor(&Tensor::from_vec(values, shape, &Device::Cpu)?)
    }
}

fn zeros(shape: &[usize]) -> Candle<Var> {
    Var::zeros(shape, DType::F32, &Device::Cpu)
}

/// Scale 1 and shift 0.
fn norm(width: usize) -> Candle<Var> {
    let one = Tensor::ones((1, width), DType::F32, &Device::Cpu)?;
    Var::from_tensor(&Tensor::cat(&[&one, &one.zeros_like()?], 0)?)
}

impl Network {
    /// A network with weights drawn from `seed`.
    ///
    /// # Errors
    /// candle's.
    pub(super) fn new(card: &ChainCard, sizes: Sizes, seed: u64) -> Candle<Self> {
        let mut draw = Draw(Xoshiro256PlusPlus::seed_from_u64(seed));
        let (width, inner) = (card.width, card.inner);
        let Sizes { features, themes, horizons } = sizes;
        let by = |fan: usize| (fan as f32).sqrt().recip();
        let mut layer = || {
            Ok(Layer {
                norm1: norm(width)?,
                qkv: draw.normal(&[3 * width, width], by(width))?,
                out: draw.normal(&[width, width], 0.5 * by(width))?,
                norm2: norm(width)?,
                up: draw.normal(&[inner, width], by(width))?,
                up_bias: zeros(&[inner])?,
                down: draw.normal(&[width, inner], 0.5 * by(inner))?,
                down_bias: zeros(&[width])?,
            })
        };
        let layers = (0..card.layers).map(|_| layer()).collect::<Candle<Vec<_>>>()?;
        Ok(Self {
            heads: card.heads,
            sizes,
            layers,
            input: draw.normal(&[width, features], by(features))?,
            input_bias: zeros(&[width])?,
            kinds: draw.normal(&[2, width], 0.1)?,
            places: draw.normal(&[card.places, width], 0.1)?,
            themes: draw.normal(&[themes, width], 0.5)?,
            steps: draw.normal(&[horizons, width], 0.1)?,
            norm: norm(width)?,
            marginal: draw.normal(&[(horizons + 1) * themes, width], 0.5 * by(width))?,
            marginal_bias: zeros(&[(horizons + 1) * themes])?,
            next: draw.normal(&[themes, width], 0.5 * by(width))?,
            next_bias: zeros(&[themes])?,
        })
    }

    /// Every variable.
    pub(super) fn variables(&self) -> Vec<Var> {
        let own = [
            &self.input,
            &self.input_bias,
            &self.kinds,
            &self.places,
            &self.themes,
            &self.steps,
            &self.norm,
            &self.marginal,
            &self.marginal_bias,
            &self.next,
            &self.next_bias,
        ];
        let layers = self.layers.iter().flat_map(|layer| {
            [
                &layer.norm1,
                &layer.qkv,
                &layer.out,
                &layer.norm2,
                &layer.up,
                &layer.up_bias,
                &layer.down,
                &layer.down_bias,
            ]
        });
        own.into_iter().chain(layers).cloned().collect()
    }

    /// The normed output of every token, *shape* `[documents × L, width]`; there is no `dropout`
    /// outside of training.
    ///
    /// # Errors
    /// candle's.
    pub(super) fn forward(&self, batch: &Batch, dropout: Option<&Dropout>) -> Candle<Tensor> {
        let drop = |x: &Tensor| dropout.map_or_else(|| Ok(x.clone()), |dropout| dropout.of(x));
        let rows = drop(&batch.rows)?.matmul(&self.input.t()?)?;
        let rows = rows.broadcast_add(&self.input_bias)?;
        let width = self.input.dim(0)?;
        let none = Tensor::zeros((1, width), DType::F32, &Device::Cpu)?;
        let with = |table: &Var| Tensor::cat(&[table.as_tensor(), &none], 0);
        let table = Tensor::cat(&[&rows, self.themes.as_tensor(), &none], 0)?;
        let mut x = table.index_select(&batch.tokens, 0)?;
        x = (x + with(&self.kinds)?.index_select(&batch.kinds, 0)?)?;
        x = (x + with(&self.places)?.index_select(&batch.places, 0)?)?;
        x = (x + with(&self.steps)?.index_select(&batch.steps, 0)?)?;
        let mut x = x.reshape((batch.documents, batch.length, width))?;
        for layer in &self.layers {
            let attended = self.attend(layer, &normed(&x, &layer.norm1)?, &batch.mask)?;
            x = (x + drop(&attended)?)?;
            let inner = linear(&normed(&x, &layer.norm2)?, &layer.up)?;
            let inner = inner.broadcast_add(&layer.up_bias)?.gelu()?;
            let down = linear(&inner, &layer.down)?.broadcast_add(&layer.down_bias)?;
            x = (x + drop(&down)?)?;
        }
        normed(&x, &self.norm)?.reshape((batch.documents * batch.length, width))
    }

    fn attend(&self, layer: &Layer, x: &Tensor, mask: &Tensor) -> Candle<Tensor> {
        let (documents, length, width) = x.dims3()?;
        let size = width / self.heads;
        let qkv = linear(x, &layer.qkv)?;
        let part = |number: usize| {
            qkv.narrow(D::Minus1, number * width, width)?
                .reshape((documents, length, self.heads, size))?
                .transpose(1, 2)?
                .contiguous()
        };
        let (q, k, v) = (part(0)?, part(1)?, part(2)?);
        let scores = (q.matmul(&k.t()?)? * f64::from((size as f32).sqrt().recip()))?;
        let weights = ops::softmax(&scores.broadcast_add(mask)?, D::Minus1)?;
        let out = weights.matmul(&v)?.transpose(1, 2)?.reshape((documents, length, width))?;
        linear(&out, &layer.out)
    }

    /// Logits of the distribution at `offset` where `targets` are, *shape* `[targets, themes]`.
    ///
    /// # Errors
    /// candle's.
    pub(super) fn marginal(
        &self,
        out: &Tensor,
        targets: &Targets,
        offset: usize,
    ) -> Candle<Tensor> {
        let (themes, from) = (self.sizes.themes, offset * self.sizes.themes);
        let weight = self.marginal.narrow(0, from, themes)?;
        let bias = self.marginal_bias.narrow(0, from, themes)?;
        self.chosen(out, targets)?.matmul(&weight.t()?)?.broadcast_add(&bias)
    }

    /// Logits of the theme after each `<theme>` token of `targets`, *shape* `[targets, themes]`.
    ///
    /// # Errors
    /// candle's.
    pub(super) fn next(&self, out: &Tensor, targets: &Targets) -> Candle<Tensor> {
        self.chosen(out, targets)?.matmul(&self.next.t()?)?.broadcast_add(&self.next_bias)
    }

    fn chosen(&self, out: &Tensor, targets: &Targets) -> Candle<Tensor> {
        out.index_select(&Tensor::new(targets.at.as_slice(), &Device::Cpu)?, 0)
    }

    /// The mean loss of the distributions of a present and of the chains after it, in nats: each
    /// offset and each step of the chain counts alike.
    ///
    /// # Errors
    /// candle's.
    pub(super) fn loss(&self, batch: &Batch, dropout: Option<&Dropout>) -> Candle<Tensor> {
        let out = self.forward(batch, dropout)?;
        let mut losses = Vec::new();
        for (offset, targets) in batch.marginal.iter().enumerate() {
            if !targets.at.is_empty() {
                losses.push(entropy(&self.marginal(&out, targets, offset)?, targets)?);
            }
        }
        for targets in batch.next.iter().filter(|targets| !targets.at.is_empty()) {
            losses.push(entropy(&self.next(&out, targets)?, targets)?);
        }
        Tensor::stack(&losses, 0)?.mean_all()
    }

    /// The weights as serving reads them: z-scoring goes into the input's weight and bias.
    ///
    /// # Errors
    /// [`LabError::Fit`] where candle fails.
    pub(super) fn export(&self, card: &ChainCard, scaler: &Scaler) -> Result<ChainModel> {
        let flat = |var: &Var| Ok::<_, LabError>(var.flatten_all()?.to_vec1::<f32>()?);
        let layer = |layer: &Layer| {
            Ok::<_, LabError>(LayerWeights {
                norm1: flat(&layer.norm1)?,
                qkv: flat(&layer.qkv)?,
                out: flat(&layer.out)?,
                norm2: flat(&layer.norm2)?,
                up: flat(&layer.up)?,
                up_bias: flat(&layer.up_bias)?,
                down: flat(&layer.down)?,
                down_bias: flat(&layer.down_bias)?,
            })
        };
        let (mut input, mut input_bias) = (flat(&self.input)?, flat(&self.input_bias)?);
        scaler.fold_rows(&mut input, &mut input_bias);
        Ok(ChainModel {
            card: card.clone(),
            input,
            input_bias,
            kinds: flat(&self.kinds)?,
            places: flat(&self.places)?,
            themes: flat(&self.themes)?,
            steps: flat(&self.steps)?,
            layers: self.layers.iter().map(layer).collect::<Result<_>>()?,
            norm: flat(&self.norm)?,
            marginal: flat(&self.marginal)?,
            marginal_bias: flat(&self.marginal_bias)?,
            next: flat(&self.next)?,
            next_bias: flat(&self.next_bias)?,
        })
    }
}

fn entropy(logits: &Tensor, targets: &Targets) -> Candle<Tensor> {
    loss::cross_entropy(logits, &Tensor::new(targets.came.as_slice(), &Device::Cpu)?)
}

/// `x Wᵀ` for *shape* `[.., in]`.
fn linear(x: &Tensor, weight: &Var) -> Candle<Tensor> {
    let (documents, length, width) = x.dims3()?;
    let out = x.reshape((documents * length, width))?.matmul(&weight.t()?)?;
    out.reshape((documents, length, weight.dim(0)?))
}

/// LayerNorm of the last dimension, written out so that gradients flow through every part.
fn normed(x: &Tensor, scale_shift: &Var) -> Candle<Tensor> {
    let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
    let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
    let unit = centred.broadcast_div(&(variance + 1e-5)?.sqrt()?)?;
    unit.broadcast_mul(&scale_shift.get(0)?)?.broadcast_add(&scale_shift.get(1)?)
}
