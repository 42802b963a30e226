//! Segments that end where the embedding changes.

use serde::Serialize;
use themecast_forecast::segment::SegmenterConfig;

/// When a segment ends.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChangeConfig {
    /// The least and the most characters of a segment; a unit that is longer than the most stays
    /// whole.
    pub lengths: SegmenterConfig,
    /// A unit whose cosine with the mean of the open segment is below this begins a new one.
    pub threshold: f32,
}

/// Ends segments before the unit whose embedding is unlike theirs, once that unit is finished.
///
/// It knows nothing of later units, and knows a boundary one unit late: at the end of the unit
/// that differs, not at its beginning.
///
/// ```
/// use themecast_forecast::segment::SegmenterConfig;
/// use themecast_lab::label::boundaries::{ChangeConfig, ChangeSegmenter};
///
/// let lengths = SegmenterConfig { min_chars: 20, max_chars: 100 };
/// let mut segmenter = ChangeSegmenter::new(&ChangeConfig { lengths, threshold: 0.5 });
/// assert!(!segmenter.push(30, &[1.0, 0.0]));
/// assert!(!segmenter.push(30, &[0.8, 0.6]), "alike");
/// assert!(segmenter.push(30, &[0.0, 1.0]), "the two before are a segment");
/// ```
#[derive(Debug, Clone)]
pub struct ChangeSegmenter {
    config: ChangeConfig,
    /// The sum of the open segment's embeddings.
    sum: Vec<f32>,
    chars: usize,
}

impl ChangeSegmenter {
    /// At the beginning of an answer.
    pub fn new(config: &ChangeConfig) -> Self {
        Self { config: config.clone(), sum: Vec::new(), chars: 0 }
    }

    /// Takes the next finished unit, of so many characters; whether the segment that was open
    /// ended before it. `embedding` is as long as those before.
    pub fn push(&mut self, chars: usize, embedding: &[f32]) -> bool {
        let SegmenterConfig { min_chars, max_chars } = self.config.lengths;
        let full = self.chars.saturating_add(chars) > max_chars;
        let may = !self.sum.is_empty() && self.chars >= min_chars;
        let ended = may && (full || cosine(&self.sum, embedding) < self.config.threshold);
        if ended || self.sum.is_empty() {
            self.sum = embedding.to_vec();
            self.chars = chars;
        } else {
            self.sum.iter_mut().zip(embedding).for_each(|(sum, x)| *sum += x);
            self.chars += chars;
        }
        ended
    }
}

/// The cosine of the angle between two vectors; 0 where one has no length.
pub(super) fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
    let length = (dot(a, a) * dot(b, b)).sqrt();
    if length > 0.0 { dot(a, b) / length } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Before which of the units, given as characters and angle, a segment ended.
    fn cut(units: &[(usize, f32)], min_chars: usize, max_chars: usize) -> Vec<usize> {
        let lengths = SegmenterConfig { min_chars, max_chars };
        let mut segmenter = ChangeSegmenter::new(&ChangeConfig { lengths, threshold: 0.5 });
        let mut ended =
            |&(chars, angle): &(usize, f32)| segmenter.push(chars, &[angle.cos(), angle.sin()]);
        (0..units.len()).filter(|&place| ended(&units[place])).collect()
    }

    #[test]
    fn the_mean_of_the_open_segment_decides() {
        // 1.2 is unlike 0.0 (cosine 0.36) but like the mean of 0.0 and 0.6 (cosine 0.62).
        assert_eq!(cut(&[(50, 0.0), (50, 0.6), (50, 1.2)], 1, 999), [0; 0]);
        assert_eq!(cut(&[(50, 0.0), (50, 1.2)], 1, 999), [1]);
        assert_eq!(cut(&[(50, 0.0), (50, 1.5), (50, 1.5), (50, 0.0)], 1, 999), [1, 3]);
    }

    #[test]
    fn lengths_go_before_likeness() {
        assert_eq!(cut(&[(5, 0.0), (5, 1.5), (5, 3.0)], 10, 999), [2], "too short to end");
        assert_eq!(cut(&[(40, 0.0), (40, 0.0), (40, 0.0)], 10, 99), [2], "too long to go on");
        assert_eq!(cut(&[(5, 0.0), (200, 0.0), (5, 0.0)], 10, 99), [2], "a long unit is whole");
    }

    #[test]
    fn what_comes_later_changes_nothing() {
        let units: Vec<(usize, f32)> = (0..40).map(|n| (9 + n % 7, (n * n % 11) as f32)).collect();
        let all = cut(&units, 20, 90);
        assert!(all.len() > 5);
        for read in 0..units.len() {
            let known: Vec<usize> = all.iter().copied().filter(|&place| place < read).collect();
            assert_eq!(cut(&units[..read], 20, 90), known);
        }
    }

    #[test]
    fn nothing_is_like_a_vector_without_length() {
        assert_eq!(cosine(&[0.0, 0.0], &[1.0, 0.0]), 0.0);
        assert!((cosine(&[3.0, 4.0], &[4.0, 3.0]) - 0.96).abs() < 1e-6);
    }
}
