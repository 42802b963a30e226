//! Answers as their tokens.

use crate::{
    Result, Split,
    dataset::{Document, DocumentReader, Load},
    label::{Segment, segments},
};
use std::path::Path;

/// One answer.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) document: String,
    pub(super) split: Split,
    pub(super) truncated: bool,
    /// The text of each token.
    pub(super) tokens: Vec<String>,
}

/// The training and the test split's answers, the looping ones left out.
///
/// # Errors
/// Of reading.
pub(super) fn read(dir: &Path) -> Result<(Vec<Answer>, Vec<Answer>)> {
    let (mut train, mut test) = (Vec::new(), Vec::new());
    for document in DocumentReader::open(dir, Load::Tokens)? {
        let document = document?;
        let split = Split::of(&document)?;
        match split {
            Split::Train if !document.looping => train.push(Answer::new(document, split)),
            Split::Test if !document.looping => test.push(Answer::new(document, split)),
            _ => {}
        }
    }
    Ok((train, test))
}

impl Answer {
    fn new(document: Document, split: Split) -> Self {
        let truncated = document.truncated();
        let tokens = document.tokens.into_iter().filter(|row| row.index >= 0);
        let tokens = tokens.map(|row| row.text).collect();
        Self { document: document.id, split, truncated, tokens }
    }

    /// The characters of the tokens from `start` to before `end`.
    pub(super) fn chars(&self, start: usize, end: usize) -> usize {
        self.tokens[start..end].iter().map(|token| token.chars().count()).sum()
    }

    /// Appends the segments that end before the tokens at `ends`.
    pub(super) fn segments(&self, ends: impl Iterator<Item = usize>, into: &mut Vec<Segment>) {
        let (first, mut start) = (into.len(), 0);
        let closed: Vec<usize> = ends.collect();
        let open = closed.last().copied().unwrap_or(0) < self.tokens.len();
        for (number, &end) in closed.iter().chain(open.then_some(&self.tokens.len())).enumerate() {
            into.push(Segment {
                document: self.document.clone(),
                split: self.split,
                segment: number as u32,
                first_token: start as u32,
                end_token: end as u32,
                text: self.tokens[start..end].concat(),
            });
            start = end;
        }
        if open {
            segments::settle_tail(self.truncated, first, into);
        }
    }
}
