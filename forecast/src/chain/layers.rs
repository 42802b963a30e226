//! One token through the layers, with the keys and values of those before it.

use super::{ChainModel, LayerWeights};
use crate::linear::dot;

/// What keeps the norm's division finite.
const EPSILON: f32 = 1e-5;

/// The keys and values of the tokens so far, layer by layer.
#[derive(Debug, Clone, Default)]
pub(super) struct Cache {
    /// Per layer, *shape* `[tokens, width]`.
    keys: Vec<Vec<f32>>,
    values: Vec<Vec<f32>>,
}

impl Cache {
    pub(super) fn new(layers: usize) -> Self {
        Self { keys: vec![Vec::new(); layers], values: vec![Vec::new(); layers] }
    }
}

/// Runs the token `x`, *shape* `[width]`, after those in `cache`, which keeps it; returns the
/// normed output.
pub(super) fn run(model: &ChainModel, mut x: Vec<f32>, cache: &mut Cache) -> Vec<f32> {
    for (number, layer) in model.layers.iter().enumerate() {
        let (keys, values) = (&mut cache.keys[number], &mut cache.values[number]);
        let attended = attend(layer, &normed(&x, &layer.norm1), model.card.heads, (keys, values));
        add(&mut x, &product(&layer.out, &attended));
        let mut inner = product(&layer.up, &normed(&x, &layer.norm2));
        add(&mut inner, &layer.up_bias);
        inner.iter_mut().for_each(|value| *value = gelu(*value));
        add(&mut x, &product(&layer.down, &inner));
        add(&mut x, &layer.down_bias);
    }
    normed(&x, &model.norm)
}

/// `W x` of the row-major `weights`.
pub(super) fn product(weights: &[f32], x: &[f32]) -> Vec<f32> {
    weights.chunks_exact(x.len()).map(|row| dot(row, x)).collect()
}

pub(super) fn add(x: &mut [f32], y: &[f32]) {
    x.iter_mut().zip(y).for_each(|(x, y)| *x += y);
}

fn attend(
    layer: &LayerWeights,
    x: &[f32],
    heads: usize,
    (keys, values): (&mut Vec<f32>, &mut Vec<f32>),
) -> Vec<f32> {
    let width = x.len();
    let qkv = product(&layer.qkv, x);
    keys.extend_from_slice(&qkv[width..2 * width]);
    values.extend_from_slice(&qkv[2 * width..]);
    let size = width / heads;
    let scale = (size as f32).sqrt().recip();
    let mut out = vec![0.0; width];
    let mut weights = Vec::with_capacity(keys.len() / width);
    for head in 0..heads {
        let of = head * size..(head + 1) * size;
        let query = &qkv[of.clone()];
        weights.clear();
        weights.extend(keys.chunks_exact(width).map(|key| dot(query, &key[of.clone()]) * scale));
        crate::linear::softmax(&mut weights);
        for (value, weight) in values.chunks_exact(width).zip(&weights) {
            let into = out[of.clone()].iter_mut();
            into.zip(&value[of.clone()]).for_each(|(out, value)| *out += weight * value);
        }
    }
    out
}

/// LayerNorm with scale and shift. *Source*: Ba, Kiros, Hinton 2016.
fn normed(x: &[f32], scale_shift: &[f32]) -> Vec<f32> {
    let count = x.len() as f32;
    let mean = x.iter().sum::<f32>() / count;
    let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / count;
    let factor = (variance + EPSILON).sqrt().recip();
    let (scale, shift) = scale_shift.split_at(x.len());
    let scaled = x.iter().zip(scale).zip(shift);
    scaled.map(|((x, scale), shift)| (x - mean) * factor * scale + shift).collect()
}

/// The tanh form. *Source*: Hendrycks and Gimpel 2016.
fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + (0.797_884_6 * (x + 0.044_715 * x.powi(3))).tanh())
}
