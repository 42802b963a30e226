//! Sentence embeddings of every text of a collection, each computed once.
//!
//! They are kept in `DIR/labels/embeddings.parquet` by a hash of the text, so that new labels or
//! another segmenter cost only the texts that are new.

use super::collected::Collected;
use crate::{
    LabError, Result,
    dataset::parquet_io::{column, open_columns, properties, write_parquet},
    embed::Embed,
    pace::Pace,
    split::stable_hash,
};
use arrow::{
    array::{Array, ArrayRef, FixedSizeListArray, Float32Array, RecordBatch, UInt64Array},
    datatypes::{DataType, Field, Schema},
};
use std::{
    collections::{BTreeSet, HashMap},
    path::Path,
    sync::Arc,
};

/// Embeddings by the hash of their text.
#[derive(Debug, Default)]
pub(crate) struct Embeddings {
    dimension: usize,
    places: HashMap<u64, usize>,
    values: Vec<f32>,
}

impl Embeddings {
    /// Embeds `texts`, those that the file `cache` knows left out, and writes them to it.
    ///
    /// # Errors
    /// [`LabError::Embed`]; of reading. A cache that can't be written is only told of.
    pub(crate) fn of(
        texts: &BTreeSet<&str>,
        cache: &Path,
        embedder: &dyn Embed,
        progress: &dyn Fn(&str),
    ) -> Result<Self> {
        let mut known = Self::open(cache)?;
        known.learn(texts, cache, embedder, progress)?;
        Ok(known)
    }

    /// Embeds every text of `collected` that a baseline reads, kept with the labels in `dir`.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub(super) fn of_collected(
        collected: &Collected,
        dir: &Path,
        embedder: &dyn Embed,
        progress: &dyn Fn(&str),
    ) -> Result<Self> {
        let stories = &collected.stories;
        let mut texts: BTreeSet<&str> =
            stories.iter().flat_map(|story| story.segments.iter().map(String::as_str)).collect();
        texts.extend(stories.iter().map(|story| story.prompt.as_str()));
        let within = &collected.within;
        for part in [&within.train, &within.validation, &within.test, &within.held_out] {
            texts.extend(part.events.iter().map(|event| event.partial.as_str()));
        }
        Self::of(&texts, &dir.join("labels").join("embeddings.parquet"), embedder, progress)
    }

    /// What the file `cache` knows; nothing where there is none.
    ///
    /// # Errors
    /// Of reading.
    pub(crate) fn open(cache: &Path) -> Result<Self> {
        if cache.is_file() { Self::load(cache) } else { Ok(Self::default()) }
    }

    /// Embeds those of `texts` that are not known yet; where there are any, writes all that is
    /// known to the file `cache`.
    ///
    /// # Errors
    /// [`LabError::Embed`]. A cache that can't be written is only told of.
    pub(crate) fn learn(
        &mut self,
        texts: &BTreeSet<&str>,
        cache: &Path,
        embedder: &dyn Embed,
        progress: &dyn Fn(&str),
    ) -> Result<()> {
        let new: Vec<String> =
            texts.iter().filter(|text| !self.has(text)).map(|&text| text.to_owned()).collect();
        if new.is_empty() {
            return Ok(());
        }
        progress(&format!("{} texts to embed, {} known", new.len(), self.places.len()));
        let pace = Pace::new("texts embedded", progress);
        let vectors = embedder.embed(&new, &|done, all| pace.at(done, all))?;
        for (text, vector) in new.iter().zip(vectors) {
            self.add(stable_hash(text), &vector);
        }
        if let Err(error) = self.save(cache) {
            progress(&format!("the embeddings are not kept: {error}"));
        }
        Ok(())
    }

    fn has(&self, text: &str) -> bool {
        self.places.contains_key(&stable_hash(text))
    }

    /// How many numbers an embedding has.
    pub(crate) fn dimension(&self) -> usize {
        self.dimension
    }

    /// The embedding of `text`, where it has one.
    pub(crate) fn get(&self, text: &str) -> Option<&[f32]> {
        let start = self.places.get(&stable_hash(text))? * self.dimension;
        self.values.get(start..start + self.dimension)
    }

    fn add(&mut self, hash: u64, vector: &[f32]) {
        self.dimension = vector.len();
        self.places.insert(hash, self.places.len());
        self.values.extend_from_slice(vector);
    }

    fn load(path: &Path) -> Result<Self> {
        let mut all = Self::default();
        for batch in open_columns(path, |_| true)? {
            let batch = batch.map_err(|error| LabError::format(path, error))?;
            let hashes: &UInt64Array = column(&batch, "text", path)?;
            let lists: &FixedSizeListArray = column(&batch, "embedding", path)?;
            let values: &Float32Array = lists
                .values()
                .as_any()
                .downcast_ref()
                .ok_or_else(|| LabError::format(path, "embeddings are not f32"))?;
            let dimension = lists.value_length() as usize;
            for row in 0..batch.num_rows() {
                let start = (lists.offset() + row) * dimension;
                all.add(hashes.value(row), &values.values()[start..start + dimension]);
            }
        }
        Ok(all)
    }

    fn save(&self, path: &Path) -> Result<()> {
        let refuse = |error| LabError::format(path, error);
        let dimension = self.dimension as i32;
        let item = Arc::new(Field::new("item", DataType::Float32, false));
        let list = DataType::FixedSizeList(item.clone(), dimension);
        let schema = Arc::new(Schema::new(vec![
            Field::new("text", DataType::UInt64, false),
            Field::new("embedding", list, false),
        ]));
        let mut hashes = vec![0; self.places.len()];
        for (&hash, &place) in &self.places {
            hashes[place] = hash;
        }
        let values = Arc::new(Float32Array::from(self.values.clone()));
        let lists = FixedSizeListArray::try_new(item, dimension, values, None).map_err(refuse)?;
        let columns: Vec<ArrayRef> = vec![Arc::new(UInt64Array::from(hashes)), Arc::new(lists)];
        let batch = RecordBatch::try_new(schema.clone(), columns).map_err(refuse);
        write_parquet(path, &schema, properties().build(), std::iter::once(batch))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synthetic::WordEmbedder;
    use std::cell::RefCell;

    #[test]
    fn only_new_texts_are_embedded_and_old_ones_come_back() {
        let dir = tempfile::tempdir().unwrap();
        let cache = dir.path().join("embeddings.parquet");
        let told = RefCell::new(Vec::new());
        let tell = |line: &str| told.borrow_mut().push(line.to_owned());
        let embed = |texts: &[&str]| {
            let texts = texts.iter().copied().collect();
            Embeddings::of(&texts, &cache, &WordEmbedder, &tell).unwrap()
        };
        let first = embed(&["flour and sugar", "a comet"]);
        let second = embed(&["a comet", "a violin", "flour and sugar"]);
        assert!(told.borrow().iter().any(|line| line == "1 texts to embed, 2 known"), "{told:?}");
        for text in ["flour and sugar", "a comet"] {
            assert_eq!(first.get(text).unwrap(), second.get(text).unwrap());
        }
        assert!(first.get("a violin").is_none());
        assert_eq!(second.get("a violin").unwrap()[9], 1.0);
    }
}
