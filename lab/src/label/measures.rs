//! What one method's labels look like by themselves.

use crate::label::Segment;
use std::collections::HashMap;

/// The id of the theme of what has none.
pub(super) const OTHER: &str = "other";

/// How often each theme was given, of `themes`.
pub(super) fn counts(labels: &[u32], themes: usize) -> Vec<usize> {
    let mut counts = vec![0; themes];
    for &label in labels {
        counts[label as usize] += 1;
    }
    counts
}

/// The entropy of the shares, in nats.
pub(super) fn entropy_nats(counts: &[usize]) -> f64 {
    let all = counts.iter().sum::<usize>().max(1) as f64;
    let shares = counts.iter().filter(|&&count| count > 0).map(|&count| count as f64 / all);
    shares.map(|share| -share * share.ln()).sum()
}

/// The share of segments whose theme is that of the one before in the same document, and the share
/// that would be if the two had nothing to do with each other; `None` where no segment follows
/// another.
pub(super) fn persistence(segments: &[Segment], labels: &[u32]) -> Option<(f64, f64)> {
    let (mut pairs, mut same) = (0.0, 0.0);
    let (mut before, mut after) = (HashMap::new(), HashMap::new());
    for (two, themes) in segments.windows(2).zip(labels.windows(2)) {
        if two[0].document == two[1].document {
            pairs += 1.0;
            same += f64::from(u8::from(themes[0] == themes[1]));
            *before.entry(themes[0]).or_insert(0.0) += 1.0;
            *after.entry(themes[1]).or_insert(0.0) += 1.0;
        }
    }
    let together = |(theme, count): (&u32, &f64)| count * after.get(theme).copied().unwrap_or(0.0);
    let chance: f64 = before.iter().map(together).sum();
    (pairs > 0.0).then(|| (same / pairs, chance / (pairs * pairs)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Split;

    #[test]
    fn persistence_stops_at_the_end_of_a_document() {
        let one = |document: &str| Segment {
            document: document.into(),
            split: Split::Test,
            segment: 0,
            first_token: 0,
            end_token: 1,
            text: String::new(),
        };
        let segments = ["a", "a", "a", "b", "b"].map(one);
        let (persistence, chance) = persistence(&segments, &[1, 1, 2, 2, 2]).unwrap();
        assert!((persistence - 2.0 / 3.0).abs() < 1e-12);
        // Before: 1, 1, 2; after: 1, 2, 2.
        assert!((chance - 4.0 / 9.0).abs() < 1e-12);
        assert_eq!(super::persistence(&segments[..1], &[1]), None);
    }

    #[test]
    fn entropy_is_that_of_the_shares() {
        assert_eq!(counts(&[0, 2, 2], 3), [1, 0, 2]);
        assert!((entropy_nats(&[5, 5, 0, 5, 5]) - 4.0_f64.ln()).abs() < 1e-12);
        assert_eq!(entropy_nats(&[7, 0]), 0.0);
    }
}
