//! What the model would have written instead: the other ways on that were sampled from within
//! answers, where there are any.

use super::{
    corpus::{self, Corpus},
    guesses::{Case, Guesses},
};
use crate::{
    Result,
    embed::Embed,
    label::{Labels, RESAMPLES},
};
use ndarray::Axis;
use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

/// The text of each segment after a place, by how many segments after, then by the way's number.
type Ways = BTreeMap<(usize, u32), String>;

/// Other ways on, by document and the segment that they begin after.
#[derive(Debug, Default)]
pub(super) struct Regenerated(HashMap<(String, i32), Ways>);

impl Regenerated {
    /// Reads the labelled ways on of the collection in `dir`; none where there are none.
    ///
    /// # Errors
    /// [`crate::LabError`] of reading.
    pub(super) fn read(dir: &Path) -> Result<Self> {
        let dir = dir.join(RESAMPLES);
        let mut read = Self::default();
        if dir.join("labels").join("labels.json").is_file() {
            for one in Labels::load(&dir)?.segments {
                read.add(&one.document, one.segment, one.text);
            }
        }
        Ok(read)
    }

    /// A segment of the way on `DOCUMENT@SEGMENT/WAY`, if it comes after the cut.
    fn add(&mut self, id: &str, segment: u32, text: String) -> Option<()> {
        let (cut, way) = id.rsplit_once('/')?;
        let (document, after) = cut.rsplit_once('@')?;
        let after: i32 = after.parse().ok()?;
        let ahead = usize::try_from(i64::from(segment) - i64::from(after)).ok()?;
        if ahead > 0 {
            let ways = self.0.entry((document.to_owned(), after)).or_default();
            ways.insert((ahead, way.parse().ok()?), text);
        }
        Some(())
    }

    /// The mean embedding of the first `most` ways' segments `ahead`, for each case that has any.
    ///
    /// # Errors
    /// [`crate::LabError`] of embedding.
    pub(super) fn guesses(
        &self,
        (corpus, cases): (&Corpus, &[Case]),
        (ahead, most): (usize, usize),
        embedder: &dyn Embed,
    ) -> Result<Guesses> {
        let guess = |case: &Case| {
            let id = &corpus.answers[case.origin.answer].id;
            let texts: Vec<String> = self.texts(id, case.origin.segment, ahead, most);
            let mean = |texts: &[String]| Ok(corpus::embed(embedder, texts)?.mean_axis(Axis(0)));
            if texts.is_empty() { Ok(None) } else { mean(&texts) }
        };
        cases.iter().map(guess).collect()
    }

    fn texts(&self, document: &str, segment: i32, ahead: usize, most: usize) -> Vec<String> {
        let ways = self.0.get(&(document.to_owned(), segment));
        let ways = ways.into_iter().flat_map(|ways| ways.range((ahead, 0)..=(ahead, u32::MAX)));
        ways.take(most).map(|(_, text)| text.trim().to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_are_found_by_their_cut_and_how_far_they_are_ahead() {
        let mut read = Regenerated::default();
        for (id, segment, text) in [
            ("how-to-1/0@2/0", 2, "before the cut"),
            ("how-to-1/0@2/0", 3, "first"),
            ("how-to-1/0@2/0", 4, "further"),
            ("how-to-1/0@2/11", 3, "another"),
            ("how-to-1/0", 3, "no way on"),
        ] {
            read.add(id, segment, text.to_owned());
        }
        assert_eq!(read.texts("how-to-1/0", 2, 1, 16), ["first", "another"]);
        assert_eq!(read.texts("how-to-1/0", 2, 1, 1), ["first"]);
        assert_eq!(read.texts("how-to-1/0", 2, 2, 16), ["further"]);
        assert!(read.texts("how-to-1/0", 1, 1, 16).is_empty());
    }
}
