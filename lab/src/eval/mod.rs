//! How good a bundle is on prompts it has never seen, beside every baseline.
//!
//! The bundle replays the documents as in serving, with its own soft guesses as history; the
//! baselines are given the true themes so far. Whatever is chosen is chosen on the validation
//! split. In the order of the data: `collected` and `own` read, `embeddings` and `text` describe,
//! `fit` and `models` forecast, `judge` scores, `report` holds, `table`, `plots` and `page` show.
//! Nothing here trains a bundle or picks one.

pub(crate) mod bootstrap;
mod calibration;
mod chain_tables;
pub(crate) mod collected;
mod controls;
mod curves;
mod doubt;
pub(crate) mod embeddings;
pub(crate) mod events;
mod figures;
pub(crate) mod fit;
mod held_out;
mod joint;
pub(crate) mod judge;
mod metrics;
mod models;
mod more_reports;
mod more_tables;
mod notes;
pub(crate) mod ood;
mod other_tables;
mod others;
pub(crate) mod own;
pub(crate) mod page;
pub(crate) mod plots;
pub mod read_by;
mod reader;
mod reader_table;
mod report;
mod resampled;
mod run;
mod served_chains;
pub(crate) mod table;
#[cfg(test)]
mod tests;
pub(crate) mod text;
mod themes;
mod watched;
mod within;

pub use bootstrap::{Interval, Mean};
pub use metrics::Scores;
pub use models::{BOTH, OURS, TRUE_THEMES};
pub use more_reports::{
    CurveReport, DoubtReport, GroupReport, HeldOutReport, JointReport, JointRival, OtherByReader,
    OtherJointReport, OtherReport, RecogniserReport, ResampleReport, ServedChainsReport,
    ThemeReport, WatchReport,
};
pub use reader::ReaderReport;
pub use report::{Bin, Difference, EvalReport, HorizonReport, Intervals, ModelReport, PlaceReport};

use crate::{LabError, Result, embed::Embed};
use std::path::{Path, PathBuf};

/// How to evaluate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvalConfig {
    /// The bundle's folder.
    pub bundle: PathBuf,
    /// Other bundles to put beside it: of other seeds, of other kinds.
    pub other_bundles: Vec<PathBuf>,
    /// What a reader said of single segments, to hold the forecasts against too.
    pub answers: Option<PathBuf>,
    /// The most segments ahead to judge; the bundle's own where it has fewer.
    pub horizons: usize,
    /// Bootstrap resamples of prompts.
    pub resamples: usize,
    /// The seed of the bootstrap and of whatever else is drawn.
    pub seed: u64,
    /// Whether to fit the baselines that want fitting: text, controls, learning curves, models that
    /// learn from the reader. Without them those that are counted remain.
    pub fitted: bool,
    /// Words of the text baseline.
    pub vocabulary: usize,
    /// Whether to fit the residual-only variant too.
    pub residual_only: bool,
    /// Draws of documents for each point of the learning curves; 0 leaves them out.
    pub curve_draws: u64,
    /// The most optimiser steps per fit of a baseline.
    pub steps: u64,
}

impl EvalConfig {
    /// The usual settings for the bundle in the folder `bundle`.
    pub fn new(bundle: impl Into<PathBuf>) -> Self {
        Self {
            bundle: bundle.into(),
            other_bundles: Vec::new(),
            answers: None,
            horizons: 3,
            resamples: 1000,
            seed: 1,
            fitted: true,
            vocabulary: 3000,
            residual_only: true,
            curve_draws: 3,
            steps: 150,
        }
    }
}

/// Judges the bundle `config.bundle` on the test split of the labelled collection in `dir`; without
/// an `embedder` there is no baseline of sentence embeddings.
///
/// # Errors
/// [`LabError::Forecast`] where the bundle does not load or belongs to another model;
/// [`LabError::Data`] where its themes are not the labels', a split is empty, or the bundle reads
/// the text and there is no embedder; others of reading and fitting.
pub fn run(
    dir: &Path,
    config: &EvalConfig,
    embedder: Option<&dyn Embed>,
    progress: &dyn Fn(&str),
) -> Result<EvalReport> {
    run::run(dir, config, embedder, progress)
}

/// Writes `figures` onto the card of the bundle in the folder `bundle`, as `evaluation.KEY`.
///
/// # Errors
/// [`LabError::Forecast`] where the bundle does not load or can't be written.
pub fn record(bundle: &Path, key: &str, figures: serde_json::Value) -> Result<()> {
    let mut loaded = own::load(bundle)?;
    if !loaded.card.evaluation.is_object() {
        loaded.card.evaluation = serde_json::json!({});
    }
    loaded.card.evaluation[key] = figures;
    loaded
        .save(bundle)
        .map_err(|error| LabError::Forecast(format!("{}: {error}", bundle.display())))
}
