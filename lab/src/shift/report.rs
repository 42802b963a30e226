//! What a comparison says: plain data. Shares are of segments; differences are the second side's
//! less the first one's, with 95 % intervals over resamples of prompts.

use super::Apart;
use crate::eval::Mean;
use serde::{Deserialize, Serialize};

/// How themes shift between two collections.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShiftReport {
    /// Both sides: the one that is compared with, then the other.
    pub sides: [SideReport; 2],
    /// Prompts that are compared.
    pub prompts: usize,
    /// Prompts that are not: one side was not asked them, or has no answer to them that has a whole
    /// segment and does not loop.
    pub left_out: usize,
    /// Resamples of prompts and deals of their answers behind every interval and p-value.
    pub resamples: usize,
    /// Over all segments.
    pub apart: Option<Apart>,
    /// How many segments more an answer has.
    pub more_segments: Option<Mean>,
    /// How many tokens more an answer has, in its whole segments.
    pub more_tokens: Option<Mean>,
    /// Every theme that came, the one that moved most first.
    pub themes: Vec<ThemeShift>,
    /// Where along the answer.
    pub places: Vec<PlaceShift>,
    /// Which theme follows which, as shares of all pairs: those that came often enough, the one that
    /// moved most first.
    pub transitions: Vec<TransitionShift>,
    /// The groups of prompts that have enough of them, in the order of their names.
    pub groups: Vec<GroupShift>,
    /// Passages of the themes that moved most.
    pub passages: Vec<Passages>,
}

/// One side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SideReport {
    /// What the reader called it.
    pub name: String,
    /// The model that wrote.
    pub model: String,
    /// What was done to it, if anything.
    pub intervention: Option<String>,
    /// Its answers to the prompts that both were asked.
    pub answers: usize,
    /// Those of them that repeat themselves, which are left out.
    pub looping: usize,
    /// The longest answer that it was allowed, in tokens.
    pub max_tokens: usize,
    /// Its sampling temperature.
    pub temperature: f64,
    /// Segments an answer, in the mean.
    pub segments: f64,
    /// Tokens an answer in its whole segments, in the mean.
    pub tokens: f64,
}

/// One theme.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ThemeShift {
    /// Its id.
    pub theme: String,
    /// Its share on both sides.
    pub shares: [f32; 2],
    /// How much it moved.
    pub difference: Mean,
}

/// One place along the answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlaceShift {
    /// Which segments.
    pub place: String,
    /// How many there are on both sides.
    pub segments: [u32; 2],
    /// How far both are apart there.
    pub apart: Apart,
    /// The theme that moved most there.
    pub theme: String,
    /// By how much its share moved.
    pub difference: f64,
}

/// One theme after another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TransitionShift {
    /// The theme before.
    pub from: String,
    /// The theme after it.
    pub to: String,
    /// Its share of all pairs on both sides.
    pub shares: [f32; 2],
    /// How much it moved.
    pub difference: Mean,
}

/// One group of prompts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupShift {
    /// Its name.
    pub group: String,
    /// How many prompts.
    pub prompts: usize,
    /// How far both are apart there.
    pub apart: Apart,
    /// The theme that moved most there.
    pub theme: String,
    /// By how much its share moved.
    pub difference: f64,
}

/// Passages of one theme.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Passages {
    /// The theme's id.
    pub theme: String,
    /// Passages of both sides.
    pub sides: [Vec<String>; 2],
}
