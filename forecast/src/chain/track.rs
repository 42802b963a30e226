//! The chain predictor along one answer.

use super::{
    ChainModel,
    layers::{self, Cache, Runner},
};
use crate::{
    dense::{add, product, products},
    linear::{RowKind, softmax},
};
use std::sync::Arc;

/// What the transformer has seen of one answer: one token a boundary.
#[derive(Debug, Clone)]
pub struct Track {
    cache: Arc<Cache>,
    boundaries: usize,
}

/// What the transformer says at one moment.
#[derive(Debug, Clone)]
pub struct Outlook {
    /// The transformer's own distributions of `z0 … zH`, *shape* `[horizons + 1][themes]`.
    pub steps: Vec<Vec<f32>>,
    /// The boundaries before the moment, and the moment's own token.
    before: Arc<Cache>,
    present: Cache,
}

impl Track {
    /// Before the prompt's end.
    pub fn new(model: &ChainModel) -> Self {
        Self { cache: Arc::new(Cache::new(model.card.layers)), boundaries: 0 }
    }

    /// Takes the raw row of features of a moment, *shape* `[features]`; a boundary is kept.
    pub fn observe(&mut self, model: &ChainModel, kind: RowKind, row: &[f32]) -> Outlook {
        let width = model.card.width;
        let mut x = product(&model.input, row);
        add(&mut x, &model.input_bias);
        let kinds = usize::from(kind == RowKind::Mid) * width;
        add(&mut x, &model.kinds[kinds..kinds + width]);
        let place = self.boundaries.min(model.card.places - 1) * width;
        add(&mut x, &model.places[place..place + width]);
        let before = self.cache.clone();
        let mut present = Cache::new(model.card.layers);
        let out = layers::run(model, &before, vec![Runner { x, tail: &mut present }]);
        if kind == RowKind::Boundary {
            Arc::make_mut(&mut self.cache).append(&present);
            self.boundaries += 1;
        }
        Outlook { steps: marginals(model, &out[0]), before, present }
    }
}

fn marginals(model: &ChainModel, out: &[f32]) -> Vec<Vec<f32>> {
    let mut logits = product(&model.marginal, out);
    add(&mut logits, &model.marginal_bias);
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

impl Outlook {
    /// What a chain of themes goes on from: the keys and values of the moment itself.
    pub(crate) fn tail(&self) -> Cache {
        self.present.clone()
    }

    /// Appends each of some chains' last theme, the `step`-th from `z0` on, to its tail as a `<theme>`
    /// token; returns `p(zk+1 | z0 … zk)` of each, *shape* `[chains][themes]`.
    pub(crate) fn after<'a>(
        &self,
        model: &ChainModel,
        step: usize,
        chains: impl Iterator<Item = (usize, &'a mut Cache)>,
    ) -> Vec<Vec<f32>> {
        let width = model.card.width;
        let runner = |(theme, tail): (usize, &'a mut Cache)| {
            let mut x = model.themes[theme * width..(theme + 1) * width].to_vec();
            add(&mut x, &model.steps[step * width..(step + 1) * width]);
            Runner { x, tail }
        };
        let out = layers::run(model, &self.before, chains.map(runner).collect());
        let mut next = products(&model.next, &out);
        let temperature = model.card.temperatures.get(step).copied().unwrap_or(1.0);
        for p in &mut next {
            add(p, &model.next_bias);
            p.iter_mut().for_each(|logit| *logit /= temperature);
            softmax(p);
        }
        next
    }
}
