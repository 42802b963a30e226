//! What the two ways of cutting were found to do.

use super::change::ChangeConfig;
use crate::label::LevelFigures;
use serde::Serialize;

/// Segments by layout and by the change of embedding, on the same answers of the test split.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BoundaryReport {
    /// The collection.
    pub collection: String,
    /// Documents of the training split, on which the threshold was chosen.
    pub train_documents: usize,
    /// Documents of the test split, on which everything below was measured.
    pub documents: usize,
    /// Their units.
    pub units: usize,
    /// How the embedding cuts.
    pub change: ChangeConfig,
    /// By layout, by the change of embedding, and by chance: as many boundaries as the second, at
    /// random ends of units.
    pub ways: Vec<WayReport>,
    /// Of the second with the first.
    pub agreement: BoundaryAgreement,
    /// Of chance with the first.
    pub agreement_by_chance: BoundaryAgreement,
    /// What to know when reading the figures.
    pub notes: Vec<String>,
}

/// One way of cutting.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WayReport {
    /// Its name.
    pub way: String,
    /// Segments that would be labelled.
    pub segments: usize,
    /// Their lengths. *Units* characters.
    pub chars: Lengths,
    /// The share of the answers' characters that are in no segment: the open ends of answers that
    /// were cut off.
    pub uncovered: f64,
    /// The themes that the same classifier gives the segments.
    pub themes: LevelFigures,
    /// How alike the units of a segment are.
    pub coherence: Coherence,
    /// The share of boundaries that are there again without one word in twenty.
    pub kept: Option<f64>,
    /// The share of ends of units that are boundaries: `kept` by chance.
    pub boundary_rate: f64,
    /// How late a boundary is known.
    pub lag: Lag,
}

/// How long segments are. *Units* characters.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Lengths {
    /// On average.
    pub mean: f64,
    /// One in ten is at most so long.
    pub p10: usize,
    /// Nine in ten are at most so long.
    pub p90: usize,
}

/// How alike units are: mean cosines of embeddings.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Coherence {
    /// Of a unit with the mean of its segment, itself included; of segments of two units or more.
    pub within: Option<f64>,
    /// Of a unit with the mean of its segment's other units: what `across` compares with.
    pub with_others: Option<f64>,
    /// Of the first unit after a boundary with the mean of the segment before.
    pub across: Option<f64>,
    /// Of two units that follow each other in one segment.
    pub neighbours_within: Option<f64>,
    /// Of the two units at a boundary.
    pub neighbours_across: Option<f64>,
}

/// How late a boundary is known, from the end of its segment on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Lag {
    /// On average.
    pub mean_tokens: f64,
    /// Nine in ten boundaries are known at most so late.
    pub p90_tokens: usize,
    /// On average.
    pub mean_chars: f64,
}

/// How far boundaries agree with those by layout.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BoundaryAgreement {
    /// F1 of boundaries at the same end of a unit.
    pub f1_exact: f64,
    /// F1 of boundaries at most one unit apart.
    pub f1_within_one_unit: f64,
    /// The share of windows with another number of boundaries: 0 at best.
    /// *Source* Pevzner and Hearst 2002.
    pub window_diff: f64,
    /// The width of those windows: half of a mean segment by layout.
    pub window_tokens: usize,
}
