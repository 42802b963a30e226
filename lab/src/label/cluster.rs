//! Themes as clusters of sentence embeddings.

use super::{
    Agreement, Labeler, Labeling, Segment, embed_segments, naming,
    resolution::{self, Resolution, Training},
};
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
use serde_json::json;
use std::{cell::RefCell, collections::HashSet};
use themecast_forecast::bundle::Theme;

/// How to cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClusterConfig {
    /// How many themes; `None`: as many of 8, 12, 16, 24, 32, 48 as are most stable.
    pub themes: Option<usize>,
    /// The seed of the first run; the second run, for the agreement, takes the next one.
    pub seed: u64,
    /// How many starts k-means has; the best counts.
    pub starts: usize,
}

impl Default for ClusterConfig {
    fn default() -> Self {
        Self { themes: None, seed: 1, starts: 10 }
    }
}

/// K-means over sentence embeddings, fitted on the training split.
///
/// *Source* Arthur and Vassilvitskii 2007 (k-means++); Ben-Hur, Elisseeff and Guyon 2002 (choosing
/// how many by stability).
pub struct Cluster<'a> {
    /// How to cluster.
    pub config: ClusterConfig,
    /// Where the embeddings come from.
    pub embedder: &'a dyn Embed,
    /// The numbers of themes that the last labelling tried.
    tried: RefCell<Vec<Resolution>>,
}

impl std::fmt::Debug for Cluster<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").field("config", &self.config).finish_non_exhaustive()
    }
}

/// Fitted clusters.
pub(super) type Model = KMeans<f32, L2Dist>;

impl Labeler for Cluster<'_> {
    fn method(&self) -> &str {
        "cluster"
    }

    /// The configuration; where the labelling chose how many themes, what it chose, and the
    /// stability of each number under `resolutions`.
    fn parameters(&self) -> serde_json::Value {
        let mut parameters = serde_json::to_value(&self.config).unwrap_or_default();
        let tried = self.tried.borrow();
        if let Some(themes) = resolution::best(&tried) {
            parameters["themes"] = json!(themes);
            parameters["resolutions"] = json!(*tried);
        }
        parameters
    }

    fn label(&self, segments: &[Segment], progress: &dyn Fn(&str)) -> Result<Labeling> {
        let training: Vec<usize> =
            (0..segments.len()).filter(|&place| segments[place].split == Split::Train).collect();
        if let Some(themes) = self.config.themes {
            enough(&training, themes)?;
        }
        let vectors = matrix(&embed_segments(self.embedder, segments, progress)?)?;
        let train = vectors.select(ndarray::Axis(0), &training);
        let themes = self.resolve(&Training::new(&train, segments, &training), progress)?;
        progress(&format!("clustering {} training segments into {themes}", training.len()));
        let (seed, starts) = (self.config.seed, self.config.starts);
        let model = k_means(&train, themes, seed, starts)?;
        progress("clustering again with another seed");
        let second = k_means(&train, themes, seed.wrapping_add(1), starts)?;
        let (first, second) = (assign(&model, &train), assign(&second, &train));
        let agreement =
            Agreement::between("a second run with another seed", &first, &second, false);
        let (assigned, distances) = by_share(&model, &vectors, &training, themes);
        let themes = describe(segments, &training, &assigned, &distances, themes);
        Ok(Labeling { themes, assigned, distances, agreement })
    }
}

impl<'a> Cluster<'a> {
    /// Clusters of the embeddings that `embedder` gives.
    pub fn new(config: ClusterConfig, embedder: &'a dyn Embed) -> Self {
        Self { config, embedder, tried: RefCell::default() }
    }

    /// How many themes: as many as the configuration says, else the most stable number.
    fn resolve(&self, training: &Training<'_>, progress: &dyn Fn(&str)) -> Result<usize> {
        self.tried.take();
        if let Some(themes) = self.config.themes {
            return Ok(themes);
        }
        let starts = self.config.starts.min(resolution::STARTS);
        let fit = |rows: &Array2<f32>, themes, seed| k_means(rows, themes, seed, starts);
        let seed = self.config.seed;
        let tried = resolution::stabilities(&resolution::TRIED, training, seed, &fit, progress)?;
        let chosen = resolution::best(&tried);
        *self.tried.borrow_mut() = tried;
        chosen.ok_or_else(|| LabError::data("no number of themes was tried"))
    }
}

fn enough(training: &[usize], themes: usize) -> Result<()> {
    if training.len() >= themes && themes > 0 {
        return Ok(());
    }
    let found = training.len();
    Err(LabError::Data(format!("{found} training segments do not make {themes} themes")))
}

/// Clusters of the rows of `train`, the best of `starts`.
///
/// # Errors
/// [`LabError::Fit`].
pub(super) fn k_means(
    train: &Array2<f32>,
    themes: usize,
    seed: u64,
    starts: usize,
) -> Result<Model> {
    let rng = Xoshiro256Plus::seed_from_u64(seed);
    KMeans::params_with(themes, rng, L2Dist)
        .n_runs(starts)
        .tolerance(1e-4)
        .fit(&DatasetBase::from(train.view()))
        .map_err(|error| LabError::Fit(format!("k-means: {error}")))
}

/// The vectors as rows.
///
/// # Errors
/// [`LabError::Embed`] where their lengths differ.
pub(super) fn matrix(vectors: &[Vec<f32>]) -> Result<Array2<f32>> {
    let width = vectors.first().map_or(0, Vec::len);
    Array2::from_shape_vec((vectors.len(), width), vectors.concat())
        .map_err(|error| LabError::Embed(format!("vectors of different lengths: {error}")))
}

/// Every row's cluster.
pub(super) fn assign(model: &Model, vectors: &Array2<f32>) -> Vec<u32> {
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
        let example =
            nearest.map_or(String::new(), |&row| naming::shorten(&segments[row].text, 160));
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
