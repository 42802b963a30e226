//! Themes as clusters of sentence embeddings.

use super::{Agreement, Labeler, Labeling, Segment, embed_segments, naming};
use crate::{LabError, Result, Split, embed::Embed};
use linfa::{
    DatasetBase,
    traits::{Fit, Predict},
};
use linfa_clustering::KMeans;
use linfa_nn::distance::L2Dist;
use ndarray::Array2;
use rand_xoshiro::{Xoshiro256Plus, rand_core::SeedableRng};
use serde::Serialize;
use std::collections::HashSet;
use themecast_forecast::bundle::Theme;

/// How to cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClusterConfig {
    /// How many themes.
    pub themes: usize,
    /// The seed of the first run; the second run, for the agreement, takes the next one.
    pub seed: u64,
    /// How many starts k-means has; the best counts.
    pub starts: usize,
}

impl Default for ClusterConfig {
    fn default() -> Self {
        Self { themes: 24, seed: 1, starts: 10 }
    }
}

/// K-means over sentence embeddings, fitted on the training split.
///
/// *Source* Arthur and Vassilvitskii 2007 (k-means++).
pub struct Cluster<'a> {
    /// How to cluster.
    pub config: ClusterConfig,
    /// Where the embeddings come from.
    pub embedder: &'a dyn Embed,
}

impl std::fmt::Debug for Cluster<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").field("config", &self.config).finish_non_exhaustive()
    }
}

type Model = KMeans<f32, L2Dist>;

impl Labeler for Cluster<'_> {
    fn method(&self) -> &str {
        "cluster"
    }

    fn parameters(&self) -> serde_json::Value {
        serde_json::to_value(&self.config).unwrap_or_default()
    }

    fn label(&self, segments: &[Segment], progress: &dyn Fn(&str)) -> Result<Labeling> {
        let training: Vec<usize> =
            (0..segments.len()).filter(|&place| segments[place].split == Split::Train).collect();
        if training.len() < self.config.themes || self.config.themes == 0 {
            let (found, themes) = (training.len(), self.config.themes);
            let message = format!("{found} training segments do not make {themes} themes");
            return Err(LabError::Data(message));
        }
        let vectors = matrix(&embed_segments(self.embedder, segments, progress)?)?;
        let train = vectors.select(ndarray::Axis(0), &training);
        progress(&format!("clustering {} training segments", training.len()));
        let model = self.fit(&train, self.config.seed)?;
        progress("clustering again with another seed");
        let second = self.fit(&train, self.config.seed.wrapping_add(1))?;
        let (first, second) = (assign(&model, &train), assign(&second, &train));
        let agreement =
            Agreement::between("a second run with another seed", &first, &second, false);
        let (assigned, distances) = by_share(&model, &vectors, &training, self.config.themes);
        let themes = describe(segments, &training, &assigned, &distances, self.config.themes);
        Ok(Labeling { themes, assigned, distances, agreement })
    }
}

impl Cluster<'_> {
    fn fit(&self, train: &Array2<f32>, seed: u64) -> Result<Model> {
        let rng = Xoshiro256Plus::seed_from_u64(seed);
        KMeans::params_with(self.config.themes, rng, L2Dist)
            .n_runs(self.config.starts)
            .tolerance(1e-4)
            .fit(&DatasetBase::from(train.view()))
            .map_err(|error| LabError::Fit(format!("k-means: {error}")))
    }
}

fn matrix(vectors: &[Vec<f32>]) -> Result<Array2<f32>> {
    let width = vectors.first().map_or(0, Vec::len);
    Array2::from_shape_vec((vectors.len(), width), vectors.concat())
        .map_err(|error| LabError::Embed(format!("vectors of different lengths: {error}")))
}

fn assign(model: &Model, vectors: &Array2<f32>) -> Vec<u32> {
    model.predict(vectors).iter().map(|&cluster| cluster as u32).collect()
}

/// Every row's cluster, numbered by its share of the training rows, and its Euclidean distance.
fn by_share(
    model: &Model,
    vectors: &Array2<f32>,
    training: &[usize],
    themes: usize,
) -> (Vec<u32>, Vec<f32>) {
    let clusters = assign(model, vectors);
    let mut counts = vec![0_usize; themes];
    for &row in training {
        counts[clusters[row] as usize] += 1;
    }
    let mut order: Vec<usize> = (0..themes).collect();
    order.sort_by_key(|&cluster| std::cmp::Reverse(counts[cluster]));
    let mut rank = vec![0_u32; themes];
    for (place, &cluster) in order.iter().enumerate() {
        rank[cluster] = place as u32;
    }
    let distance = |(row, &cluster): (ndarray::ArrayView1<'_, f32>, &u32)| {
        let centroid = model.centroids().row(cluster as usize);
        row.iter().zip(centroid).map(|(x, c)| (x - c) * (x - c)).sum::<f32>().sqrt()
    };
    let distances = vectors.outer_iter().zip(&clusters).map(distance).collect();
    (clusters.iter().map(|&cluster| rank[cluster as usize]).collect(), distances)
}

fn describe(
    segments: &[Segment],
    training: &[usize],
    assigned: &[u32],
    distances: &[f32],
    themes: usize,
) -> Vec<Theme> {
    let texts: Vec<&str> = training.iter().map(|&row| segments[row].text.as_str()).collect();
    let themes_of: Vec<u32> = training.iter().map(|&row| assigned[row]).collect();
    let words = naming::typical_words(&texts, &themes_of, themes, 8);
    let mut taken = HashSet::new();
    let theme = |(theme, words): (usize, &Vec<String>)| {
        let members = || training.iter().filter(|&&row| assigned[row] as usize == theme);
        let nearest = members().min_by(|&&a, &&b| distances[a].total_cmp(&distances[b]));
        let example = nearest.map_or(String::new(), |&row| shorten(&segments[row].text));
        let (name, more) = words.split_at(words.len().min(3));
        Theme {
            id: naming::unique_id(name, &mut taken),
            name: if name.is_empty() { format!("theme {theme}") } else { name.join(", ") },
            description: format!("also: {}. For example: “{example}”", more.join(", ")),
            share: members().count() as f32 / training.len() as f32,
        }
    };
    words.iter().enumerate().map(theme).collect()
}

/// The text on one line, at most 160 characters.
fn shorten(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= 160 {
        return line;
    }
    line.chars().take(159).chain(['…']).collect()
}
