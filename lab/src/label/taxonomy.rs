//! Themes of the written catalogue, nearest by sentence embedding.

use super::{Labeler, Labeling, Segment, catalogue, catalogue::Entry, embed_segments};
use crate::{LabError, Result, Split, embed::Embed};
use serde_json::json;

/// The theme of what is like none.
const OTHER: &str = "other";
/// A segment nearer to no theme than this (cosine, after centring) is something else.
const OTHER_BELOW: f32 = 0.1;

/// Labels each segment with the theme whose examples it is most like.
///
/// Embeddings are centred on the mean of the training segments first: what all passages share
/// says nothing about any of them.
pub struct Taxonomy<'a> {
    /// The catalogue, without an "other": that is added.
    pub catalogue: Vec<Entry>,
    /// Where the embeddings come from.
    pub embedder: &'a dyn Embed,
}

impl std::fmt::Debug for Taxonomy<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Taxonomy").field("themes", &self.catalogue.len()).finish_non_exhaustive()
    }
}

impl Labeler for Taxonomy<'_> {
    fn method(&self) -> &str {
        "taxonomy"
    }

    fn parameters(&self) -> serde_json::Value {
        json!({ "themes": self.catalogue.len(), "other_below": OTHER_BELOW })
    }

    fn label(&self, segments: &[Segment], progress: &dyn Fn(&str)) -> Result<Labeling> {
        if self.catalogue.iter().any(|entry| entry.id == OTHER) {
            return Err(LabError::Data(format!(
                "the catalogue has a theme {OTHER:?}, which the method taxonomy adds: leave it out"
            )));
        }
        let mut vectors = embed_segments(self.embedder, segments, progress)?;
        let mean = training_mean(&vectors, segments);
        vectors.iter_mut().for_each(|vector| centre(vector, &mean));
        let prototypes = self.prototypes(&mean)?;
        let other = self.catalogue.len();
        let nearest = |vector: &Vec<f32>| {
            let scores = prototypes.iter().map(|prototype| dot(prototype, vector));
            let best = scores.enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
            match best {
                Some((theme, score)) if score >= OTHER_BELOW => (theme, 1.0 - score),
                _ => (other, 1.0),
            }
        };
        let found: Vec<(usize, f32)> = vectors.iter().map(nearest).collect();
        let mut counts = vec![0; other + 1];
        for (segment, (theme, _)) in segments.iter().zip(&found) {
            counts[*theme] += usize::from(segment.split == Split::Train);
        }
        let mut entries = self.catalogue.clone();
        entries.push(Entry {
            id: OTHER.to_owned(),
            name: "Other".to_owned(),
            description: "does none of these".to_owned(),
            examples: Vec::new(),
        });
        Ok(Labeling {
            themes: catalogue::themes(&entries, &counts),
            assigned: found.iter().map(|(theme, _)| *theme as u32).collect(),
            distances: found.iter().map(|(_, distance)| *distance).collect(),
            agreement: None,
        })
    }
}

impl Taxonomy<'_> {
    /// The centred mean of each theme's examples and description.
    fn prototypes(&self, mean: &[f32]) -> Result<Vec<Vec<f32>>> {
        let quiet = |_: usize, _: usize| {};
        let prototype = |entry: &Entry| {
            let described = format!("{}: {}", entry.name, entry.description);
            let texts: Vec<String> = entry.examples.iter().cloned().chain([described]).collect();
            let mut sum = vec![0.0; mean.len()];
            for mut vector in self.embedder.embed(&texts, &quiet)? {
                centre(&mut vector, mean);
                sum.iter_mut().zip(&vector).for_each(|(sum, x)| *sum += x);
            }
            normalise(&mut sum);
            Ok(sum)
        };
        self.catalogue.iter().map(prototype).collect()
    }
}

fn training_mean(vectors: &[Vec<f32>], segments: &[Segment]) -> Vec<f32> {
    let mut mean = vec![0.0; vectors.first().map_or(0, Vec::len)];
    let training = vectors.iter().zip(segments).filter(|(_, one)| one.split == Split::Train);
    let mut count = 0.0f32;
    for (vector, _) in training {
        count += 1.0;
        mean.iter_mut().zip(vector).for_each(|(mean, x)| *mean += (x - *mean) / count);
    }
    mean
}

fn centre(vector: &mut [f32], mean: &[f32]) {
    vector.iter_mut().zip(mean).for_each(|(x, mean)| *x -= mean);
    normalise(vector);
}

fn normalise(vector: &mut [f32]) {
    let length = dot(vector, vector).sqrt().max(1e-9);
    vector.iter_mut().for_each(|x| *x /= length);
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synthetic::WordEmbedder;

    #[test]
    fn a_catalogue_with_its_own_other_is_refused_before_anything_is_embedded() {
        let entry = |id: &str| Entry {
            id: id.to_owned(),
            name: id.to_owned(),
            description: String::new(),
            examples: vec![id.to_owned()],
        };
        let catalogue = vec![entry("steps"), entry("other")];
        let taxonomy = Taxonomy { catalogue, embedder: &WordEmbedder };
        let begun = |line: &str| panic!("it had begun: {line}");
        let error = taxonomy.label(&[], &begun).unwrap_err().to_string();
        assert!(error.contains("\"other\", which the method taxonomy adds"), "{error}");
    }
}
