//! Plain data of what is not a comparison at one horizon, in the order of [`super::more_tables`].

use super::{
    bootstrap::{Interval, Mean},
    metrics::Scores,
    report::{Difference, Intervals},
};
use serde::{Deserialize, Serialize};

/// A measure of uncertainty at boundaries, for one number of segments ahead.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DoubtReport {
    /// Segments ahead.
    pub ahead: usize,
    /// The measure.
    pub measure: String,
    /// Forecasts of the test split.
    pub cases: usize,
    /// How often it is higher where the likeliest theme did not come than where it did.
    pub wrong_auroc: Option<Mean>,
    /// How often it is higher in held-out groups than in the test split.
    pub strange_auroc: Option<f64>,
    /// Its mean on the test split, in nats.
    pub mean_nats: f64,
}

/// One forecast at the places from which other ways on were sampled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResampleReport {
    /// Segments ahead.
    pub ahead: usize,
    /// Whose forecast.
    pub name: String,
    /// Places that were scored.
    pub cases: usize,
    /// Mean loss of what came, in nats.
    pub nll_nats: f64,
    /// Share of cases whose likeliest theme came; of several alike each counts its share.
    pub top1: f64,
    /// Mean loss of what came on the other ways, each left out of its own forecast, in nats.
    pub others_nll_nats: f64,
    /// The same minus the entropy of the shares among the ways: the divergence of the forecast
    /// from where the model goes. Of shares counted on 16 ways it is somewhat too high, for every
    /// forecast alike.
    #[serde(default)]
    pub kl_nats: f64,
    /// The interval of our loss minus this one's, over prompts.
    pub ours_minus: Option<Interval>,
    /// The same of the losses on the other ways, which is that of the divergences.
    #[serde(default)]
    pub ours_minus_kl: Option<Interval>,
    /// Tokens that had to be written for one forecast.
    pub tokens: f64,
    /// Of the ways that it counts on those that got `ahead` segments far, on average.
    #[serde(default)]
    pub ways: f64,
}

/// Chains of one length after boundaries: the joint loss of what came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JointReport {
    /// How many segments a chain has.
    pub segments: usize,
    /// Chains that were scored.
    pub cases: usize,
    /// The bundle's mean loss, in nats a chain.
    pub ours_nats: f64,
    /// Other ways to a joint distribution, on the same cases.
    #[serde(default)]
    pub rivals: Vec<JointRival>,
}

/// Another way to a joint distribution of coming segments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JointRival {
    /// `product` of the bundle's linear heads; the first of them, then a `Markov` chain counted on the
    /// training split; heads `linked` by how much likelier that chain makes a theme after the one
    /// before; `own linked`, the bundle's distributions of single segments in place of the heads';
    /// `own chain`, the first of them, then what its chain predictor says comes next; `chain alone`,
    /// without the linear heads that it is mixed with.
    pub way: String,
    /// The power of the Markov chain's ratios that loses least on the validation split; of what is
    /// linked.
    #[serde(default)]
    pub power: Option<f32>,
    /// Its mean loss, in nats a chain.
    pub nats: f64,
    /// 95 % interval of the bundle's loss minus its.
    pub ours_minus_interval: Option<Interval>,
}

/// The chains that annotations show at one kind of place: what is told of them and what came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServedChainsReport {
    /// `prompt end`, `boundary`, `within segments` (every token there).
    pub place: String,
    /// How segments are put together.
    pub way: String,
    /// Annotations whose horizon the answer reached.
    pub cases: usize,
    /// The mean probability of the first chain.
    pub first_p: f64,
    /// How often it came.
    pub first_came: Mean,
    /// Its expected calibration error, 15 bins of equal mass.
    pub first_ece: f64,
    /// The same of perfectly calibrated ones, by chance.
    pub first_ece_by_chance: f64,
    /// The mean sum of the probabilities of all chains shown.
    pub any_p: f64,
    /// How often one of them came.
    pub any_came: Mean,
    /// The expected calibration error of that sum.
    pub any_ece: f64,
    /// How much more often one of those that are served came than one of these.
    #[serde(alias = "chain_minus")]
    pub served_minus: Mean,
}

/// Watches of single themes: whether one comes within the horizon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WatchReport {
    /// Which boundaries.
    pub places: String,
    /// How segments are put together.
    pub way: String,
    /// Boundaries times themes.
    pub cases: usize,
    /// The mean probability that was told.
    pub mean_p: f64,
    /// The share that came.
    pub came: f64,
    /// The mean loss of whether it came, in nats.
    pub nats: f64,
    /// The interval of the loss of what is served minus this one's.
    #[serde(alias = "chain_minus")]
    pub served_minus: Option<Interval>,
    /// Expected calibration error, ten bins.
    pub calibration_error: f64,
    /// How often it is higher where the theme came than where it did not.
    pub auroc: Option<f64>,
    /// Of those told 0.5 or more, the share that came.
    pub precision: Option<f64>,
    /// Of those that came, the share told 0.5 or more.
    pub recall: Option<f64>,
}

/// Groups that nothing was trained on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeldOutReport {
    /// Scores at the prompt's end and at boundaries, group by group, with the test split's own first.
    pub groups: Vec<GroupReport>,
    /// How well such text is recognised.
    pub recognisers: Vec<RecogniserReport>,
}

/// One group at one place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupReport {
    /// The group; `test` is the test split.
    pub group: String,
    /// `prompt end`, `boundary` or so many `tokens in`.
    #[serde(default)]
    pub place: String,
    /// Its documents.
    pub documents: usize,
    /// Segments ahead.
    pub ahead: usize,
    /// The model.
    pub model: String,
    /// Its scores.
    pub scores: Scores,
    /// Their 95 % intervals.
    #[serde(flatten)]
    pub intervals: Intervals,
    /// Ours minus this model; none for ours.
    #[serde(default)]
    pub ours_minus: Option<Difference>,
}

/// A measure of being out of distribution, held-out documents against the test split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecogniserReport {
    /// The measure.
    pub name: String,
    /// Area under the ROC curve, all groups together; 0.5 is chance.
    pub auroc: f64,
    /// Its 95 % interval, over prompts.
    pub interval: Option<Interval>,
    /// Group by group.
    pub by_group: Vec<(String, f64)>,
}

/// One theme, one segment ahead at boundaries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ThemeReport {
    /// Its id.
    pub theme: String,
    /// How often it came.
    pub came: u32,
    /// How often it was the likeliest.
    pub forecast: u32,
    /// Share of its forecasts that came.
    pub precision: Option<f64>,
    /// Share of its comings that were the likeliest.
    pub recall: Option<f64>,
    /// Mean loss where it came, in nats.
    pub nll_nats: Option<f64>,
    /// Mean probability over all cases, minus the share of cases in which it came.
    pub bias: f64,
}

/// Training on a part of the documents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CurveReport {
    /// The share of the training documents, 0 to 1.
    pub share: f64,
    /// How many that is.
    pub documents: usize,
    /// Segments ahead, at boundaries.
    pub ahead: usize,
    /// The loss on the test split for each draw of prompts, in nats.
    pub nll_nats: Vec<f64>,
    /// The top-1 for each draw.
    pub top1: Vec<f64>,
    /// The first draw's minus that of the share before.
    #[serde(default)]
    pub gain: Option<Difference>,
}

/// One bundle of several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OtherReport {
    /// Its folder.
    pub bundle: String,
    /// Where.
    pub place: String,
    /// Segments ahead.
    pub ahead: usize,
    /// Its mean loss on the validation split, in nats: what is picked among is picked by this.
    pub validation_nll_nats: f64,
    /// Its scores on the test split.
    pub scores: Scores,
    /// Their 95 % intervals.
    #[serde(flatten)]
    pub intervals: Intervals,
    /// Ours minus this one; none for ours.
    pub ours_minus: Option<Difference>,
    /// The same by what a reader said, where one was asked and saw what came.
    #[serde(default)]
    pub reader: Option<OtherByReader>,
}

/// One bundle of several at one place and horizon, by what a reader said came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OtherByReader {
    /// Its scores on the test split.
    pub scores: Scores,
    /// Their 95 % intervals.
    #[serde(flatten)]
    pub intervals: Intervals,
    /// Ours minus this one; none for ours.
    pub ours_minus: Option<Difference>,
}

/// Whole chains of one bundle of several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OtherJointReport {
    /// Its folder.
    pub bundle: String,
    /// Chains of one length.
    #[serde(flatten)]
    pub joint: JointReport,
}
