//! An embedder that remembers, in a file, what it has embedded.

use crate::{LabError, Result, embed::Embed, eval::embeddings::Embeddings};
use std::{collections::BTreeSet, path::PathBuf};

/// Embeds each text once; what the file knows is not embedded again.
pub struct Remembering<'a> {
    inner: &'a dyn Embed,
    path: PathBuf,
    tell: fn(&str),
}

impl std::fmt::Debug for Remembering<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remembering").field("path", &self.path).finish_non_exhaustive()
    }
}

impl<'a> Remembering<'a> {
    /// Asks `inner` for what the file `path` does not know, and keeps that there; `tell` hears
    /// how it goes.
    pub fn new(inner: &'a dyn Embed, path: impl Into<PathBuf>, tell: fn(&str)) -> Self {
        Self { inner, path: path.into(), tell }
    }
}

impl Embed for Remembering<'_> {
    fn embed(&self, texts: &[String], progress: &dyn Fn(usize, usize)) -> Result<Vec<Vec<f32>>> {
        // Without its folder the file would not be kept.
        self.path.parent().map(crate::atomic::create_dir).transpose()?;
        let all: BTreeSet<&str> = texts.iter().map(String::as_str).collect();
        let known = Embeddings::of(&all, &self.path, self.inner, &self.tell)?;
        let vector = |text: &String| {
            let found = known.get(text).map(<[f32]>::to_vec);
            found.ok_or_else(|| LabError::Embed(format!("no embedding of {text:?}")))
        };
        let vectors = texts.iter().map(vector).collect();
        progress(texts.len(), texts.len());
        vectors
    }
}
