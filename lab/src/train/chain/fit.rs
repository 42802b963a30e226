//! Descending the gradient until the validation split says enough.

use super::{
    ChainConfig,
    batch::Stories,
    dropout::Dropout,
    network::{Network, Sizes},
};
use crate::{LabError, Result, pace::Pace};
use candle_core::{Tensor, Var};
use candle_nn::optim::{AdamW, Optimizer, ParamsAdamW};
use rand_xoshiro::{
    Xoshiro256PlusPlus,
    rand_core::{RngCore, SeedableRng},
};
use serde::Serialize;
use themecast_forecast::chain::ChainCard;

/// How the descent went.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FitReport {
    /// Passes over the training documents.
    pub epochs: usize,
    /// The pass whose weights were kept, from 1.
    pub best_epoch: usize,
    /// Its mean loss on the validation split, in nats, over all offsets and steps.
    pub validation_nats: f32,
}

/// Fits a network; the weights of the pass that validates best are kept.
///
/// # Errors
/// [`LabError::Fit`] where candle fails or nothing validates.
pub(super) fn fit(
    card: &ChainCard,
    train: &Stories,
    validation: &Stories,
    config: &ChainConfig,
    progress: &dyn Fn(&str),
) -> Result<(Network, FitReport)> {
    let network = Network::new(card, sizes(train), config.seed)?;
    let variables = network.variables();
    let parameters = ParamsAdamW {
        lr: config.learning_rate,
        weight_decay: config.weight_decay,
        ..ParamsAdamW::default()
    };
    let mut optimizer = AdamW::new(variables.clone(), parameters)?;
    let mut random = Xoshiro256PlusPlus::seed_from_u64(config.seed);
    let dropout = Dropout::new(config.dropout, !config.seed);
    let mut order: Vec<usize> = (0..train.len()).collect();
    let steps = (config.epochs * train.batches(&order, config.batch).len()).max(1);
    let mut best: Option<(f32, usize, Vec<Tensor>)> = None;
    let (mut step, mut epochs) = (0, 0);
    let told = Pace::new("passes at most", progress);
    for epoch in 1..=config.epochs {
        shuffle(&mut order, &mut random);
        for numbers in train.batches(&order, config.batch) {
            optimizer.set_learning_rate(config.learning_rate * schedule(step, steps));
            let loss = network.loss(&train.batch(numbers, card.places)?, Some(&dropout))?;
            optimizer.backward_step(&loss)?;
            step += 1;
        }
        epochs = epoch;
        let nats = validate(&network, card, validation, config.batch)?;
        progress(&format!("chain predictor: pass {epoch}, {nats:.4} nats on the validation split"));
        told.at(epoch, config.epochs);
        if best.as_ref().is_none_or(|(least, ..)| nats < *least) {
            best = Some((nats, epoch, copies(&variables)?));
        }
        if best.as_ref().is_some_and(|(_, at, _)| epoch >= at + config.patience) {
            break;
        }
    }
    let Some((validation_nats, best_epoch, weights)) = best else {
        return Err(LabError::Fit("the chain predictor never validated".to_owned()));
    };
    for (variable, weight) in variables.iter().zip(&weights) {
        variable.set(weight)?;
    }
    Ok((network, FitReport { epochs, best_epoch, validation_nats }))
}

fn sizes(stories: &Stories) -> Sizes {
    Sizes { features: stories.features(), themes: stories.themes, horizons: stories.horizons }
}

/// The share of the largest step: warms up over a twentieth of all, then falls as a cosine does.
fn schedule(step: usize, steps: usize) -> f64 {
    let done = (step as f64 / steps as f64).min(1.0); // shuffled, they may be a few more
    let warm = (done / 0.05).min(1.0);
    warm * 0.5 * (1.0 + (std::f64::consts::PI * done).cos())
}

fn shuffle(order: &mut [usize], random: &mut Xoshiro256PlusPlus) {
    for place in (1..order.len()).rev() {
        order.swap(place, (random.next_u64() % (place as u64 + 1)) as usize);
    }
}

fn copies(variables: &[Var]) -> Result<Vec<Tensor>> {
    variables.iter().map(|variable| Ok(variable.as_tensor().copy()?.detach())).collect()
}

/// The mean loss of the documents, batch by batch.
fn validate(network: &Network, card: &ChainCard, stories: &Stories, batch: usize) -> Result<f32> {
    let all: Vec<usize> = (0..stories.len()).collect();
    let (mut sum, mut count) = (0.0, 0.0);
    for numbers in stories.batches(&all, batch) {
        let loss = network.loss(&stories.batch(numbers, card.places)?, None)?;
        sum += loss.to_scalar::<f32>()? * numbers.len() as f32;
        count += numbers.len() as f32;
    }
    if sum.is_finite() && count > 0.0 {
        return Ok(sum / count);
    }
    Err(LabError::Fit("the chain predictor's loss is not finite".to_owned()))
}
