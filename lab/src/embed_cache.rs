//! An embedder that remembers, in memory and in a file, what it has embedded.

use crate::{LabError, Result, atomic, embed::Embed, eval::embeddings::Embeddings};
use std::{cell::RefCell, collections::BTreeSet, path::PathBuf};

/// Embeds each text once; what the file knows is not embedded again.
///
/// The file is read at the first text and written, beside and renamed, whenever texts came that
/// it did not know.
///
/// *Units* 4 bytes a dimension and text: 1.5 kB a text with MiniLM, in memory as in the file.
pub struct Remembering<'a> {
    inner: &'a dyn Embed,
    path: PathBuf,
    tell: fn(&str),
    /// `None` until the file was read.
    known: RefCell<Option<Embeddings>>,
}

impl std::fmt::Debug for Remembering<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remembering").field("path", &self.path).finish_non_exhaustive()
    }
}

impl<'a> Remembering<'a> {
    /// Asks `inner` for what the file `path` does not know, and keeps that there; `tell` hears
    /// how it goes, also that the file could not be written.
    pub fn new(inner: &'a dyn Embed, path: impl Into<PathBuf>, tell: fn(&str)) -> Self {
        Self { inner, path: path.into(), tell, known: RefCell::default() }
    }

    /// Knows `texts`, whatever it takes.
    fn learn(&self, known: &mut Embeddings, texts: &[String]) -> Result<()> {
        if let Some(Err(error)) = self.path.parent().map(atomic::create_dir) {
            (self.tell)(&format!("the embeddings will not be kept: {error}"));
        }
        let all: BTreeSet<&str> = texts.iter().map(String::as_str).collect();
        known.learn(&all, &self.path, self.inner, &self.tell)
    }
}

impl Embed for Remembering<'_> {
    fn embed(&self, texts: &[String], progress: &dyn Fn(usize, usize)) -> Result<Vec<Vec<f32>>> {
        let mut known = self.known.borrow_mut();
        let known = match &mut *known {
            Some(known) => known,
            none => none.insert(Embeddings::open(&self.path)?),
        };
        self.learn(known, texts)?;
        let vector = |text: &String| {
            let found = known.get(text).map(<[f32]>::to_vec);
            found.ok_or_else(|| LabError::Embed(format!("no embedding of {text:?}")))
        };
        let vectors = texts.iter().map(vector).collect();
        progress(texts.len(), texts.len());
        vectors
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synthetic::WordEmbedder;
    use std::fs;

    /// Notes every text that it is asked for.
    #[derive(Default)]
    struct Noting(RefCell<Vec<String>>);

    impl Embed for Noting {
        fn embed(&self, texts: &[String], tell: &dyn Fn(usize, usize)) -> Result<Vec<Vec<f32>>> {
            self.0.borrow_mut().extend(texts.iter().cloned());
            WordEmbedder.embed(texts, tell)
        }
    }

    /// Every text gets the vector that `WordEmbedder` gives it, in its place.
    fn check(remembering: &Remembering<'_>, texts: &[&str]) {
        let texts: Vec<String> = texts.iter().map(|&text| text.to_owned()).collect();
        let found = remembering.embed(&texts, &|_, _| {}).unwrap();
        assert_eq!(found, WordEmbedder.embed(&texts, &|_, _| {}).unwrap());
    }

    #[test]
    fn each_text_is_embedded_once_whoever_asks_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("labels").join("embeddings.parquet");
        let noting = Noting::default();
        let first = Remembering::new(&noting, &path, |_| {});
        check(&first, &["ocean", "flour", "ocean"]);
        check(&first, &["violin", "flour"]);
        assert_eq!(noting.0.take(), ["flour", "ocean", "violin"]);
        let second = Remembering::new(&noting, &path, |_| {});
        check(&second, &["violin", "comet", "ocean"]);
        assert_eq!(noting.0.take(), ["comet"], "the file knows the others");
    }

    #[test]
    fn the_file_is_read_once_and_written_only_for_new_texts() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("embeddings.parquet");
        let noting = Noting::default();
        let remembering = Remembering::new(&noting, &path, |_| {});
        check(&remembering, &["ocean"]);
        fs::write(&path, "no parquet: reading it again would fail").unwrap();
        check(&remembering, &["ocean"]);
        assert!(fs::read(&path).unwrap().starts_with(b"no parquet"), "there was nothing new");
        check(&remembering, &["ocean", "flour"]);
        assert!(fs::read(&path).unwrap().starts_with(b"PAR1"));
        assert_eq!(noting.0.take(), ["ocean", "flour"]);
        let fresh = Remembering::new(&noting, &path, |_| {});
        check(&fresh, &["flour", "ocean"]);
        assert!(noting.0.take().is_empty(), "what was known before is written too");
    }

    #[test]
    fn what_cannot_be_kept_is_known_all_the_same() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let noting = Noting::default();
        // A folder within a file can't be made.
        let nowhere = file.path().join("labels").join("embeddings.parquet");
        let remembering = Remembering::new(&noting, nowhere, |_| {});
        check(&remembering, &["ocean"]);
        check(&remembering, &["ocean"]);
        assert_eq!(noting.0.take(), ["ocean"]);
    }

    #[test]
    fn a_broken_file_is_an_error_until_it_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("embeddings.parquet");
        fs::write(&path, "no parquet").unwrap();
        let remembering = Remembering::new(&WordEmbedder, &path, |_| {});
        assert!(remembering.embed(&["ocean".to_owned()], &|_, _| {}).is_err());
        fs::remove_file(&path).unwrap();
        check(&remembering, &["ocean"]);
    }
}
