//! The chain predictor along one answer.

use super::{
    ChainModel,
    layers::{self, Cache, Runner},
};
use crate::{
    chains::Chain,
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
    pub(super) present: Cache,
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

/// The least number of beams: with fewer, most of what `z0` could be would be lost.
const WIDE: usize = 4;

/// A chain on the way: its themes from `z0` on, its probability, the keys and values of the
/// present moment and its themes.
pub(super) struct Beam {
    themes: Vec<usize>,
    pub(super) p: f32,
    tail: Cache,
}

impl Beam {
    /// A chain of `z0` alone, after the present moment.
    pub(super) fn new(theme: usize, p: f32, present: &Cache) -> Self {
        Self { themes: vec![theme], p, tail: present.clone() }
    }

    /// The `most` best of all that go on by one theme, `next` being what comes after each.
    pub(super) fn grown(beams: &[Self], next: &[Vec<f32>], most: usize) -> Vec<Self> {
        let mut longer: Vec<(f32, usize, usize)> = Vec::with_capacity(beams.len() * most);
        for (number, (beam, p)) in beams.iter().zip(next).enumerate() {
            let best = best(p, most).into_iter();
            longer.extend(best.map(|theme| (beam.p * p[theme], number, theme)));
        }
        longer.sort_by(|a, b| b.0.total_cmp(&a.0));
        longer.truncate(most);
        longer.into_iter().map(|(p, number, theme)| beams[number].and(theme, p)).collect()
    }

    /// The `most` best themes of `first`, with their probabilities there; each goes on from the one
    /// of the beams that makes it likeliest, `next` being what comes after each.
    fn forgetting_present(
        beams: &[Self],
        next: &[Vec<f32>],
        (first, most): (&[f32], usize),
    ) -> Vec<Self> {
        let after = |theme: usize| {
            let joint = beams.iter().zip(next).map(|(beam, p)| beam.p * p[theme]);
            let likeliest = best(&joint.collect::<Vec<f32>>(), 1)[0];
            beams[likeliest].and(theme, first[theme])
        };
        best(first, most).into_iter().map(after).collect()
    }

    /// The chain that goes on by `theme`, with the probability `p`.
    fn and(&self, theme: usize, p: f32) -> Self {
        let themes = self.themes.iter().copied().chain([theme]).collect();
        Self { themes, p, tail: self.tail.clone() }
    }
}

impl Outlook {
    /// `p(zk+1 | z0 … zk)` for the themes given, *shape* `[themes]`.
    pub fn next(&self, model: &ChainModel, themes: &[usize]) -> Vec<f32> {
        let mut beam = Beam { themes: Vec::new(), p: 1.0, tail: self.present.clone() };
        let mut p = Vec::new();
        for (step, &theme) in themes.iter().enumerate() {
            beam.themes.push(theme);
            p = self.emit(model, step, std::slice::from_mut(&mut beam)).remove(0);
        }
        p
    }

    /// The `most` best chains of `z1 … zhorizon` by a beam, `now` being the distribution of `z0` and
    /// `first` that of `z1`, which chains that begin alike share among themselves.
    ///
    /// Each `z1` goes on from the `z0` that makes it likeliest: exact where `z0` is known.
    pub fn chains(
        &self,
        model: &ChainModel,
        (now, first): (&[f32], &[f32]),
        horizon: usize,
        most: usize,
    ) -> Vec<Chain> {
        if most == 0 || horizon == 0 {
            return Vec::new();
        }
        let wide = most.max(WIDE);
        let start = |theme| Beam::new(theme, now[theme], &self.present);
        let mut beams: Vec<Beam> = best(now, wide).into_iter().map(start).collect();
        for step in 0..horizon {
            let next = self.emit(model, step, &mut beams);
            beams = if step == 0 {
                Beam::forgetting_present(&beams, &next, (first, wide))
            } else {
                Beam::grown(&beams, &next, wide)
            };
        }
        beams.truncate(most);
        beams
            .into_iter()
            .map(|beam| Chain { themes: beam.themes[1..].to_vec(), p: beam.p })
            .collect()
    }

    /// Appends each beam's last theme as a `<theme>` token and returns the distributions of the
    /// themes after them, *shape* `[beams][themes]`.
    pub(super) fn emit(
        &self,
        model: &ChainModel,
        step: usize,
        beams: &mut [Beam],
    ) -> Vec<Vec<f32>> {
        let width = model.card.width;
        let runner = |beam| {
            let Beam { themes, tail, .. }: &mut Beam = beam;
            let theme = themes[themes.len() - 1];
            let mut x = model.themes[theme * width..(theme + 1) * width].to_vec();
            add(&mut x, &model.steps[step * width..(step + 1) * width]);
            Runner { x, tail }
        };
        let runners = beams.iter_mut().map(runner).collect();
        let mut next = products(&model.next, &layers::run(model, &self.before, runners));
        let temperature = model.card.temperatures.get(step).copied().unwrap_or(1.0);
        for p in &mut next {
            add(p, &model.next_bias);
            p.iter_mut().for_each(|logit| *logit /= temperature);
            softmax(p);
        }
        next
    }
}

/// The places of the `most` largest.
pub(super) fn best(p: &[f32], most: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_unstable_by(|&a, &b| p[b].total_cmp(&p[a]));
    order.truncate(most);
    order
}
