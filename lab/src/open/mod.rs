//! The open-vocabulary head: forecasts of embeddings, so that any phrase can be watched for.
//!
//! [`train`] adds the head to a bundle: a ridge regression from the features of serving to the
//! sentence embedding of each segment to come, in closed form, then in low rank; and the way from
//! a phrase's score to a probability, learnt from themes that the regression had not seen.
//! [`judge`] holds it against guesses as the nearest published work does. In the order of the
//! data: `corpus`, `fit` (`ridge`, `cholesky`, `lowrank`), `catalogue`, `phrases`; then `guesses`
//! (`text`), `regenerated`, `retrieval`, `unseen`, `doubt`, `report`.
//!
//! Themes of the catalogue are used as phrases here, never as classes: what forecasts classes is
//! [`crate::train`]. Nothing here scores phrases while serving: that is `themecast-forecast`'s
//! `open`.

mod blocks;
mod catalogue;
pub(crate) mod cholesky;
mod corpus;
mod doubt;
mod fit;
mod guesses;
mod judge;
pub(crate) mod lowrank;
mod phrases;
mod regenerated;
mod report;
mod retrieval;
mod ridge;
#[cfg(test)]
mod tests;
mod text;
mod train;
mod unseen;

pub use crate::eval::Mean;
pub use fit::RidgeReport;
pub use guesses::OURS;
pub use judge::{JudgeConfig, run as judge};
pub use report::{GuessReport, OpenReport, PUBLISHED, PhraseDoubt, UnseenReport, UnseenTheme};
pub use train::{OpenConfig, TrainedOn, run as train};

use crate::{LabError, Result, dataset::CollectionInfo, embed::Embed};
use themecast_forecast::{bundle::Bundle, linear::RowKind};

/// A sentence encoder with its name.
#[derive(Clone, Copy)]
pub struct Encoder<'a> {
    /// What the bundle's card calls it.
    pub name: &'a str,
    /// The encoder.
    pub embedder: &'a dyn Embed,
}

/// Where rows of one kind stand, for people.
fn place(kind: RowKind) -> &'static str {
    match kind {
        RowKind::Boundary => "at boundaries",
        RowKind::Mid => "between boundaries",
    }
}

fn check(bundle: &Bundle, info: &CollectionInfo) -> Result<()> {
    bundle.fits(&info.model).map(|_| ()).map_err(|error| LabError::Forecast(error.to_string()))
}
