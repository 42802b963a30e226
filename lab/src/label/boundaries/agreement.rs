//! How far two ways cut at the same places.

use super::{
    report::BoundaryAgreement,
    ways::{Boundary, Cuts},
};

/// How far `cuts` agree with those of the present segmenter: each answer's boundaries by the
/// number of the unit that they stand before, WindowDiff by tokens.
pub(super) fn with_layout(of: &Cuts<'_>, cuts: &[Vec<Boundary>]) -> BoundaryAgreement {
    let (mut exact, mut near, mut found) = (0, 0, 0);
    let (mut different, mut windows) = (0, 0);
    let window = window(of);
    for (place, units) in of.units.iter().enumerate() {
        let (own, other) = (units.places(&of.layout.cuts[place]), units.places(&cuts[place]));
        exact += matched(&own, &other, 0);
        near += matched(&own, &other, 1);
        found += own.len() + other.len();
        let tokens = of.answers[place].tokens.len();
        let token = |places: &[usize]| -> Vec<usize> {
            places.iter().map(|&place| units.units[place - 1].end).collect()
        };
        let (wrong, all) = window_diff((&token(&own), &token(&other)), tokens, window);
        different += wrong;
        windows += all;
    }
    let f1 = |matched: usize| 2.0 * matched as f64 / found.max(1) as f64;
    BoundaryAgreement {
        f1_exact: f1(exact),
        f1_within_one_unit: f1(near),
        window_diff: different as f64 / windows.max(1) as f64,
        window_tokens: window,
    }
}

/// Half of the mean length of the present segmenter's segments, in tokens.
fn window(of: &Cuts<'_>) -> usize {
    let tokens: usize = of.answers.iter().map(|answer| answer.tokens.len()).sum();
    let inner = of.units.iter().zip(&of.layout.cuts).map(|(units, cut)| units.places(cut).len());
    let segments = inner.sum::<usize>() + of.answers.len();
    (tokens as f64 / segments.max(1) as f64 / 2.0).round().max(1.0) as usize
}

/// How many of two rising lists pair up at most `apart` from each other, each one once.
fn matched(a: &[usize], b: &[usize], apart: usize) -> usize {
    let (mut i, mut j, mut pairs) = (0, 0, 0);
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        if x.abs_diff(*y) <= apart {
            pairs += 1;
            i += 1;
            j += 1;
        } else if x < y {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}

/// In how many windows of `width` tokens the two have another number of boundaries, and how many
/// windows there are.
///
/// *Source* Pevzner and Hearst 2002 (WindowDiff).
fn window_diff((a, b): (&[usize], &[usize]), tokens: usize, width: usize) -> (usize, usize) {
    let within = |all: &[usize], start: usize| {
        all.iter().filter(|&&end| end > start && end <= start + width).count()
    };
    let starts = 0..(tokens + 1).saturating_sub(width);
    let all = starts.len();
    (starts.filter(|&start| within(a, start) != within(b, start)).count(), all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_boundary_pairs_once() {
        assert_eq!(matched(&[2, 5, 9], &[2, 6, 11], 0), 1);
        assert_eq!(matched(&[2, 5, 9], &[2, 6, 11], 1), 2);
        assert_eq!(matched(&[4], &[3, 4, 5], 1), 1);
        assert_eq!(matched(&[3, 4], &[4, 5], 1), 2);
        assert_eq!(matched(&[], &[1], 1), 0);
    }

    #[test]
    fn windows_see_a_near_miss_less_than_a_far_one() {
        let diff = |other: &[usize]| window_diff((&[10], other), 20, 4);
        assert_eq!(diff(&[10]), (0, 17));
        assert_eq!(diff(&[11]), (2, 17));
        assert_eq!(diff(&[16]), (8, 17));
        assert_eq!(diff(&[]), (4, 17));
        assert_eq!(window_diff((&[], &[]), 3, 4), (0, 0));
    }
}
