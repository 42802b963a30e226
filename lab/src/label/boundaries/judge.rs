//! What each way of cutting makes of the test split.

use super::{
    agreement,
    coherence::coherence,
    report::{BoundaryReport, Lag, Lengths, WayReport},
    tables::NOTES,
    ways::{Cuts, Way},
};
use crate::{
    Result,
    label::{Classified, LevelFigures, Segment, checked},
};

/// Judges each way of `of`; the collection and its training documents are still to be filled in.
///
/// # Errors
/// Of labelling.
pub(super) fn judge(
    of: &Cuts<'_>,
    labeler: &Classified<'_>,
    progress: &dyn Fn(&str),
) -> Result<BoundaryReport> {
    let report = |way| one(of, way, labeler, progress);
    Ok(BoundaryReport {
        collection: String::new(),
        train_documents: 0,
        documents: of.answers.len(),
        units: of.units.iter().map(|units| units.units.len()).sum(),
        change: of.change.clone(),
        ways: of.ways().into_iter().map(report).collect::<Result<_>>()?,
        agreement: agreement::with_layout(of, &of.by_change.cuts),
        agreement_by_chance: agreement::with_layout(of, &of.by_chance.cuts),
        notes: NOTES.map(str::to_owned).into(),
    })
}

fn one(
    of: &Cuts<'_>,
    way: &Way,
    labeler: &Classified<'_>,
    progress: &dyn Fn(&str),
) -> Result<WayReport> {
    let mut segments = Vec::new();
    for (answer, cut) in of.answers.iter().zip(&way.cuts) {
        answer.segments(cut.iter().map(|boundary| boundary.end), &mut segments);
    }
    let tell = |line: &str| progress(&format!("{}: {line}", way.name));
    let labeling = checked(labeler, &segments, &tell)?;
    let cut: usize = of.units.iter().zip(&way.cuts).map(|(one, cut)| one.places(cut).len()).sum();
    let ends: usize = of.units.iter().map(|one| one.units.len().saturating_sub(1)).sum();
    let read: usize = of.answers.iter().map(|answer| answer.chars(0, answer.tokens.len())).sum();
    let (chars, covered) = lengths(&segments);
    Ok(WayReport {
        way: way.name.to_owned(),
        segments: segments.len(),
        chars,
        uncovered: 1.0 - covered as f64 / read.max(1) as f64,
        themes: LevelFigures::of(&segments, &labeling.assigned, labeling.themes.len()),
        coherence: coherence(of.units.iter().zip(way.cuts.iter().map(Vec::as_slice))),
        kept: way.kept,
        boundary_rate: cut as f64 / ends.max(1) as f64,
        lag: lag(of, way),
    })
}

/// The lengths of `segments`, and their characters in all.
fn lengths(segments: &[Segment]) -> (Lengths, usize) {
    let mut chars: Vec<usize> = segments.iter().map(|one| one.text.chars().count()).collect();
    chars.sort_unstable();
    let all: usize = chars.iter().sum();
    let mean = all as f64 / chars.len().max(1) as f64;
    (Lengths { mean, p10: quantile(&chars, 0.1), p90: quantile(&chars, 0.9) }, all)
}

/// The `q`-quantile of rising values, by nearest rank; 0 of none.
fn quantile(sorted: &[usize], q: f64) -> usize {
    let rank = (q * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

fn lag(of: &Cuts<'_>, way: &Way) -> Lag {
    let (mut tokens, mut chars) = (Vec::new(), 0);
    for (answer, cut) in of.answers.iter().zip(&way.cuts) {
        for boundary in cut {
            tokens.push(boundary.known - boundary.end);
            chars += answer.chars(boundary.end, boundary.known);
        }
    }
    tokens.sort_unstable();
    let count = tokens.len().max(1) as f64;
    Lag {
        mean_tokens: tokens.iter().sum::<usize>() as f64 / count,
        p90_tokens: quantile(&tokens, 0.9),
        mean_chars: chars as f64 / count,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_are_there() {
        let values: Vec<usize> = (1..=10).collect();
        assert_eq!((quantile(&values, 0.1), quantile(&values, 0.9)), (1, 9));
        assert_eq!((quantile(&[7], 0.1), quantile(&[], 0.9)), (7, 0));
    }
}
