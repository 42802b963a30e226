//! An embedder that embeds each text once.

use crate::{Result, embed::Embed};
use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
};

/// Keeps what another embedder gave: several labellers of the same segments then cost one reading.
///
/// *Units* 4 bytes a dimension and text: 1.5 kB a segment with MiniLM.
pub struct Remembered<'a> {
    of: &'a dyn Embed,
    known: RefCell<HashMap<String, Vec<f32>>>,
}

impl<'a> Remembered<'a> {
    /// The same as `of`, remembered.
    pub fn new(of: &'a dyn Embed) -> Self {
        Self { of, known: RefCell::default() }
    }
}

impl std::fmt::Debug for Remembered<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let known = self.known.borrow().len();
        f.debug_struct("Remembered").field("known", &known).finish_non_exhaustive()
    }
}

impl Embed for Remembered<'_> {
    fn embed(&self, texts: &[String], progress: &dyn Fn(usize, usize)) -> Result<Vec<Vec<f32>>> {
        let mut known = self.known.borrow_mut();
        let mut asked = HashSet::new();
        let new: Vec<String> = texts
            .iter()
            .filter(|text| !known.contains_key(*text) && asked.insert(text.as_str()))
            .cloned()
            .collect();
        if !new.is_empty() {
            let vectors = self.of.embed(&new, progress)?;
            known.extend(new.into_iter().zip(vectors));
        }
        Ok(texts.iter().map(|text| known.get(text).cloned().unwrap_or_default()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synthetic::WordEmbedder;
    use std::cell::Cell;

    struct Counting(Cell<usize>);

    impl Embed for Counting {
        fn embed(&self, texts: &[String], tell: &dyn Fn(usize, usize)) -> Result<Vec<Vec<f32>>> {
            self.0.set(self.0.get() + texts.len());
            WordEmbedder.embed(texts, tell)
        }
    }

    #[test]
    fn each_text_is_embedded_once_and_comes_back_in_its_place() {
        let counting = Counting(Cell::new(0));
        let remembered = Remembered::new(&counting);
        let texts = ["ocean", "flour", "ocean"].map(str::to_owned);
        let first = remembered.embed(&texts, &|_, _| {}).unwrap();
        assert_eq!(first, WordEmbedder.embed(&texts, &|_, _| {}).unwrap());
        let again = remembered.embed(&texts[1..], &|_, _| {}).unwrap();
        assert_eq!(again, first[1..]);
        assert_eq!(counting.0.get(), 2);
    }
}
