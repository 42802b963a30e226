//! The finest pieces that the segmenter can tell while a text is written.

use super::answers::Answer;
use themecast_forecast::segment::{Segmenter, SegmenterConfig};

/// A sentence, a line, or what else `min_chars` and `max_chars` of a segmenter make of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unit {
    /// The token after its last one.
    pub(super) end: usize,
    pub(super) chars: usize,
    pub(super) text: String,
}

/// The units of `answer`; what is only white space goes to the next one. The open last one counts
/// where the answer was finished: that is its end.
pub(super) fn units(answer: &Answer, config: &SegmenterConfig) -> Vec<Unit> {
    let mut segmenter = Segmenter::new(config);
    let (mut units, mut text) = (Vec::new(), String::new());
    for (place, token) in answer.tokens.iter().enumerate() {
        text.push_str(token);
        let ended = segmenter.push(token);
        let last = place + 1 == answer.tokens.len() && !answer.truncated;
        if (ended || last) && !text.trim().is_empty() {
            let text = std::mem::take(&mut text);
            units.push(Unit { end: place + 1, chars: text.chars().count(), text });
        }
    }
    units
}

/// How many of `units` have ended before the token at `end`.
pub(super) fn ended(units: &[Unit], end: usize) -> usize {
    units.partition_point(|unit| unit.end <= end)
}
