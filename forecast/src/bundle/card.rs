//! What a bundle says of itself.

use super::{BundleError, ByPlace};
use crate::{
    chain::ChainCard,
    chains::LinkCard,
    divergence::DetectorCard,
    features::FeatureLayout,
    linear::{LinearPredictor, RowKind},
    open::OpenCard,
    segment::SegmenterConfig,
    text::TextCard,
    trust::RecogniserCard,
};
use serde::{Deserialize, Serialize};
use themecast_plugin_api::{ModelInfo, Site};

/// The newest format that this version reads, beside all before.
pub const FORMAT: u32 = 3;

/// How many segments ahead a bundle may look at most.
pub const MOST_HORIZONS: usize = 16;

/// The card of a bundle, `card.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// The format's version.
    pub format: u32,
    /// The model that the bundle belongs to.
    pub model: ModelInfo,
    /// Where residuals are read.
    pub sites: Vec<Site>,
    /// Whether each of them gets zero mean and unit variance before anything but the recogniser
    /// looks at it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub layer_norm: bool,
    /// The theme catalogue.
    pub themes: Vec<Theme>,
    /// How answers are cut into segments.
    pub segmenter: SegmenterConfig,
    /// How many segments ahead are forecast.
    pub horizons: usize,
    /// The kind of predictor: `linear`; `closed-form`, linear heads fitted without gradients;
    /// `chain`, which has linear heads too; `text`, linear heads that see no activations.
    pub predictor: String,
    /// What makes the probabilities hold up.
    pub calibration: Calibration,
    /// The training data in numbers, to compare live traffic with.
    pub reference: Reference,
    /// How well it does on held-out data.
    pub evaluation: serde_json::Value,
    /// The license of the bundle.
    pub license: String,
    /// When it was made, ISO 8601.
    pub created: String,
    /// How it was made.
    pub training: serde_json::Value,
    /// The temperatures of the heads that were fitted again on parts of the training prompts, a part
    /// each; empty where none were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ensemble: Vec<Temperatures>,
    /// The chain predictor, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain: Option<ChainCard>,
    /// How strongly the segments of a chain are linked, where they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<LinkCard>,
    /// How the text is read, where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<TextCard>,
    /// The open-vocabulary head, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open: Option<OpenCard>,
    /// What recognises prompts unlike those of training, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<RecogniserCard>,
}

/// One theme of the catalogue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Theme {
    /// Its id, in kebab-case, unique: what annotations and metrics name it by.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// What a segment of it is about.
    pub description: String,
    /// Its share of the training segments.
    pub share: f32,
}

/// What makes the probabilities hold up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// One temperature a head, found on held-out data.
    pub temperatures: Temperatures,
    /// The conformal sets, where they were calibrated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conformal: Option<Conformal>,
    /// What the detectors of divergence are tuned to, where they were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detectors: Option<DetectorCard>,
    /// How much the newest forecast of the next segments counts in the average within a segment;
    /// 1: alone.
    #[serde(default = "alone")]
    pub smoothing: f32,
    /// The same of the segment being written; `smoothing` where it is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smoothing_now: Option<f32>,
    /// The temperatures that what was mixed and averaged is served with, where they were found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub served: Option<ByPlace>,
}

fn alone() -> f32 {
    1.0
}

/// The thresholds of conformal sets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conformal {
    /// The probability with which a set holds the theme that comes.
    pub coverage: f32,
    /// By place and segments ahead.
    #[serde(flatten)]
    pub thresholds: ByPlace,
}

/// The temperatures of the heads, indexed by offset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Temperatures {
    /// Of the heads at boundaries.
    pub boundary: Vec<f32>,
    /// Of the heads between them.
    pub mid: Vec<f32>,
}

impl Temperatures {
    /// Those of `predictor`.
    pub fn of(predictor: &LinearPredictor) -> Self {
        let of = |kind| predictor.heads(kind).iter().map(|head| head.temperature).collect();
        Self { boundary: of(RowKind::Boundary), mid: of(RowKind::Mid) }
    }
}

/// The training data in numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    /// Mean of the last site's residual as the features have it, *shape* `[hidden]`.
    pub residual_mean: Vec<f32>,
    /// Its standard deviation, *shape* `[hidden]`.
    pub residual_std: Vec<f32>,
    /// The median distance of a training residual, in standard deviations a dimension.
    pub median_distance: f32,
    /// The 99th percentile of that distance.
    pub distance_quantile_99: f32,
    /// Share of each theme among training segments, *shape* `[themes]`.
    pub theme_share: Vec<f32>,
    /// Standard deviation of the excess surprise of the linear head for the next segment, on the
    /// validation split, in nats.
    pub excess_std: f32,
}

impl Reference {
    /// The z-scores of a residual of the last site, *shape* `[hidden]`.
    pub fn standardised(&self, residual: &[f32]) -> Vec<f32> {
        let scores = residual.iter().zip(&self.residual_mean).zip(&self.residual_std);
        scores.map(|((x, mean), std)| (x - mean) / std).collect()
    }
}

/// A bundle that fits a model, and what is different all the same.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fit {
    /// Differences that only make the forecasts a little worse.
    pub warnings: Vec<String>,
}

impl Card {
    /// The format of a bundle, the first whose readers know what it has: 2 for LayerNorm, 3 for links.
    pub fn format(layer_norm: bool, linked: bool) -> u32 {
        match (layer_norm, linked) {
            (_, true) => 3,
            (true, false) => 2,
            (false, false) => 1,
        }
    }

    /// The layout of the predictor's features.
    pub fn layout(&self) -> FeatureLayout {
        let (hidden, sites) = (self.model.hidden_size, self.sites.len());
        let text = self.text.as_ref().map_or(0, |text| text.dimension);
        let layer_norm = self.layer_norm;
        FeatureLayout { hidden, sites, themes: self.themes.len(), text, layer_norm }
    }

    /// How many offsets the predictor has heads for: the segment being read, every horizon, and
    /// one more because at a boundary the next segment is the present one.
    pub fn offsets(&self) -> usize {
        self.horizons + 2
    }

    /// Checks that the bundle belongs to `model`.
    ///
    /// # Errors
    /// [`BundleError::OtherModel`] with the first difference.
    pub fn fits(&self, model: &ModelInfo) -> Result<Fit, BundleError> {
        let own = &self.model;
        let differ = |what: &'static str, bundle: String, model: String| {
            (bundle != model).then_some(BundleError::OtherModel { what, bundle, model })
        };
        let differences = [
            differ("architecture", own.architecture.clone(), model.architecture.clone()),
            differ("hidden size", own.hidden_size.to_string(), model.hidden_size.to_string()),
            differ("layers", own.layers.to_string(), model.layers.to_string()),
            differ("tokenizer", own.tokenizer_sha256.clone(), model.tokenizer_sha256.clone()),
        ];
        if let Some(difference) = differences.into_iter().flatten().next() {
            return Err(difference);
        }
        let (trained, runs) = (&own.quantization, &model.quantization);
        let warnings = match trained == runs {
            true => Vec::new(),
            false => vec![format!(
                "the bundle was trained on {trained} weights and the model has {runs}: its \
                 probabilities may be a little off"
            )],
        };
        Ok(Fit { warnings })
    }
}
