//! The chain predictor along one answer.

use super::{
    ChainModel,
    layers::{self, Cache},
};
use crate::{
    chains::Chain,
    linear::{RowKind, softmax},
};

/// What the transformer has seen of one answer: one token a boundary.
#[derive(Debug, Clone)]
pub struct Track {
    cache: Cache,
    boundaries: usize,
}

/// What the transformer says at one moment.
#[derive(Debug, Clone)]
pub struct Outlook {
    /// The transformer's own distributions of `z0 … zH`, *shape* `[horizons + 1][themes]`.
    pub steps: Vec<Vec<f32>>,
    cache: Cache,
}

impl Track {
    /// Before the prompt's end.
    pub fn new(model: &ChainModel) -> Self {
        Self { cache: Cache::new(model.card.layers), boundaries: 0 }
    }

    /// Takes the raw row of features of a moment, *shape* `[features]`; a boundary is kept.
    pub fn observe(&mut self, model: &ChainModel, kind: RowKind, row: &[f32]) -> Outlook {
        let width = model.card.width;
        let mut x = layers::product(&model.input, row);
        layers::add(&mut x, &model.input_bias);
        let kinds = usize::from(kind == RowKind::Mid) * width;
        layers::add(&mut x, &model.kinds[kinds..kinds + width]);
        let place = self.boundaries.min(model.card.places - 1) * width;
        layers::add(&mut x, &model.places[place..place + width]);
        let mut cache = self.cache.clone();
        let out = layers::run(model, x, &mut cache);
        if kind == RowKind::Boundary {
            self.cache.clone_from(&cache);
            self.boundaries += 1;
        }
        Outlook { steps: marginals(model, &out), cache }
    }
}

fn marginals(model: &ChainModel, out: &[f32]) -> Vec<Vec<f32>> {
    let mut logits = layers::product(&model.marginal, out);
    layers::add(&mut logits, &model.marginal_bias);
    let themes = model.next_bias.len();
    logits
        .chunks_exact(themes)
        .map(|logits| {
            let mut p = logits.to_vec();
            softmax(&mut p);
            p
        })
        .collect()
}

/// The least number of beams: with fewer, most of what `z0` could be would be lost.
const WIDE: usize = 4;

/// A chain on the way: its themes from `z0` on, its probability, what the transformer kept.
struct Beam {
    themes: Vec<usize>,
    p: f32,
    cache: Cache,
}

impl Outlook {
    /// `p(zk+1 | z0 … zk)` for the themes given, *shape* `[themes]`.
    pub fn next(&self, model: &ChainModel, themes: &[usize]) -> Vec<f32> {
        let mut cache = self.cache.clone();
        let mut p = Vec::new();
        for (step, &theme) in themes.iter().enumerate() {
            p = emit(model, theme, step, &mut cache);
        }
        p
    }

    /// The `most` best chains of `z1 … zhorizon` by a beam, `now` being the distribution of `z0`.
    ///
    /// Beams differ in `z0` too, and those that agree from `z1` on are added up: what is returned
    /// is a lower bound of each chain's probability, close where `z0` is nearly known.
    pub fn chains(
        &self,
        model: &ChainModel,
        now: &[f32],
        horizon: usize,
        most: usize,
    ) -> Vec<Chain> {
        if most == 0 || horizon == 0 {
            return Vec::new();
        }
        let wide = most.max(WIDE);
        let mut beams: Vec<Beam> = best(now, wide)
            .into_iter()
            .map(|theme| Beam { themes: vec![theme], p: now[theme], cache: self.cache.clone() })
            .collect();
        for step in 0..horizon {
            let mut longer: Vec<(f32, usize, usize)> = Vec::with_capacity(beams.len() * wide);
            for (number, beam) in beams.iter_mut().enumerate() {
                let Some(&last) = beam.themes.last() else { continue };
                let p = emit(model, last, step, &mut beam.cache);
                longer.extend(
                    best(&p, wide).into_iter().map(|theme| (beam.p * p[theme], number, theme)),
                );
            }
            longer.sort_by(|a, b| b.0.total_cmp(&a.0));
            longer.truncate(wide);
            let grown = |(p, number, theme): (f32, usize, usize)| {
                let Beam { themes, cache, .. } = &beams[number];
                let themes = themes.iter().copied().chain([theme]).collect();
                Beam { themes, p, cache: cache.clone() }
            };
            beams = longer.into_iter().map(grown).collect();
        }
        let mut chains: Vec<Chain> = Vec::new();
        for beam in beams {
            let themes = &beam.themes[1..];
            match chains.iter_mut().find(|chain| chain.themes == themes) {
                Some(chain) => chain.p += beam.p,
                None => chains.push(Chain { themes: themes.to_vec(), p: beam.p }),
            }
        }
        chains.sort_by(|a, b| b.p.total_cmp(&a.p));
        chains.truncate(most);
        chains
    }
}

/// Appends the `<theme>` token and returns the distribution of the theme after it.
fn emit(model: &ChainModel, theme: usize, step: usize, cache: &mut Cache) -> Vec<f32> {
    let width = model.card.width;
    let mut x = model.themes[theme * width..(theme + 1) * width].to_vec();
    layers::add(&mut x, &model.steps[step * width..(step + 1) * width]);
    let out = layers::run(model, x, cache);
    let mut p = layers::product(&model.next, &out);
    layers::add(&mut p, &model.next_bias);
    let temperature = model.card.temperatures.get(step).copied().unwrap_or(1.0);
    p.iter_mut().for_each(|logit| *logit /= temperature);
    softmax(&mut p);
    p
}

/// The places of the `most` largest.
fn best(p: &[f32], most: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_unstable_by(|&a, &b| p[b].total_cmp(&p[a]));
    order.truncate(most);
    order
}
