//! How to train: what is asked for, and whether it makes sense.

use super::{ChainConfig, Fitting};
use crate::{LabError, Result};
use serde::Serialize;
use std::{ops::Range, path::PathBuf};
use themecast_forecast::features::FeatureLayout;
use themecast_plugin_api::Site;

/// How to train.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrainConfig {
    /// The bundle's folder.
    pub out: PathBuf,
    /// Which sites to look at; all that were collected where none are named. The last one gives
    /// the reference statistics.
    pub sites: Vec<Site>,
    /// Whether each site's residual gets zero mean and unit variance before anything else, in place
    /// of z-scores of its columns and its means'.
    pub layer_norm: bool,
    /// How many segments ahead to forecast, 1 to 16.
    pub horizons: usize,
    /// The seed of whatever is drawn.
    pub seed: u64,
    /// Folds of prompts for cross-fitting, 2 or more.
    pub folds: usize,
    /// How many tokens of each segment become mid-segment rows.
    pub mid_rows: usize,
    /// The most optimiser steps per fit.
    pub steps: u64,
    /// The license of the bundle.
    pub license: String,
    /// How heads are fitted.
    pub fitting: Fitting,
    /// Whether predictors see activations.
    pub activations: bool,
    /// Through which encoder they see the text, if they do: its name, for the card.
    pub text: Option<String>,
    /// How to train a chain predictor beside the linear heads; none where it is not wanted.
    pub chain: Option<ChainConfig>,
}

impl TrainConfig {
    /// The usual settings, into the folder `out`.
    pub fn new(out: impl Into<PathBuf>) -> Self {
        Self {
            out: out.into(),
            sites: Vec::new(),
            layer_norm: false,
            horizons: 3,
            seed: 1,
            folds: 4,
            mid_rows: 3,
            steps: 150,
            license: "Apache-2.0".to_owned(),
            fitting: Fitting::Gradient,
            activations: true,
            text: None,
            chain: None,
        }
    }

    /// The kind of predictor, as the card has it.
    pub(super) fn kind(&self) -> &'static str {
        match (&self.chain, self.activations, self.fitting) {
            (Some(_), ..) => "chain",
            (None, false, _) => "text",
            (None, true, Fitting::ClosedForm) => "closed-form",
            (None, true, Fitting::Gradient) => "linear",
        }
    }

    /// The columns that heads leave alone; those that classify have no history to look at.
    pub(super) fn unused(&self, layout: FeatureLayout, classifies: bool) -> Vec<Range<usize>> {
        let history = classifies.then(|| layout.history());
        let activations = (!self.activations).then(|| layout.activations());
        history.into_iter().chain(activations).collect()
    }

    /// Whether what is asked for goes together.
    ///
    /// # Errors
    /// [`LabError::Data`] with what does not.
    pub fn check(&self) -> Result<()> {
        let (horizons, folds) = (self.horizons, self.folds);
        if !(1..=16).contains(&horizons) {
            return Err(LabError::Data(format!("{horizons} horizons: must be 1 to 16")));
        }
        if folds < 2 {
            return Err(LabError::Data(format!("{folds} folds: must be 2 or more")));
        }
        if !self.activations && (self.text.is_none() || self.chain.is_some()) {
            return Err(LabError::data(
                "a predictor without activations reads the text and has linear heads alone",
            ));
        }
        if !self.activations && self.layer_norm {
            return Err(LabError::data(
                "LayerNorm is of activations, and a predictor of text alone sees none: train without it",
            ));
        }
        Ok(())
    }
}
