//! What an evaluation says: plain data, as JSON has it.

use super::{
    bootstrap::Interval,
    metrics::Scores,
    more_reports::{
        CurveReport, DoubtReport, HeldOutReport, JointReport, OtherJointReport, OtherReport,
        ResampleReport, ServedChainsReport, ThemeReport, WatchReport,
    },
    reader::ReaderReport,
};
use serde::{Deserialize, Serialize};

/// Judgement of a bundle on the test split of a collection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvalReport {
    /// The collection's folder.
    pub collection: String,
    /// The bundle's folder.
    pub bundle: String,
    /// The model that wrote the answers.
    pub model_name: String,
    /// How the themes came about.
    pub labels: String,
    /// Themes in the catalogue.
    pub themes: usize,
    /// Documents of the test split.
    pub test_documents: usize,
    /// Bootstrap resamples of prompts.
    pub resamples: usize,
    /// The seed of the bootstrap.
    pub seed: u64,
    /// Forecasts of coming segments against every baseline, by place and horizon: the prompt's
    /// end, boundaries, then a few tokens into segments.
    pub horizons: Vec<HorizonReport>,
    /// The classifier of the segment that just ended, against its label.
    pub now: Option<PlaceReport>,
    /// Forecasts from every token within segments, by offset: 0 is the segment being written.
    pub mid: Vec<PlaceReport>,
    /// Whole chains after boundaries, by their length.
    #[serde(default)]
    pub joint: Vec<JointReport>,
    /// The chains that annotations show, by place.
    #[serde(default)]
    pub served_chains: Vec<ServedChainsReport>,
    /// Whether each theme comes within the horizon, as watches are told.
    #[serde(default)]
    pub watched: Vec<WatchReport>,
    /// Beside letting the model run ahead, where other ways on were sampled.
    #[serde(default)]
    pub resampled: Vec<ResampleReport>,
    /// What tells that a forecast is wrong, or an answer strange.
    #[serde(default)]
    pub doubt: Vec<DoubtReport>,
    /// Held against what a reader said came: of coming segments at boundaries, of the one being
    /// written within it.
    #[serde(default)]
    pub reader: Vec<ReaderReport>,
    /// Groups that nothing was trained on.
    pub held_out: Option<HeldOutReport>,
    /// One segment ahead at boundaries, theme by theme.
    pub per_theme: Vec<ThemeReport>,
    /// Which theme was likeliest (column) for which came (row), one ahead at boundaries.
    pub confusion: Vec<Vec<u32>>,
    /// How well training on a part of the documents does.
    pub curves: Vec<CurveReport>,
    /// The bundle, then others beside it: of other seeds, of other kinds.
    #[serde(default)]
    pub others: Vec<OtherReport>,
    /// Whole chains of those that tell how themes follow each other.
    #[serde(default)]
    pub other_joint: Vec<OtherJointReport>,
    /// What a reader has to know.
    pub notes: Vec<String>,
}

/// Every model at one place and horizon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HorizonReport {
    /// `prompt end`, `boundary`, `4 tokens in` …
    pub place: String,
    /// Segments ahead; 0 is the segment being written.
    pub ahead: usize,
    /// Forecasts that were scored.
    pub cases: usize,
    /// Of them, those whose theme differs from the present one.
    pub changes: usize,
    /// The model without activations that loses the least on the validation split.
    pub best_text: String,
    /// Ours first.
    pub models: Vec<ModelReport>,
    /// Text with activations minus the best text.
    pub increment: Option<Difference>,
    /// Activations told the true themes so far, as the text is, minus the best text.
    #[serde(default)]
    pub told: Option<Difference>,
    /// The same where the theme differs from the present one.
    #[serde(default)]
    pub told_changes: Option<Difference>,
    /// How often what was forecast with which probability came: ours.
    pub reliability: Vec<Bin>,
}

/// One bin of a reliability diagram.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// The mean probability of the likeliest theme.
    pub forecast: f64,
    /// How often it came.
    pub came: f64,
    /// Cases.
    pub cases: usize,
}

/// One model at one place and horizon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelReport {
    /// Its name.
    pub name: String,
    /// Its scores.
    pub scores: Scores,
    /// Its scores where the theme differs from the present one.
    pub changes: Option<Scores>,
    /// Its mean loss on the validation split, in nats.
    pub validation_nll_nats: f64,
    /// Their 95 % intervals.
    #[serde(flatten)]
    pub intervals: Intervals,
    /// Ours minus this model; none for ours.
    pub difference: Option<Difference>,
    /// The same where the theme differs from the present one.
    pub changes_difference: Option<Difference>,
}

/// 95 % intervals of scores, over prompts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Intervals {
    /// Of the top-1.
    #[serde(rename = "top1_interval")]
    pub top1: Option<Interval>,
    /// Of the mean loss, in nats.
    #[serde(rename = "nll_interval")]
    pub nll: Option<Interval>,
    /// Of the conformal sets' coverage, where there are sets.
    #[serde(rename = "coverage_interval")]
    pub coverage: Option<Interval>,
}

/// One model minus another, on the same resamples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Of the top-1: above 0, the first is right more often.
    pub top1: f64,
    /// Its 95 % interval.
    pub top1_interval: Option<Interval>,
    /// Of the mean loss in nats: below 0, the first loses less.
    pub nll_nats: f64,
    /// Its 95 % interval.
    pub nll_interval: Option<Interval>,
}

/// Our scores alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlaceReport {
    /// Segments after the one of the last token read.
    pub offset: usize,
    /// Forecasts that were scored.
    pub cases: usize,
    /// The scores.
    pub scores: Scores,
    /// Their 95 % intervals.
    #[serde(flatten)]
    pub intervals: Intervals,
}

impl EvalReport {
    /// Our scores at `place` (`prompt end`, `boundary`), `ahead` segments ahead.
    pub fn ours(&self, place: &str, ahead: usize) -> Option<&ModelReport> {
        self.model(place, ahead, super::OURS)
    }

    /// The scores of the model `name` at `place`, `ahead` segments ahead.
    pub fn model(&self, place: &str, ahead: usize, name: &str) -> Option<&ModelReport> {
        let horizon = self.horizon(place, ahead)?;
        horizon.models.iter().find(|model| model.name == name)
    }

    /// Every model at `place`, `ahead` segments ahead.
    pub fn horizon(&self, place: &str, ahead: usize) -> Option<&HorizonReport> {
        self.horizons.iter().find(|one| one.place == place && one.ahead == ahead)
    }
}
