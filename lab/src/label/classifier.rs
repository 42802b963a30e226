//! What was learnt from a reader's answers, kept: labels any text without asking anybody.

use super::{
    Labeler, Labeling, Segment, catalogue, catalogue::Entry, distil, embed_segments, words::Words,
};
use crate::{LabError, Result, Split, atomic, embed::Embed};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::Path;
use themecast_forecast::linear::Affine;

/// The classifier that is shipped, learnt from `data/answers.jsonl`.
const SHIPPED: &str = include_str!("../../../data/labeller.json");

/// A softmax regression over a passage's embedding, the one before it, its layout and its words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Classifier {
    catalogue: Vec<Entry>,
    /// The words that are looked for: the last columns.
    words: Words,
    temperature: f32,
    bias: Vec<f32>,
    /// *Shape* `[themes][features]`.
    weight: Vec<Vec<f32>>,
}

impl Classifier {
    pub(super) fn new(catalogue: &[Entry], words: Words, affine: Affine) -> Self {
        let features = affine.weight.len() / catalogue.len().max(1);
        Self {
            catalogue: catalogue.to_vec(),
            words,
            temperature: affine.temperature,
            bias: affine.bias,
            weight: affine.weight.chunks_exact(features).map(<[f32]>::to_vec).collect(),
        }
    }

    /// The shipped classifier, or the one in the file `path`.
    ///
    /// # Errors
    /// [`LabError::Io`]; [`LabError::Format`] where it is none.
    pub fn read(path: Option<&Path>) -> Result<Self> {
        let shipped = Path::new("data/labeller.json");
        let read: Self = match path {
            Some(path) => atomic::read_json(path)?,
            None => {
                serde_json::from_str(SHIPPED).map_err(|error| LabError::format(shipped, error))?
            }
        };
        let themes = read.catalogue.len();
        let even = read.weight.windows(2).all(|rows| rows[0].len() == rows[1].len());
        if themes == 0 || !even || [read.weight.len(), read.bias.len()] != [themes; 2] {
            let message = format!("want a row of weights and a bias for each of {themes} themes");
            return Err(LabError::format(path.unwrap_or(shipped), message));
        }
        Ok(read)
    }

    /// The ids of its themes, in order.
    pub fn themes(&self) -> impl Iterator<Item = &str> {
        self.catalogue.iter().map(|entry| entry.id.as_str())
    }

    /// Writes the classifier to the file `path`.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn save(&self, path: &Path) -> Result<()> {
        atomic::write_json(path, self)
    }

    /// The labels of `segments`, whose rows are `rows`.
    pub(super) fn labeling(&self, segments: &[Segment], rows: &[Vec<f32>]) -> Labeling {
        let affine = Affine {
            weight: self.weight.concat(),
            bias: self.bias.clone(),
            temperature: self.temperature,
        };
        let (mut assigned, mut distances, mut p) = (Vec::new(), Vec::new(), Vec::new());
        let mut counts = vec![0; self.catalogue.len()];
        for (segment, row) in segments.iter().zip(rows) {
            affine.probabilities(row, &mut p);
            let best = p.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
            let (theme, p) = best.map_or((0, 0.0), |(theme, p)| (theme, *p));
            counts[theme] += usize::from(segment.split == Split::Train);
            assigned.push(theme as u32);
            distances.push(1.0 - p);
        }
        let themes = catalogue::themes(&self.catalogue, &counts);
        Labeling { themes, assigned, distances, agreement: None }
    }
}

/// A classifier with what embeds the texts.
pub struct Classified<'a> {
    /// What was learnt.
    pub classifier: Classifier,
    /// What `labels.json` calls it: `shipped`, or its file.
    pub name: String,
    /// Where the embeddings come from: the encoder that it was learnt with.
    pub embedder: &'a dyn Embed,
}

impl std::fmt::Debug for Classified<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Classified").field("classifier", &self.classifier).finish_non_exhaustive()
    }
}

impl Labeler for Classified<'_> {
    fn method(&self) -> &str {
        "llm"
    }

    fn parameters(&self) -> serde_json::Value {
        json!({ "themes": self.classifier.catalogue.len(), "classifier": self.name })
    }

    fn label(&self, segments: &[Segment], progress: &dyn Fn(&str)) -> Result<Labeling> {
        let vectors = embed_segments(self.embedder, segments, progress)?;
        let rows = distil::rows(segments, &vectors, &self.classifier.words);
        let (wanted, found) =
            (self.classifier.weight.first().map_or(0, Vec::len), rows.first().map_or(0, Vec::len));
        if wanted != found {
            let message = format!("the classifier reads rows of {wanted} numbers, not {found}");
            return Err(LabError::Data(message));
        }
        Ok(self.classifier.labeling(segments, &rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_classifier_has_the_shipped_catalogue() {
        let classifier = Classifier::read(None).unwrap();
        let ids = |entries: &[Entry]| -> Vec<String> {
            entries.iter().map(|entry| entry.id.clone()).collect()
        };
        assert_eq!(ids(&classifier.catalogue), ids(&catalogue::read(None).unwrap()));
        assert_eq!(classifier.weight.len(), classifier.bias.len());
    }

    #[test]
    fn what_is_kept_labels_as_before() {
        let dir = tempfile::tempdir().unwrap();
        let affine =
            Affine { weight: vec![2.0, 0.0, -1.0, 1.0], bias: vec![0.0, 0.5], temperature: 1.5 };
        let own = Classifier::new(&catalogue::read(None).unwrap()[..2], Words::default(), affine);
        let path = dir.path().join("labeller.json");
        own.save(&path).unwrap();
        let again = Classifier::read(Some(&path)).unwrap();
        assert_eq!(again, own);
        let segment = |split| Segment {
            document: "a/0".into(),
            split,
            segment: 0,
            first_token: 0,
            end_token: 1,
            text: String::new(),
        };
        let segments = [segment(Split::Train), segment(Split::Test)];
        let labeling = again.labeling(&segments, &[vec![1.0, 0.0], vec![0.0, 1.0]]);
        assert_eq!(labeling.assigned, [0, 1]);
        assert_eq!(labeling.themes[0].share, 1.0, "of the training split alone");
        let uneven = Classifier { bias: vec![0.0], ..again };
        uneven.save(&path).unwrap();
        let error = Classifier::read(Some(&path)).unwrap_err().to_string();
        assert!(error.contains("a bias for each of 2 themes"), "{error}");
    }
}
