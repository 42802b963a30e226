//! Cutting an answer into segments while it is written.
//!
//! Sentences and lines are merged until a segment has a minimum length. The decision falls after
//! each token and never looks at the next one, so that labelling, training and serving cut the
//! same text in the same way.

use serde::{Deserialize, Serialize};

/// How long segments are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmenterConfig {
    /// A segment does not end before it has this many characters (Unicode scalar values).
    pub min_chars: usize,
    /// From this many characters on a segment ends at the first token that does not end in a letter
    /// or digit, and from twice as many at any token.
    pub max_chars: usize,
}

impl Default for SegmenterConfig {
    fn default() -> Self {
        Self { min_chars: 100, max_chars: 600 }
    }
}

/// Lengths that no segment can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "segments of {min_chars} to {max_chars} characters: want 1 or more, and the most above the least"
)]
pub struct SegmenterError {
    min_chars: usize,
    max_chars: usize,
}

impl SegmenterConfig {
    /// Checks that segments can have these lengths.
    ///
    /// # Errors
    /// [`SegmenterError`] when the minimum is 0 or not below the maximum.
    pub fn validate(&self) -> Result<(), SegmenterError> {
        let Self { min_chars, max_chars } = *self;
        match min_chars > 0 && max_chars > min_chars {
            true => Ok(()),
            false => Err(SegmenterError { min_chars, max_chars }),
        }
    }
}

/// Cuts one answer.
///
/// Whether a segment ends depends on its own text so far and on nothing else: the same text in
/// other tokens is cut at the same places as far as those are ends of tokens and no earlier place
/// became one.
///
/// ```
/// use themecast_forecast::segment::{Segmenter, SegmenterConfig};
///
/// let mut segmenter = Segmenter::new(&SegmenterConfig { min_chars: 8, max_chars: 80 });
/// assert!(!segmenter.push("Mr. Fox"));
/// assert!(segmenter.push(" ran."));
/// assert_eq!((segmenter.text(), segmenter.segment()), ("Mr. Fox ran.", 1));
/// ```
#[derive(Debug, Clone)]
pub struct Segmenter {
    config: SegmenterConfig,
    text: String,
    chars: usize,
    segment: usize,
    ended: bool,
}

impl Segmenter {
    /// At the beginning of an answer.
    pub fn new(config: &SegmenterConfig) -> Self {
        Self { config: config.clone(), text: String::new(), chars: 0, segment: 0, ended: false }
    }

    /// Takes the text of the next token; whether the segment ends with it.
    pub fn push(&mut self, text: &str) -> bool {
        if std::mem::take(&mut self.ended) {
            self.text.clear();
            self.chars = 0;
        }
        self.text.push_str(text);
        self.chars += text.chars().count();
        self.ended = self.is_boundary();
        self.segment += usize::from(self.ended);
        self.ended
    }

    /// The text of the running segment, or of the one that has just ended.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The index of the segment that the next token falls into.
    pub fn segment(&self) -> usize {
        self.segment
    }

    fn is_boundary(&self) -> bool {
        if self.chars < self.config.min_chars {
            return false;
        }
        let ends_word = !self.text.ends_with(char::is_alphanumeric);
        ends_line(&self.text)
            || ends_sentence(&self.text)
            || (self.chars >= self.config.max_chars && ends_word)
            || self.chars >= self.config.max_chars.saturating_mul(2)
    }
}

fn ends_line(text: &str) -> bool {
    text.trim_end_matches([' ', '\t']).ends_with('\n')
}

/// Abbreviations whose full stop ends no sentence.
const ABBREVIATIONS: [&str; 14] =
    ["mr", "mrs", "ms", "dr", "prof", "st", "vs", "etc", "e.g", "i.e", "approx", "inc", "jr", "sr"];

/// What may stand before a word without belonging to it.
const OPENING: [char; 8] = ['(', '[', '"', '\'', '“', '‘', '*', '_'];

/// Whether a text ends with a sentence's end, closing quotes and brackets aside.
fn ends_sentence(text: &str) -> bool {
    let bare = text.trim_end_matches(['"', '\'', '”', '’', ')', ']', '*', '_', ' ']);
    if bare.ends_with(['!', '?', '。', '！', '？']) {
        return true;
    }
    let Some(before) = bare.strip_suffix('.') else { return false };
    let word = before.rsplit(char::is_whitespace).next().unwrap_or("");
    let word = word.rsplit(OPENING).next().unwrap_or("");
    let number = word.ends_with(|c: char| c.is_ascii_digit());
    let initial = word.chars().count() == 1 && word.ends_with(char::is_alphabetic);
    let abbreviation = ABBREVIATIONS.contains(&word.to_lowercase().as_str());
    !(word.is_empty() || number || initial || abbreviation)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str, min_chars: usize, max_chars: usize, token_chars: usize) -> Vec<String> {
        let mut segmenter = Segmenter::new(&SegmenterConfig { min_chars, max_chars });
        let chars: Vec<char> = text.chars().collect();
        let mut segments = Vec::new();
        let mut last = String::new();
        for token in chars.chunks(token_chars) {
            let ended = segmenter.push(&token.iter().collect::<String>());
            last = segmenter.text().to_owned();
            if ended {
                segments.push(std::mem::take(&mut last));
            }
        }
        assert_eq!(segmenter.segment(), segments.len());
        segments.extend((!last.is_empty()).then_some(last));
        segments
    }

    #[test]
    fn sentences_and_lines_end_segments_of_enough_length() {
        let segments = cut("One two. Three four five. Six!\nSeven", 10, 99, 1);
        assert_eq!(segments, ["One two. Three four five.", " Six!\nSeven"]);
        assert_eq!(
            cut("Mix flour\nand eggs\nwell", 9, 99, 1),
            ["Mix flour\n", "and eggs\n", "well"]
        );
    }

    #[test]
    fn full_stops_within_sentences_end_nothing() {
        for text in
            ["Ask Dr. Who of 3.14 or J. Doe e.g. now", "1. Eat 2. Sleep 3. Rest", "Then \"Dr. Who"]
        {
            assert_eq!(cut(text, 1, 99, 1), [text]);
        }
        assert_eq!(cut("He said \"go.\" Then", 5, 99, 1).len(), 2);
        assert_eq!(cut("She said no. Then", 5, 99, 1).len(), 2);
    }

    #[test]
    fn a_long_segment_ends_at_a_word() {
        let segments = cut("alpha beta gamma delta", 3, 8, 1);
        assert_eq!(segments, ["alpha beta ", "gamma delta"]);
    }

    #[test]
    fn nothing_is_lost_whatever_the_tokens() {
        let text =
            "It rains. We stay, \"inside\"! Is it 3.5? Yes.\n- one\n- two\nThe end… 🙂 ".repeat(9);
        for size in 1..7 {
            assert_eq!(cut(&text, 20, 60, size).concat(), text);
        }
    }

    #[test]
    fn other_tokens_with_ends_at_the_boundaries_are_cut_alike() {
        let text =
            "Mix it. Add 2.5 g, e.g. salt!\nThen \"rest.\" Bake (long) until done… ".repeat(7);
        let segments = cut(&text, 20, 60, 1);
        for size in 2..20 {
            let config = SegmenterConfig { min_chars: 20, max_chars: 60 };
            let mut segmenter = Segmenter::new(&config);
            for (number, segment) in segments.iter().enumerate() {
                let chars: Vec<char> = segment.chars().collect();
                let tokens = chars.chunks(size).map(|token| token.iter().collect::<String>());
                let ends: Vec<bool> = tokens.map(|token| segmenter.push(&token)).collect();
                let last = ends.len() - 1;
                let open = number + 1 == segments.len() && !ends[last];
                assert!(ends[..last].iter().all(|end| !end), "{segment:?} in tokens of {size}");
                assert!(ends[last] || open, "{segment:?} in tokens of {size}");
            }
        }
    }

    #[test]
    fn empty_tokens_and_text_without_any_end_are_fine() {
        let mut segmenter = Segmenter::new(&SegmenterConfig { min_chars: 2, max_chars: 5 });
        assert!(!segmenter.push("") && segmenter.push("Hi!") && !segmenter.push(""));
        assert_eq!((segmenter.text(), segmenter.segment()), ("", 1));
        let ends = (0..30).filter(|_| segmenter.push("é")).count();
        assert_eq!(ends, 3, "cut at twice the maximum even without a word's end");
        let huge = SegmenterConfig { min_chars: 1, max_chars: usize::MAX };
        assert!(!Segmenter::new(&huge).push("no end"));
    }

    #[test]
    fn lengths_are_checked() {
        assert!(SegmenterConfig::default().validate().is_ok());
        assert!(SegmenterConfig { min_chars: 9, max_chars: 9 }.validate().is_err());
    }
}
