//! The regression from a row of features to the embeddings of the segments to come.

use crate::{
    dense::{add, dot, product},
    features::FeatureLayout,
    linear::RowKind,
};
use serde::{Deserialize, Serialize};

/// What the card says of the head.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpenCard {
    /// The sentence encoder, by name.
    pub embedder: String,
    /// The width of its vectors.
    pub dimension: usize,
    /// How many segments after that of the token read last are forecast.
    pub horizons: usize,
    /// How many numbers stand between features and embeddings.
    pub rank: usize,
    /// How many directions the background of training segments has.
    pub background_rank: usize,
    /// How many times the way from latents to embeddings was fitted again, each time on a part of the
    /// training prompts.
    #[serde(default)]
    pub ensemble: usize,
    /// From scores to probabilities.
    pub calibration: Calibration,
    /// How it was trained and how well it does.
    pub evaluation: serde_json::Value,
}

/// The logistic regressions that turn [`inputs`](super::inputs) into probabilities; *shape*
/// `[1 + INPUTS]` each, the intercept first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// At boundaries.
    pub boundary: Vec<f32>,
    /// Between them.
    pub mid: Vec<f32>,
}

/// The whole head.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenHead {
    /// What the card says of it.
    pub card: OpenCard,
    /// The regression at boundaries.
    pub boundary: OpenSet,
    /// The one between them.
    pub mid: OpenSet,
    /// The embeddings of the training segments.
    pub segments: Background,
}

/// One regression: `expand · project · z(features) + bias`.
///
/// `project` is scaled so that over the training rows its outputs, the latents, have mean 0 and
/// unit covariance. So `bias` is the mean forecast, and how far a phrase's score usually strays
/// from its mean can be read off `expand`.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenSet {
    /// Mean and inverse deviation of each feature, *shape* `[2, features]`.
    pub scaling: Vec<f32>,
    /// *Shape* `[rank, features]`.
    pub project: Vec<f32>,
    /// From latents to embeddings.
    pub whole: Expansion,
    /// The same fitted again on parts of the training prompts.
    pub ensemble: Vec<Expansion>,
}

/// `expand · latents + bias`, at each horizon.
#[derive(Debug, Clone, PartialEq)]
pub struct Expansion {
    /// *Shape* `[horizons, dimension, rank]`.
    pub expand: Vec<f32>,
    /// *Shape* `[horizons, dimension]`.
    pub bias: Vec<f32>,
}

/// Mean and covariance of embeddings, the covariance as `factorᵀ · factor`.
#[derive(Debug, Clone, PartialEq)]
pub struct Background {
    /// *Shape* `[dimension]`.
    pub mean: Vec<f32>,
    /// *Shape* `[background_rank, dimension]`.
    pub factor: Vec<f32>,
}

/// What of a row the head looks at, into `out`: activations and position.
pub fn features(row: &[f32], layout: &FeatureLayout, out: &mut Vec<f32>) {
    out.clear();
    out.extend_from_slice(&row[layout.activations()]);
    out.extend_from_slice(&row[layout.position()]);
}

impl OpenHead {
    /// The regression for a kind of row.
    pub fn set(&self, kind: RowKind) -> &OpenSet {
        match kind {
            RowKind::Boundary => &self.boundary,
            RowKind::Mid => &self.mid,
        }
    }

    /// The logistic regression for a kind of row.
    pub fn calibration(&self, kind: RowKind) -> &[f32] {
        match kind {
            RowKind::Boundary => &self.card.calibration.boundary,
            RowKind::Mid => &self.card.calibration.mid,
        }
    }
}

impl OpenSet {
    /// The latents of `features`, *shape* `[features]`, into `out`, *shape* `[rank]`. `features`
    /// is z-scored in place.
    pub fn latents(&self, features: &mut [f32], out: &mut Vec<f32>) {
        let (mean, inverse) = self.scaling.split_at(features.len());
        for ((x, mean), inverse) in features.iter_mut().zip(mean).zip(inverse) {
            *x = (*x - mean) * inverse;
        }
        *out = product(&self.project, features);
    }

    /// The forecast embeddings for `latents`, *shape* `[horizons, dimension]`; not of length 1:
    /// the surer the forecast, the longer.
    pub fn embeddings(&self, latents: &[f32]) -> Vec<f32> {
        let mut out = product(&self.whole.expand, latents);
        add(&mut out, &self.whole.bias);
        out
    }
}

impl Background {
    /// Mean and deviation of the cosines between the background's embeddings and `phrase`.
    pub fn cosines(&self, phrase: &[f32]) -> (f32, f32) {
        let rows = self.factor.chunks_exact(phrase.len().max(1));
        let variance: f32 = rows.map(|row| dot(row, phrase).powi(2)).sum();
        (dot(&self.mean, phrase), variance.sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forecast_is_the_affine_map_of_the_scaled_features() {
        let set = OpenSet {
            scaling: vec![1.0, 2.0, 0.5, 1.0],
            project: vec![1.0, -1.0],
            whole: Expansion { expand: vec![2.0, 0.0, -1.0], bias: vec![0.5, 0.25, 0.0] },
            ensemble: Vec::new(),
        };
        let mut latents = Vec::new();
        set.latents(&mut [5.0, 3.0], &mut latents);
        assert_eq!(latents, [1.0]); // (5 − 1) / 2 − (3 − 2)
        assert_eq!(set.embeddings(&latents), [2.5, 0.25, -1.0]);
    }

    #[test]
    fn history_and_text_are_left_out() {
        let layout = FeatureLayout { hidden: 1, sites: 1, themes: 1, text: 2, layer_norm: false };
        let row: Vec<f32> = (0..layout.len()).map(|x| x as f32).collect();
        let mut out = Vec::new();
        features(&row, &layout, &mut out);
        assert_eq!(out, [0.0, 1.0, 2.0, 6.0, 7.0, 8.0, 9.0]);
    }

    #[test]
    fn the_background_of_a_phrase_is_its_mean_cosine_and_spread() {
        let background = Background { mean: vec![0.1, 0.4], factor: vec![3.0, 0.0, 0.0, 0.5] };
        assert_eq!(background.cosines(&[0.0, 1.0]), (0.4, 0.5));
    }
}
