//! Segments that end where the embedding changes, beside those that end by length and layout.
//!
//! Both cut while the text is written and never look beyond what was read. The present segmenter
//! knows a boundary with its last token. The other one takes sentences and lines as *units* and
//! asks of each, once it is finished, whether it is still like the open segment: so it knows a
//! boundary one unit late, and that lag is measured.
//!
//! In the order of the data: `answers` reads, `units` cuts finely, [`ChangeSegmenter`] ends
//! segments, `threshold` makes both ways' segments as long, `words` leaves some out, `ways` holds
//! the cuts, `agreement`, `coherence` and `judge` measure, `report` holds, `tables` shows. Nothing
//! here writes labels.
//!
//! Layout stays the default. On 368 test answers of up to 256 tokens (EVALUATION.md, Labels) the
//! change of embedding is known 18 tokens late, half a segment, and leaves 19.6 % of the text in
//! open ends (layout: known at once, 5.7 %); four segments in five have 36 to 404 characters (104
//! to 202), and hardly more of its boundaries change the theme than of random ones. It is steadier
//! where words are left out (0.92 of boundaries stay, against 0.86) and parts what is unlike, which
//! layout does not. So it is measured here, and nothing else takes it.
//!
//! *Source* Hearst 1997 (TextTiling: boundaries where neighbours are less alike); Pevzner and
//! Hearst 2002 (WindowDiff).

mod agreement;
mod answers;
mod change;
mod coherence;
mod judge;
mod report;
mod tables;
#[cfg(test)]
mod tests;
mod threshold;
mod units;
mod ways;
mod words;

pub use change::{ChangeConfig, ChangeSegmenter};
pub use report::{BoundaryAgreement, BoundaryReport, Coherence, Lag, Lengths, WayReport};

use super::Classified;
use crate::{LabError, Result, dataset::CollectionInfo};
use answers::Answer;
use std::path::Path;
use themecast_forecast::segment::SegmenterConfig;
use ways::{Cuts, Reading};

/// How to cut by embedding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundaryConfig {
    /// The least characters of a unit; with 1, every sentence and every line is one.
    pub unit_chars: usize,
    /// The least characters of a segment. Where it is that of the present segmenter, both cut
    /// alike: segments of the same mean length leave the embedding nothing to choose.
    pub min_chars: usize,
    /// The seed of whatever is drawn.
    pub seed: u64,
}

impl Default for BoundaryConfig {
    fn default() -> Self {
        Self { unit_chars: 1, min_chars: 25, seed: 1 }
    }
}

/// Cuts the collection in the folder `dir` both ways, with the lengths of its own segmenter, and
/// judges them on the test split; `labeler` gives the themes and embeds the units.
///
/// # Errors
/// [`LabError`] of reading and labelling; [`LabError::Data`] where no document is in the test split,
/// no segment ends in the training split, or segments can't have these lengths.
pub fn run(
    dir: &Path,
    labeler: &Classified<'_>,
    config: &BoundaryConfig,
    progress: &dyn Fn(&str),
) -> Result<BoundaryReport> {
    let layout = CollectionInfo::load(dir)?.segmenter;
    let max_chars = layout.max_chars;
    let lengths = SegmenterConfig { min_chars: config.min_chars, max_chars };
    let unit = SegmenterConfig { min_chars: config.unit_chars, max_chars };
    for lengths in [&lengths, &unit] {
        lengths.validate().map_err(|error| LabError::Data(error.to_string()))?;
    }
    let reading = Reading { layout, unit, embedder: labeler.embedder, progress };
    let (train, test) = answers::read(dir)?;
    if test.is_empty() {
        return Err(LabError::data("no document is in the test split: there is nothing to judge"));
    }
    progress(&format!("{} training answers, {} of the test split", train.len(), test.len()));
    let threshold = fitted(&reading, &train, &lengths)?;
    progress(&format!("a unit begins a segment below a cosine of {threshold:.3}"));
    let change = ChangeConfig { lengths, threshold };
    let cuts = Cuts::new(&reading, &test, &change, config.seed)?;
    let mut report = judge::judge(&cuts, labeler, progress)?;
    report.collection = dir.display().to_string();
    report.train_documents = train.len();
    Ok(report)
}

/// The threshold that makes the training split's segments as long as the present segmenter does.
fn fitted(reading: &Reading<'_>, train: &[Answer], lengths: &SegmenterConfig) -> Result<f32> {
    let units = reading.units(train)?;
    let layout = train.iter().map(|answer| reading.by_layout(answer)).collect::<Vec<_>>();
    let wanted = threshold::mean_chars(train, &layout)
        .ok_or_else(|| LabError::data("no segment ends in the training split"))?;
    Ok(threshold::choose(train, &units, lengths, wanted))
}
