//! What features a row has, and where they stand; nothing here computes one.

use std::ops::Range;

/// What features a row has, and where which of them stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeatureLayout {
    /// The width of the residual stream.
    pub hidden: usize,
    /// How many sites.
    pub sites: usize,
    /// How many themes.
    pub themes: usize,
    /// The width of a sentence embedding; 0 where the text is not read.
    pub text: usize,
    /// Whether each site's residual gets zero mean and unit variance before anything else.
    pub layer_norm: bool,
}

/// How many features tell the position.
const POSITION: usize = 4;
/// How many sentence embeddings tell the text.
const TEXTS: usize = 4;

impl FeatureLayout {
    /// How many features a row has.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.text().end
    }

    /// The residuals of the last token, *shape* `[sites, hidden]`.
    pub fn residual(&self) -> Range<usize> {
        0..self.width()
    }

    /// Their mean over the segment, *shape* `[sites, hidden]`.
    pub fn segment_mean(&self) -> Range<usize> {
        self.width()..2 * self.width()
    }

    /// That of the last site alone, *shape* `[hidden]`.
    pub fn last_segment_mean(&self) -> Range<usize> {
        2 * self.width() - self.hidden..2 * self.width()
    }

    /// Their mean over the answer, *shape* `[sites, hidden]`.
    pub fn answer_mean(&self) -> Range<usize> {
        2 * self.width()..3 * self.width()
    }

    /// Theme probabilities of the last segment, the one before and all so far, *shape* `[3, themes]`.
    pub fn history(&self) -> Range<usize> {
        3 * self.width()..3 * self.width() + 3 * self.themes
    }

    /// `ln(1 + tokens)`, `ln(1 + segments)`, `ln(1 + tokens in the segment)`, 1 at the prompt's end.
    ///
    /// Segments are those that ended before the segment of the last token, so that both rows of a
    /// segment's end agree.
    pub fn position(&self) -> Range<usize> {
        let start = self.history().end;
        start..start + POSITION
    }

    /// The text at the last boundary, *shape* `[4, text]`: the mean embedding of the segments that
    /// have ended, that of the last one, the prompt's, and the prompt's once more at its end alone.
    ///
    /// Until a segment has ended the prompt stands in for the first two.
    pub fn text(&self) -> Range<usize> {
        let start = self.position().end;
        start..start + TEXTS * self.text
    }

    /// What comes of activations: residuals and their means.
    pub fn activations(&self) -> Range<usize> {
        0..self.history().start
    }

    fn width(&self) -> usize {
        self.hidden * self.sites
    }
}
