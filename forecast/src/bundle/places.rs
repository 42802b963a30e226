//! Numbers that differ by where in an answer a forecast is made and how far ahead it looks.

use crate::linear::RowKind;
use serde::{Deserialize, Serialize};

/// Where in an answer a forecast is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// After the prompt's last token: no theme has come yet.
    PromptEnd,
    /// After a segment's last token.
    Boundary,
    /// Within a segment.
    Mid,
}

impl Place {
    /// The place of a moment of `kind`; `first`: nothing was forecast before.
    pub fn new(kind: RowKind, first: bool) -> Self {
        match (kind, first) {
            (RowKind::Boundary, true) => Self::PromptEnd,
            (RowKind::Boundary, false) => Self::Boundary,
            (RowKind::Mid, _) => Self::Mid,
        }
    }
}

/// One number for each place and each segment ahead: 0 is the segment of the token that is about
/// to be written.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ByPlace {
    /// At the prompt's end; where empty, those of boundaries hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prompt_end: Vec<f32>,
    /// At boundaries.
    pub boundary: Vec<f32>,
    /// Between them.
    pub mid: Vec<f32>,
}

impl ByPlace {
    /// The numbers of one place.
    pub fn of(&self, place: Place) -> &[f32] {
        match place {
            Place::PromptEnd if !self.prompt_end.is_empty() => &self.prompt_end,
            Place::PromptEnd | Place::Boundary => &self.boundary,
            Place::Mid => &self.mid,
        }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = f32> + '_ {
        self.prompt_end.iter().chain(&self.boundary).chain(&self.mid).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prompts_end_has_its_own_numbers_or_those_of_boundaries() {
        let mut numbers = ByPlace { boundary: vec![1.0], mid: vec![2.0], ..ByPlace::default() };
        let first = Place::new(RowKind::Boundary, true);
        assert_eq!(numbers.of(first), [1.0]);
        numbers.prompt_end = vec![3.0];
        assert_eq!(numbers.of(first), [3.0]);
        assert_eq!(numbers.of(Place::new(RowKind::Mid, false)), [2.0]);
        assert_eq!(numbers.iter().sum::<f32>(), 6.0);
    }
}
