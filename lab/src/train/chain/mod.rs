//! Training the chain predictor on top of trained linear heads.
//!
//! `batch` lays documents out as tokens with a mask, `network` is the transformer in candle,
//! `dropout` what it leaves out while it is trained, `fit` descends the gradient until the
//! validation split says enough, `mix` weighs its distributions against the linear heads'. What
//! serving computes is `themecast-forecast`'s `chain`; a test holds the two together.

mod batch;
mod dropout;
mod fit;
mod mix;
mod network;
#[cfg(test)]
mod tests;

pub use fit::FitReport;
pub use mix::JointReport;

use super::{rows::Splits, scaler::Scaler};
use crate::Result;
use batch::Stories;
use serde::Serialize;
use themecast_forecast::{
    chain::{ChainCard, ChainModel},
    features::FeatureLayout,
    linear::LinearPredictor,
};

/// How to train a chain predictor.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChainConfig {
    /// Width of a token's vector.
    pub width: usize,
    /// Attention heads.
    pub heads: usize,
    /// Layers.
    pub layers: usize,
    /// The most passes over the training documents.
    pub epochs: usize,
    /// Passes without a better validation loss after which it ends.
    pub patience: usize,
    /// Documents a step.
    pub batch: usize,
    /// The largest step of AdamW.
    pub learning_rate: f64,
    /// Weight decay of AdamW.
    pub weight_decay: f64,
    /// Share of the input's and the layers' values that is left out at random.
    pub dropout: f32,
    /// The seed of weights, order and what is left out.
    pub seed: u64,
}

impl Default for ChainConfig {
    fn default() -> Self {
        Self {
            width: 64,
            heads: 4,
            layers: 2,
            epochs: 14,
            patience: 4,
            batch: 32,
            learning_rate: 7e-4,
            weight_decay: 0.2,
            dropout: 0.3,
            seed: 1,
        }
    }
}

/// Places of boundaries that are told apart.
const PLACES: usize = 32;

/// What came out of training.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChainReport {
    /// How many numbers were trained.
    pub parameters: usize,
    /// How the gradient descent went.
    pub fit: FitReport,
    /// Joint losses of chains on the validation split, beside the linear heads'.
    pub joint: Vec<JointReport>,
}

/// Trains on the rows of boundaries and of moments between them, beside the `linear` heads that
/// were trained on the same.
///
/// # Errors
/// [`crate::LabError::Fit`] where candle fails.
pub(super) fn train(
    (boundary, mid): (&Splits, &Splits),
    (layout, horizons): (FeatureLayout, usize),
    linear: &LinearPredictor,
    config: &ChainConfig,
    progress: &dyn Fn(&str),
) -> Result<(ChainModel, ChainReport)> {
    let scaler = Scaler::of_features(&mid.train.values, layout);
    let stories = |boundary, mid| Stories::new(boundary, mid, layout, horizons, &scaler);
    let train = stories(&boundary.train, &mid.train);
    let validation = stories(&boundary.validation, &mid.validation);
    progress(&format!(
        "chain predictor: {} training and {} validation documents",
        train.len(),
        validation.len()
    ));
    let card = ChainCard {
        width: config.width,
        heads: config.heads,
        layers: config.layers,
        inner: 4 * config.width,
        places: PLACES,
        boundary: Vec::new(),
        mid: Vec::new(),
        temperatures: vec![1.0; horizons],
    };
    let (network, fit) = fit::fit(&card, &train, &validation, config, progress)?;
    let mut model = network.export(&card, &scaler)?;
    let joint = mix::calibrate(&mut model, &network, &validation, linear)?;
    for report in &joint {
        progress(&report.to_string());
    }
    Ok((model.clone(), ChainReport { parameters: model.parameters(), fit, joint }))
}
