//! How much the transformer counts beside the linear heads, and what its chains are worth.
//!
//! Everything is chosen on the validation split: a weight and a temperature for each kind of
//! moment and offset, a temperature for each step of the chain.

use super::{
    batch::{Present, Stories},
    network::Network,
};
use crate::Result;
use serde::Serialize;
use std::fmt;
use themecast_forecast::{
    chain::{ChainModel, Mix},
    linear::{LinearPredictor, RowKind, softmax},
};

/// Weights that are tried.
const WEIGHTS: usize = 10;

/// Joint losses of chains at boundaries of the validation split, in nats a chain.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct JointReport {
    /// How many segments the chains have, the one that begins included.
    pub segments: usize,
    /// Chains that were scored.
    pub cases: usize,
    /// Of the chain predictor, mixed with the linear heads; before anything is linked.
    pub chain_nats: f32,
    /// Of the product of the linear heads' distributions.
    pub linear_nats: f32,
}

impl fmt::Display for JointReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { segments, cases, chain_nats, linear_nats } = self;
        write!(
            f,
            "chains of {segments} segments: {chain_nats:.3} nats, linear heads {linear_nats:.3} \
             ({cases} validation cases)"
        )
    }
}

/// What the transformer and a linear head say, with what came.
#[derive(Default)]
struct Scored {
    /// The transformer's, *shape* `[cases, themes]`, logarithms of probabilities.
    own: Vec<f32>,
    /// The linear head's; empty for steps of the chain, of which it says nothing.
    linear: Vec<f32>,
    came: Vec<u32>,
    present: Vec<usize>,
}

/// Chooses the mixes and temperatures of `model`, whose weights are those of `network`.
///
/// # Errors
/// [`crate::LabError::Fit`] where candle fails.
pub(super) fn calibrate(
    model: &mut ChainModel,
    network: &Network,
    stories: &Stories,
    linear: &LinearPredictor,
) -> Result<Vec<JointReport>> {
    let all: Vec<usize> = (0..stories.len()).collect();
    let (themes, horizons) = (stories.themes, stories.horizons);
    let mut marginal: [Vec<Scored>; 2] = [scored(horizons + 1), scored(horizons + 1)];
    let mut next = scored(horizons);
    let mut presents: Vec<Present> = Vec::new();
    for numbers in stories.batches(&all, 32) {
        let batch = stories.batch(numbers, model.card.places)?;
        let out = network.forward(&batch, None)?;
        let before = presents.len();
        for (offset, targets) in batch.marginal.iter().enumerate() {
            let logits = network.marginal(&out, targets, offset)?.flatten_all()?.to_vec1()?;
            for (case, own) in logits.chunks_exact(themes).enumerate() {
                let present = &batch.presents[targets.present[case]];
                let kind = usize::from(present.kind == RowKind::Mid);
                let head = &linear.heads(present.kind)[offset + 1 - kind];
                let mut p = Vec::new();
                head.probabilities(stories.raw(present), &mut p);
                let came = targets.came[case];
                marginal[kind][offset].add(own, &p, came, before + targets.present[case]);
            }
        }
        for (step, targets) in batch.next.iter().enumerate() {
            let logits = network.next(&out, targets)?.flatten_all()?.to_vec1()?;
            for (case, own) in logits.chunks_exact(themes).enumerate() {
                next[step].add(own, &[], targets.came[case], before + targets.present[case]);
            }
        }
        presents.extend(batch.presents);
    }
    let mixes = |kind: usize| marginal[kind].iter().map(|scored| scored.mix(themes)).collect();
    (model.card.boundary, model.card.mid) = (mixes(0), mixes(1));
    model.card.temperatures = next.iter().map(|scored| scored.temperature(themes)).collect();
    Ok((2..=horizons + 1)
        .map(|segments| joint(model, &marginal[0], &next, themes, segments))
        .collect())
}

fn scored(count: usize) -> Vec<Scored> {
    (0..count).map(|_| Scored::default()).collect()
}

impl Scored {
    fn add(&mut self, logits: &[f32], linear: &[f32], came: u32, present: usize) {
        let mut p = logits.to_vec();
        softmax(&mut p);
        self.own.extend(p.iter().map(|p| p.max(1e-9).ln()));
        self.linear.extend(linear.iter().map(|p| p.max(1e-9).ln()));
        self.came.push(came);
        self.present.push(present);
    }

    /// The loss of each case with the own logarithms counting `weight`, divided by `temperature`.
    fn losses(&self, themes: usize, mix: Mix) -> impl Iterator<Item = f32> {
        let mut p = Vec::with_capacity(themes);
        self.came.iter().enumerate().map(move |(case, &came)| {
            let of = case * themes..(case + 1) * themes;
            p.clear();
            p.extend_from_slice(&self.own[of.clone()]);
            if mix.weight < 1.0 {
                for (own, linear) in p.iter_mut().zip(&self.linear[of]) {
                    *own = mix.weight * *own + (1.0 - mix.weight) * linear;
                }
            }
            p.iter_mut().for_each(|log| *log /= mix.temperature);
            softmax(&mut p);
            -p[came as usize].max(1e-9).ln()
        })
    }

    fn loss(&self, themes: usize, mix: Mix) -> f32 {
        self.losses(themes, mix).sum::<f32>() / self.came.len().max(1) as f32
    }

    /// The weight and temperature with the least loss.
    fn mix(&self, themes: usize) -> Mix {
        let best = |weight: f32| {
            let temperature = self.best_temperature(themes, weight);
            let mix = Mix { weight, temperature };
            (self.loss(themes, mix), mix)
        };
        let tried = (0..=WEIGHTS).map(|tenth| best(tenth as f32 / WEIGHTS as f32));
        let least = tried.min_by(|a, b| a.0.total_cmp(&b.0));
        least.map_or(Mix { weight: 0.0, temperature: 1.0 }, |(_, mix)| mix)
    }

    fn temperature(&self, themes: usize) -> f32 {
        self.best_temperature(themes, 1.0)
    }

    /// The temperature with the least loss, from 0.5 to 2.5.
    fn best_temperature(&self, themes: usize, weight: f32) -> f32 {
        let tried = (0..=40).map(|step| 0.5 * 1.041f32.powi(step));
        let loss = |temperature| self.loss(themes, Mix { weight, temperature });
        let least = tried.map(|t| (loss(t), t)).min_by(|a, b| a.0.total_cmp(&b.0));
        least.map_or(1.0, |(_, temperature)| temperature)
    }
}

/// The joint losses of chains of `segments` segments at boundaries.
fn joint(
    model: &ChainModel,
    marginal: &[Scored],
    next: &[Scored],
    themes: usize,
    segments: usize,
) -> JointReport {
    let by_present = |scored: &Scored, mix: Mix| -> Vec<(usize, f32)> {
        scored.present.iter().copied().zip(scored.losses(themes, mix)).collect()
    };
    let find = |of: &[(usize, f32)], present: usize| {
        of.binary_search_by_key(&present, |(at, _)| *at).ok().map(|place| of[place].1)
    };
    let alone = |temperature| Mix { weight: 1.0, temperature };
    let linear = Mix { weight: 0.0, temperature: 1.0 };
    let first = by_present(&marginal[0], model.card.boundary[0]);
    let rest: Vec<_> = (1..segments)
        .map(|step| by_present(&next[step - 1], alone(model.card.temperatures[step - 1])))
        .collect();
    let heads: Vec<_> = marginal[..segments].iter().map(|of| by_present(of, linear)).collect();
    let (mut cases, mut chain, mut product) = (0, 0.0, 0.0);
    for &(present, loss) in &first {
        let conditional: Option<f32> = rest.iter().map(|of| find(of, present)).sum();
        let independent: Option<f32> = heads.iter().map(|of| find(of, present)).sum();
        if let (Some(conditional), Some(independent)) = (conditional, independent) {
            chain += loss + conditional;
            product += independent;
            cases += 1;
        }
    }
    let mean = |sum: f32| sum / cases.max(1) as f32;
    JointReport { segments, cases, chain_nats: mean(chain), linear_nats: mean(product) }
}
