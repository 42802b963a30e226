//! How themes shift between two collections of answers to the same prompts: two models, or one
//! model as it is and with something done to it.
//!
//! In the order of the data: `answers` reads, labels and pairs, `counts` counts themes by prompt,
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

use crate::{LabError, Result, label::Labeler};
use answers::Answers;
use std::{collections::HashSet, path::PathBuf};

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
    /// The prompts that are compared, by id; all that both have where not given.
    pub prompts: Option<HashSet<String>>,
    /// Bootstrap resamples of prompts, and as many random swaps of both sides.
    pub resamples: usize,
    /// The seed of both.
    pub seed: u64,
}

/// Labels the answers of both sides with `labeler` and compares the themes.
///
/// # Errors
/// [`LabError::Data`] where both have no prompt in common, or one id for different prompts; others of
/// reading and labelling.
pub fn run(
    config: &ShiftConfig,
    labeler: &dyn Labeler,
    progress: &dyn Fn(&str),
) -> Result<ShiftReport> {
    let answers = Answers::read(config, labeler, progress)?;
    if answers.prompts.is_empty() {
        let message = "both sides have no prompt in common that both answer without looping";
        return Err(LabError::data(message));
    }
    Ok(judge::judge(&answers, config))
}
