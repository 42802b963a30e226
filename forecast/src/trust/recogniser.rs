//! A distance that knows which directions vary together: Mahalanobis with a low-rank covariance.

use crate::{bundle::BundleError, dense::product};
use serde::{Deserialize, Serialize};
use themecast_plugin_api::Site;

/// How the names of its tensors start.
pub(crate) const PREFIX: &str = "trust.";

/// What the card says of the recogniser.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecogniserCard {
    /// Where the residual of the prompt's end is read.
    pub site: Site,
    /// How many directions have a variance of their own.
    pub rank: usize,
    /// The variance of every other direction, in standardised units.
    pub rest: f32,
    /// The median distance of prompts that nothing was fitted on.
    pub median_distance: f32,
    /// The 99th percentile of that distance.
    pub distance_quantile_99: f32,
}

/// Tells prompts unlike those of training by the residual at their end.
///
/// *Source* Mahalanobis 1936; Lee et al. 2018 for the use; probabilistic principal components
/// (Tipping and Bishop 1999) for the covariance: `rank` leading directions, the rest a sphere.
#[derive(Debug, Clone, PartialEq)]
pub struct Recogniser {
    /// Sizes and quantiles.
    pub card: RecogniserCard,
    /// *Shape* `[hidden]`.
    pub mean: Vec<f32>,
    /// One over the standard deviations, *shape* `[hidden]`.
    pub inverse_std: Vec<f32>,
    /// `B` with `BᵀB = D (1/rest − C⁻¹) Dᵀ`, where `D` are the leading directions and `C` their
    /// covariance, *shape* `[rank, hidden]`.
    pub basis: Vec<f32>,
}

/// The distance that is told of a residual whose own can't be computed, in deviations a dimension.
const FARTHEST: f32 = 1e6;

impl Recogniser {
    /// The distance of `residual`, *shape* `[hidden]`, in deviations a dimension: `√(d²/hidden)`.
    pub fn distance(&self, residual: &[f32]) -> f32 {
        let scaled = residual.iter().zip(&self.mean).zip(&self.inverse_std);
        let scaled: Vec<f32> = scaled.map(|((x, mean), inverse)| (x - mean) * inverse).collect();
        let square = |values: &[f32]| values.iter().map(|x| x * x).sum::<f32>();
        let known = square(&product(&self.basis, &scaled));
        let distance = square(&scaled) / self.card.rest - known;
        if !distance.is_finite() {
            return FARTHEST; // its square is no f32
        }
        (distance.max(0.0) / residual.len() as f32).sqrt()
    }

    /// How much a distance is in distribution, as [`super::in_distribution`].
    pub fn in_distribution(&self, distance: f32) -> f32 {
        let RecogniserCard { median_distance, distance_quantile_99, .. } = self.card;
        super::in_distribution(distance, (median_distance, distance_quantile_99))
    }

    /// Whether a distance lies beyond the 99th percentile of prompts like those of training.
    pub fn is_out(&self, distance: f32) -> bool {
        distance > self.card.distance_quantile_99
    }

    /// Its tensors: name, shape, values.
    pub(crate) fn write(&self) -> [(String, Vec<usize>, &[f32]); 3] {
        let hidden = self.mean.len();
        let named = |name: &str| format!("{PREFIX}{name}");
        [
            (named("mean"), vec![hidden], &self.mean),
            (named("inverse_std"), vec![hidden], &self.inverse_std),
            (named("basis"), vec![self.card.rank, hidden], &self.basis),
        ]
    }

    /// Reads the recogniser that `card` describes; `tensor` gives the values of a name and shape.
    ///
    /// # Errors
    /// [`BundleError::Value`] where the card's numbers can't be; what `tensor` says.
    pub(crate) fn read(
        card: &RecogniserCard,
        hidden: usize,
        tensor: impl Fn(String, &[usize]) -> Result<Vec<f32>, BundleError>,
    ) -> Result<Self, BundleError> {
        let (median, far) = (card.median_distance, card.distance_quantile_99);
        let positive = [card.rest, median, far].iter().all(|x| x.is_finite() && *x > 0.0);
        if !positive || median > far || !(1..=hidden).contains(&card.rank) {
            return Err(BundleError::Value(format!(
                "trust: rank {}, rest {}, distances {median} and {far}: want 1 to {hidden} \
                 directions, numbers above 0 and the median below the 99th percentile",
                card.rank, card.rest
            )));
        }
        let get = |name: &str, shape: &[usize]| tensor(format!("{PREFIX}{name}"), shape);
        Ok(Self {
            card: card.clone(),
            mean: get("mean", &[hidden])?,
            inverse_std: get("inverse_std", &[hidden])?,
            basis: get("basis", &[card.rank, hidden])?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recogniser() -> Recogniser {
        // Standardised variances 4 along the first axis, 0.25 along the second.
        let card = RecogniserCard {
            site: Site::LayerIn(1),
            rank: 1,
            rest: 0.25,
            median_distance: 1.0,
            distance_quantile_99: 2.0,
        };
        let factor = (1.0f32 / 0.25 - 1.0 / 4.0).sqrt();
        let basis = vec![factor, 0.0];
        Recogniser { card, mean: vec![1.0, 1.0], inverse_std: vec![0.5, 1.0], basis }
    }

    #[test]
    fn a_direction_that_varies_much_counts_little() {
        let recogniser = recogniser();
        // (5 − 1) / 2 = 2 deviations of variance 4: 2² / 4 = 1, over two dimensions.
        assert!((recogniser.distance(&[5.0, 1.0]) - 0.5f32.sqrt()).abs() < 1e-5);
        // 2 along the other: 2² / 0.25 = 16.
        assert!((recogniser.distance(&[1.0, 3.0]) - 8f32.sqrt()).abs() < 1e-5);
        assert!(recogniser.is_out(2.5) && !recogniser.is_out(2.0));
        assert_eq!(recogniser.in_distribution(2.0), 0.5);
        let far = recogniser.distance(&[f32::MAX, 1.0]);
        assert!(far.is_finite() && recogniser.is_out(far), "{far}");
    }

    #[test]
    fn it_comes_back_from_its_tensors_and_impossible_cards_are_refused() {
        let own = recogniser();
        let tensors = own.write();
        let get = |name: String, shape: &[usize]| {
            let found = tensors.iter().find(|(of, ..)| *of == name).unwrap();
            assert_eq!(found.1, shape);
            Ok(found.2.to_vec())
        };
        assert_eq!(Recogniser::read(&own.card, 2, get).unwrap(), own);
        let card = RecogniserCard { rest: 0.0, ..own.card.clone() };
        let error = Recogniser::read(&card, 2, get).unwrap_err().to_string();
        assert!(error.contains("rest 0"), "{error}");
    }
}
