//! How themes shift between two collections of answers to the same prompts: two models, or one
//! model as it is and with something done to it.
//!
//! In the order of the data: `answers` reads, labels and pairs, `counts` counts themes by answer,
//! `apart` says how far both are apart and how far chance would put them, `judge` puts it together,
//! `report` holds and `tables` show it. Nothing here makes answers, writes labels or knows residuals.

mod answers;
mod apart;
mod counts;
mod judge;
mod passages;
mod report;
mod tables;
#[cfg(test)]
mod tests;

pub use apart::Apart;
pub use report::{
    GroupShift, Passages, PlaceShift, ShiftReport, SideReport, ThemeShift, TransitionShift,
};

use crate::{Result, label::Labeler};
use answers::Answers;
use std::{collections::HashMap, path::PathBuf};

/// One of the two collections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// What a reader calls it.
    pub name: String,
    /// The collection's folder.
    pub data: PathBuf,
}

/// What to compare, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShiftConfig {
    /// The one that is compared with, then the other.
    pub sides: [Side; 2],
    /// The prompts that are compared, by id; all that both were asked where not given.
    pub prompts: Option<HashMap<String, String>>,
    /// Bootstrap resamples of prompts, and random deals of their answers to both sides.
    pub resamples: usize,
    /// The seed of both.
    pub seed: u64,
}

/// Labels the answers of both sides with `labeler` and compares the themes.
///
/// # Errors
/// [`crate::LabError`]: `Data` where no prompt has whole answers on both sides, or one id stands for
/// different prompts; `Mismatch` where both are cut into segments differently or a prompt is not the
/// one that is wanted; others of reading and labelling.
pub fn run(
    config: &ShiftConfig,
    labeler: &dyn Labeler,
    progress: &dyn Fn(&str),
) -> Result<ShiftReport> {
    Ok(judge::judge(&Answers::read(config, labeler, progress)?, config))
}
