//! The threshold that makes segments as long as others.

use super::{
    answers::Answer,
    change::ChangeConfig,
    ways::{Boundary, Units, by_change},
};
use themecast_forecast::segment::SegmenterConfig;

/// Halvings of the span from −1 to 1.
const HALVINGS: usize = 24;

/// The mean length of the closed segments that `cuts` make; `None` where there is none.
///
/// *Units* characters.
pub(super) fn mean_chars(answers: &[Answer], cuts: &[Vec<Boundary>]) -> Option<f64> {
    let end = |cut: &Vec<Boundary>| cut.last().map_or(0, |last| last.end);
    let chars: usize =
        answers.iter().zip(cuts).map(|(answer, cut)| answer.chars(0, end(cut))).sum();
    let segments: usize = cuts.iter().map(Vec::len).sum();
    (segments > 0).then(|| chars as f64 / segments as f64)
}

/// The threshold with which the closed segments of `answers` are `wanted` characters long on
/// average, as nearly as `lengths` allow: the higher it is, the shorter they are.
pub(super) fn choose(
    answers: &[Answer],
    units: &[Units],
    lengths: &SegmenterConfig,
    wanted: f64,
) -> f32 {
    let too_long = |threshold: f32| {
        let config = ChangeConfig { lengths: lengths.clone(), threshold };
        let cuts: Vec<_> = units.iter().map(|units| by_change(units, &config)).collect();
        mean_chars(answers, &cuts).is_none_or(|mean| mean > wanted)
    };
    let (mut low, mut high) = (-1.0_f32, 1.0_f32);
    for _ in 0..HALVINGS {
        let middle = f32::midpoint(low, high);
        if too_long(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    f32::midpoint(low, high)
}
