//! The offline path: a collection in Parquet, its labels, a trained bundle, its evaluation.
//!
//! The folders follow the data: [`dataset`] (what `collect` wrote), [`label`] (segments and their
//! themes), [`train`] (a bundle), [`eval`] (its judgement on held-out prompts). Nothing here knows
//! HTTP or an engine; features and predictors are `themecast-forecast`'s, the same as in serving.

pub mod alarms;
mod atomic;
mod closed_form;
mod counted;
pub mod dataset;
pub mod embed;
pub mod embed_cache;
#[cfg(test)]
mod end_to_end;
mod error;
pub mod eval;
pub mod label;
pub mod open;
mod pace;
mod replay;
pub mod shift;
mod split;
pub mod steer;
pub mod sweep;
#[cfg(test)]
mod synthetic;
pub mod train;

pub use error::{LabError, Result};
pub use split::{ParseSplitError, Split};
