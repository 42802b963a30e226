//! Tokens through the layers, with the keys and values of those before them.

use super::{ChainModel, LayerWeights};
use crate::dense::{add, dot, products};

/// What keeps the norm's division finite.
const EPSILON: f32 = 1e-5;

/// The keys and values of some tokens, layer by layer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cache {
    /// Per layer, *shape* `[tokens, width]`.
    keys: Vec<Vec<f32>>,
    values: Vec<Vec<f32>>,
}

impl Cache {
    pub(super) fn new(layers: usize) -> Self {
        Self { keys: vec![Vec::new(); layers], values: vec![Vec::new(); layers] }
    }

    /// Appends the tokens of `tail`.
    pub(super) fn append(&mut self, tail: &Self) {
        let all = self.keys.iter_mut().chain(&mut self.values);
        all.zip(tail.keys.iter().chain(&tail.values)).for_each(|(own, tail)| own.extend(tail));
    }
}

/// A token on its way through the layers, *shape* `[width]`, and what lies between it and the
/// tokens that all share; the token's own keys and values are appended.
pub(super) struct Runner<'a> {
    pub(super) x: Vec<f32>,
    pub(super) tail: &'a mut Cache,
}

/// Runs tokens side by side, each after those in `before` and then its own tail; returns their
/// normed outputs, *shape* `[runners][width]`.
pub(super) fn run(
    model: &ChainModel,
    before: &Cache,
    mut runners: Vec<Runner<'_>>,
) -> Vec<Vec<f32>> {
    for (number, layer) in model.layers.iter().enumerate() {
        let attended = attend(model.card.heads, (number, layer), before, &mut runners);
        grow(&mut runners, &products(&layer.out, &attended));
        let mut inner = products(&layer.up, &all_normed(&runners, &layer.norm2));
        for inner in &mut inner {
            add(inner, &layer.up_bias);
            inner.iter_mut().for_each(|value| *value = gelu(*value));
        }
        grow(&mut runners, &products(&layer.down, &inner));
        runners.iter_mut().for_each(|runner| add(&mut runner.x, &layer.down_bias));
    }
    all_normed(&runners, &model.norm)
}

fn grow(runners: &mut [Runner<'_>], by: &[Vec<f32>]) {
    runners.iter_mut().zip(by).for_each(|(runner, by)| add(&mut runner.x, by));
}

fn all_normed(runners: &[Runner<'_>], scale_shift: &[f32]) -> Vec<Vec<f32>> {
    runners.iter().map(|runner| normed(&runner.x, scale_shift)).collect()
}

fn attend(
    heads: usize,
    (number, layer): (usize, &LayerWeights),
    before: &Cache,
    runners: &mut [Runner<'_>],
) -> Vec<Vec<f32>> {
    let qkv = products(&layer.qkv, &all_normed(runners, &layer.norm1));
    let attended = runners.iter_mut().zip(qkv).map(|(runner, qkv)| {
        let width = runner.x.len();
        let (keys, values) = (&mut runner.tail.keys[number], &mut runner.tail.values[number]);
        keys.extend_from_slice(&qkv[width..2 * width]);
        values.extend_from_slice(&qkv[2 * width..]);
        let keys = [&before.keys[number][..], keys];
        attended(&qkv[..width], heads, keys, [&before.values[number], values])
    });
    attended.collect()
}

/// Softmax attention of `query`, *shape* `[width]`, over keys and values in two parts, each of
/// *shape* `[tokens, width]`.
fn attended(query: &[f32], heads: usize, keys: [&[f32]; 2], values: [&[f32]; 2]) -> Vec<f32> {
    let width = query.len();
    let size = width / heads;
    let scale = (size as f32).sqrt().recip();
    let mut out = vec![0.0; width];
    let mut weights = Vec::new();
    for head in 0..heads {
        let of = head * size..(head + 1) * size;
        let query = &query[of.clone()];
        let keys = keys.iter().flat_map(|keys| keys.chunks_exact(width));
        weights.clear();
        weights.extend(keys.map(|key| dot(query, &key[of.clone()]) * scale));
        crate::linear::softmax(&mut weights);
        let values = values.iter().flat_map(|values| values.chunks_exact(width));
        for (value, weight) in values.zip(&weights) {
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
    // x (1 + tanh z) / 2 is x times the logistic of 2 z, which costs one exponential.
    x / (1.0 + (-1.595_769 * (x + 0.044_715 * x.powi(3))).exp())
}
