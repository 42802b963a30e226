//! Which documents train, which choose, which judge: the same everywhere.

use crate::{LabError, Result, dataset::Document};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The part of a collection that a document belongs to.
///
/// ```
/// use themecast_lab::Split;
///
/// assert_eq!("test".parse(), Ok(Split::Test));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Split {
    /// Weights are fitted on it: 70 of 100 prompts.
    Train,
    /// Regularisation, temperatures and thresholds are chosen on it: 15 of 100.
    Validation,
    /// Figures are reported on it, nothing is chosen: 15 of 100.
    Test,
    /// Whole groups that nothing was fitted on: figures on it are generalisation, kept apart.
    HeldOut,
}

impl Split {
    /// The document's own `split`, else that of its prompt.
    ///
    /// # Errors
    /// [`LabError::Data`] where the document names a split that is none.
    pub fn of(document: &Document) -> Result<Self> {
        match &document.split {
            Some(name) => {
                name.parse().map_err(|error| LabError::Data(format!("{}: {error}", document.id)))
            }
            None => Ok(Self::of_prompt(&document.prompt_id)),
        }
    }

    /// The split of a prompt that names none: a stable hash of its id.
    ///
    /// ```
    /// # use themecast_lab::Split;
    /// assert_eq!(Split::of_prompt("recipes-7"), Split::of_prompt("recipes-7"));
    /// ```
    pub fn of_prompt(prompt_id: &str) -> Self {
        match stable_hash(prompt_id) % 100 {
            0..70 => Self::Train,
            70..85 => Self::Validation,
            _ => Self::Test,
        }
    }
}

/// The cross-fitting fold of a prompt, `0..folds`; independent of its split.
pub(crate) fn fold(prompt_id: &str, folds: u64) -> usize {
    (stable_hash(prompt_id) / 100 % folds.max(1)) as usize
}

/// Into how many parts training prompts fall for ensembles: a member each.
pub(crate) const PARTS: usize = 2;

/// The part of a prompt, below [`PARTS`]; independent of its split.
pub(crate) fn part(prompt_id: &str) -> usize {
    fold(prompt_id, PARTS as u64)
}

/// FNV-1a, then the finaliser of SplitMix64: the same on every machine and in every version.
pub(crate) fn stable_hash(text: &str) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
            Self::HeldOut => "held-out",
        })
    }
}

/// A text that names no split.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no split: use train, validation, test or held-out")]
pub struct ParseSplitError(String);

impl FromStr for Split {
    type Err = ParseSplitError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "train" => Ok(Self::Train),
            "validation" => Ok(Self::Validation),
            "test" => Ok(Self::Test),
            "held-out" => Ok(Self::HeldOut),
            _ => Err(ParseSplitError(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_as_promised_and_the_hash_never_moves() {
        let of = |id: usize| Split::of_prompt(&format!("p{id}"));
        let train = (0..10_000).filter(|&id| of(id) == Split::Train).count();
        let test = (0..10_000).filter(|&id| of(id) == Split::Test).count();
        assert!(train.abs_diff(7000) < 150 && test.abs_diff(1500) < 120, "{train} {test}");
        assert_eq!(stable_hash("recipes-7"), 0x9e26_d878_4723_18dd);
    }

    #[test]
    fn an_explicit_split_wins_and_a_wrong_one_is_named() {
        let mut document = Document { id: "a/0".into(), ..Document::default() };
        document.split = Some("validation".into());
        assert_eq!(Split::of(&document).unwrap(), Split::Validation);
        document.split = Some("dev".into());
        let message = Split::of(&document).unwrap_err().to_string();
        assert_eq!(message, "a/0: 'dev' is no split: use train, validation, test or held-out");
    }

    #[test]
    fn folds_part_the_training_prompts_evenly() {
        let train = (0..4000).map(|id| format!("p{id}"));
        let train: Vec<_> = train.filter(|id| Split::of_prompt(id) == Split::Train).collect();
        for wanted in 0..4 {
            let count = train.iter().filter(|id| fold(id, 4) == wanted).count();
            assert!(count.abs_diff(train.len() / 4) < 100, "fold {wanted}: {count}");
        }
    }
}
