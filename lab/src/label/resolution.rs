//! How many clusters: as many as come out alike when other documents are clustered.

use super::{Segment, agreement, cluster::Model};
use crate::{LabError, Result};
use ndarray::{Array2, Axis};
use rand_xoshiro::{
    Xoshiro256PlusPlus,
    rand_core::{RngCore, SeedableRng},
};
use serde::Serialize;
use std::collections::{BTreeSet, HashSet};

/// The numbers of themes that are tried.
pub(super) const TRIED: [usize; 6] = [8, 12, 16, 24, 32, 48];
/// How often the documents are halved.
const DRAWS: u64 = 3;
/// Stabilities this near the best one are as good, so that the larger number counts.
const TIE: f64 = 0.01;
/// Starts of k-means while choosing; the chosen number gets all of them.
pub(super) const STARTS: usize = 3;

/// Clusters rows into so many themes, with a seed.
pub(super) type Fit<'a> = dyn Fn(&Array2<f32>, usize, u64) -> Result<Model> + 'a;

/// How stable one number of themes is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Resolution {
    /// How many themes.
    pub themes: usize,
    /// The mean adjusted mutual information, over three draws, of the labels that two clusterings
    /// fitted on disjoint halves of the training documents give all training segments.
    pub stability: f64,
}

/// The training segments that clusters are fitted on.
pub(super) struct Training<'a> {
    /// Their embeddings, *shape* `[segments, dimension]`.
    pub(super) vectors: &'a Array2<f32>,
    /// Each one's document.
    pub(super) documents: Vec<&'a str>,
}

impl<'a> Training<'a> {
    /// The segments at `places`, whose embeddings are `vectors`.
    pub(super) fn new(vectors: &'a Array2<f32>, segments: &'a [Segment], places: &[usize]) -> Self {
        let documents = places.iter().map(|&place| segments[place].document.as_str()).collect();
        Self { vectors, documents }
    }

    /// The rows of a random half of the documents, and those of the others.
    fn halves(&self, seed: u64) -> [Vec<usize>; 2] {
        let all: BTreeSet<&str> = self.documents.iter().copied().collect();
        let mut all: Vec<&str> = all.into_iter().collect();
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
        for place in (1..all.len()).rev() {
            all.swap(place, (random.next_u64() % (place as u64 + 1)) as usize);
        }
        let first: HashSet<&str> = all[..all.len() / 2].iter().copied().collect();
        let rows = 0..self.documents.len();
        let (first, second) = rows.partition(|&row| first.contains(self.documents[row]));
        [first, second]
    }
}

/// The stability of each number of themes in `tried` that both halves have segments for; `fit`
/// clusters rows into so many themes with a seed.
///
/// # Errors
/// What `fit` fails with; [`LabError::Data`] where there are too few segments for any.
pub(super) fn stabilities(
    tried: &[usize],
    training: &Training<'_>,
    seed: u64,
    fit: &Fit<'_>,
    progress: &dyn Fn(&str),
) -> Result<Vec<Resolution>> {
    let draws: Vec<[Vec<usize>; 2]> =
        (0..DRAWS).map(|draw| training.halves(seed.wrapping_add(draw))).collect();
    let least = draws.iter().flatten().map(Vec::len).min().unwrap_or(0);
    let mut found = Vec::new();
    for &themes in tried.iter().filter(|&&themes| themes <= least) {
        let mut sum = 0.0;
        for halves in &draws {
            let labels = |rows: &Vec<usize>| -> Result<Vec<u32>> {
                let model = fit(&training.vectors.select(Axis(0), rows), themes, seed)?;
                Ok(super::cluster::assign(&model, training.vectors))
            };
            let [first, second] = halves;
            sum += agreement::adjusted_mutual_information(&labels(first)?, &labels(second)?);
        }
        let stability = sum / DRAWS as f64;
        progress(&format!("{themes} themes: stability {stability:.3}"));
        found.push(Resolution { themes, stability });
    }
    if found.is_empty() {
        let segments = training.documents.len();
        let message = format!("{segments} training segments are too few to choose how many themes");
        return Err(LabError::Data(message));
    }
    Ok(found)
}

/// The number of themes that is most stable; among those as good, the largest.
pub(super) fn best(tried: &[Resolution]) -> Option<usize> {
    let most = tried.iter().map(|one| one.stability).fold(f64::NEG_INFINITY, f64::max);
    let good = tried.iter().filter(|one| one.stability >= most - TIE);
    good.map(|one| one.themes).max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Split,
        label::cluster::{k_means, matrix},
        synthetic::{WORDS, WordEmbedder},
    };

    /// Twelve documents of twelve segments, each segment of one made-up theme.
    fn segments() -> Vec<Segment> {
        let one = |number: usize| {
            let words = WORDS[number * 7 / 5 % 4];
            Segment {
                document: format!("d{}", number / 12),
                split: Split::Train,
                segment: number as u32 % 12,
                first_token: 0,
                end_token: 0,
                text: format!("{} {}", words.join(" "), words[number % 3]),
            }
        };
        (0..144).map(one).collect()
    }

    #[test]
    fn the_true_number_is_the_stable_one() {
        let segments = segments();
        let vectors = super::super::embed_segments(&WordEmbedder, &segments, &|_| {}).unwrap();
        let vectors = matrix(&vectors).unwrap();
        let places: Vec<usize> = (0..segments.len()).collect();
        let training = Training::new(&vectors, &segments, &places);
        let fit = |rows: &Array2<f32>, themes, seed| k_means(rows, themes, seed, 5);
        let said = std::cell::RefCell::new(Vec::new());
        let tell = |line: &str| said.borrow_mut().push(line.to_owned());
        let found = stabilities(&[3, 4, 6, 500], &training, 1, &fit, &tell).unwrap();
        assert_eq!(best(&found), Some(4), "{found:?}");
        assert!(found[1].stability > 0.999 && found[0].stability < 0.99, "{found:?}");
        assert_eq!(said.borrow().len(), 3, "500 themes are more than there are segments");
        let error = stabilities(&[500], &training, 1, &fit, &tell).unwrap_err().to_string();
        assert!(error.contains("144 training segments are too few"), "{error}");
    }

    #[test]
    fn halves_share_no_document_and_miss_none() {
        let segments = segments();
        let vectors = Array2::zeros((144, 1));
        let places: Vec<usize> = (0..144).collect();
        let training = Training::new(&vectors, &segments, &places);
        let [first, second] = training.halves(3);
        assert_eq!((first.len(), second.len()), (72, 72));
        let of = |rows: &[usize]| -> HashSet<&str> {
            rows.iter().map(|&row| training.documents[row]).collect()
        };
        assert!(of(&first).is_disjoint(&of(&second)));
        assert_ne!(training.halves(3)[0], training.halves(4)[0]);
    }

    #[test]
    fn ties_go_to_more_themes() {
        let of = |figures: &[(usize, f64)]| {
            let one = |&(themes, stability)| Resolution { themes, stability };
            best(&figures.iter().map(one).collect::<Vec<_>>())
        };
        assert_eq!(of(&[(8, 0.700), (12, 0.695), (16, 0.600)]), Some(12));
        assert_eq!(of(&[(8, 0.700), (12, 0.680)]), Some(8));
        assert_eq!(of(&[]), None);
    }
}
