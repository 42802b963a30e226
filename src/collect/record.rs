//! One answer as a document: its steps as rows, its segments, whether it loops.

use crate::host::{RawStep, StepSink, TextDecoder, Vocabulary};
use anyhow::{Result, bail};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use std::{collections::HashSet, time::Duration};
use themecast_forecast::segment::{Segmenter, SegmenterConfig};
use themecast_lab::dataset::{TokenRow, to_half};

/// Keeps every step of one answer.
#[derive(Default)]
pub(super) struct Recorder(Mutex<Vec<Result<RawStep, String>>>);

impl StepSink for Recorder {
    fn step(&self, step: Result<RawStep, String>, _took: Duration) {
        self.0.lock().push(step);
    }
}

impl Recorder {
    /// The first step, at which the whole prompt was read.
    ///
    /// # Errors
    /// When its residuals could not be read.
    pub(super) fn first(&self) -> Result<Option<RawStep>> {
        match self.0.lock().first() {
            Some(Ok(step)) => Ok(Some(step.clone())),
            Some(Err(error)) => bail!("a step could not be read: {error}"),
            None => Ok(None),
        }
    }

    /// The rows of the answer: the prompt's end, then every token that the model has read.
    ///
    /// # Errors
    /// When the residuals of a step could not be read.
    pub(super) fn rows(
        &self,
        vocabulary: &Vocabulary,
        config: &SegmenterConfig,
    ) -> Result<Vec<TokenRow>> {
        let mut segmenter = Segmenter::new(config);
        let mut decoder = TextDecoder::default();
        let mut segment = 0;
        let mut rows = Vec::new();
        for step in std::mem::take(&mut *self.0.lock()) {
            let step = match step {
                Ok(step) => step,
                Err(error) => bail!("a step could not be read: {error}"),
            };
            let index = i32::try_from(step.index)? - 1;
            let (text, segment_end) = match index {
                -1 => (String::new(), false),
                _ => {
                    let text = decoder.push(vocabulary.bytes(step.token));
                    let end = segmenter.push(&text);
                    (text, end)
                }
            };
            let own = if index < 0 { -1 } else { segment };
            segment += i32::from(segment_end);
            rows.push(TokenRow {
                index,
                token: step.token,
                text,
                position: u32::try_from(step.position)?,
                segment: own,
                segment_end,
                residuals: Some(to_half(&step.residuals)),
            });
        }
        Ok(rows)
    }
}

/// The seed of one answer: a function of the collection's seed and the answer's id alone.
pub(super) fn seed(seed: u64, id: &str) -> u64 {
    let digest = Sha256::new().chain_update(seed.to_le_bytes()).chain_update(id).finalize();
    digest.iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte))
}

/// How many tokens in a row are compared to find loops.
const GRAM: usize = 8;
/// The share of distinct runs of tokens below which an answer loops.
const DISTINCT: f64 = 0.7;

/// Whether an answer repeats itself: fewer than 70 % of its runs of 8 tokens are distinct.
pub(super) fn is_looping(rows: &[TokenRow]) -> bool {
    let tokens: Vec<u32> = rows.iter().filter(|row| row.index >= 0).map(|row| row.token).collect();
    let runs = tokens.windows(GRAM).count();
    let distinct: HashSet<&[u32]> = tokens.windows(GRAM).collect();
    runs >= 2 * GRAM && (distinct.len() as f64) < DISTINCT * runs as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(tokens: impl IntoIterator<Item = u32>) -> Vec<TokenRow> {
        let row = |(index, token): (usize, u32)| TokenRow {
            index: index as i32,
            token,
            text: String::new(),
            position: index as u32,
            segment: 0,
            segment_end: false,
            residuals: None,
        };
        tokens.into_iter().enumerate().map(row).collect()
    }

    #[test]
    fn loops_are_found() {
        assert!(is_looping(&rows((0..200).map(|i| i % 13))));
        assert!(!is_looping(&rows(0..200)));
        assert!(!is_looping(&rows([1; 12])), "too short to tell");
    }

    #[test]
    fn seeds_differ_by_id_and_repeat() {
        assert_eq!(seed(1, "a/0"), seed(1, "a/0"));
        assert_ne!(seed(1, "a/0"), seed(1, "a/1"));
        assert_ne!(seed(1, "a/0"), seed(2, "a/0"));
    }
}
