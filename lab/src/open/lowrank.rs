//! Few numbers between features and embeddings: regressions of reduced rank.

use super::{blocks::block, cholesky::Cholesky, ridge::Ridge};
use crate::Result;
use ndarray::{Array2, Axis, concatenate};
use rand_xoshiro::{
    Xoshiro256PlusPlus,
    rand_core::{RngCore, SeedableRng},
};

/// Rounds of subspace iteration; the spectrum falls fast.
const ROUNDS: usize = 12;

/// The two factors that keep the most of what `ridges` forecast over rows with `covariance`:
/// `project`, *shape* `[rank, features]`, whose outputs have unit covariance, and `expand`,
/// *shape* `[ridges × outputs, rank]`.
///
/// *Source* Izenman 1975 (reduced-rank regression), with the forecasts' own covariance.
///
/// # Errors
/// [`crate::LabError::Fit`] where the forecasts have fewer dimensions than `rank`.
pub(super) fn reduce(
    ridges: &[Ridge],
    covariance: &Array2<f64>,
    rank: usize,
) -> Result<(Array2<f32>, Array2<f32>)> {
    let weights: Vec<_> = ridges.iter().map(|ridge| ridge.weight.view()).collect();
    let weight = concatenate(Axis(1), &weights)
        .map_err(|error| crate::LabError::Fit(error.to_string()))?
        .mapv(f64::from);
    let forecasts = weight.t().dot(&covariance.dot(&weight));
    let rank = rank.min(forecasts.nrows()).min(weight.nrows());
    let basis = leading(&forecasts, rank);
    let inner = Cholesky::new(basis.t().dot(&forecasts).dot(&basis))?;
    let lower = inner.lower();
    let mut project = basis.t().dot(&weight.t());
    inner.solve(&mut project);
    let narrow = |value: f64| value as f32;
    Ok((lower.t().dot(&project).mapv(narrow), basis.dot(&lower).mapv(narrow)))
}

/// An orthonormal basis of the `rank` leading directions of a symmetric matrix, as columns.
pub(crate) fn leading(matrix: &Array2<f64>, rank: usize) -> Array2<f64> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
    let spare = (rank + 16).min(matrix.nrows());
    let draw = || (random.next_u64() >> 11) as f64 / (1u64 << 53) as f64 - 0.5;
    let mut basis = Array2::from_shape_simple_fn((matrix.nrows(), spare), draw);
    for _ in 0..ROUNDS {
        basis = matrix.dot(&basis);
        orthonormalise(&mut basis);
    }
    block(basis.view(), 0..matrix.nrows(), 0..rank).to_owned()
}

/// Gram and Schmidt, twice, so that rounding does not matter.
fn orthonormalise(basis: &mut Array2<f64>) {
    for column in 0..basis.ncols() {
        for _ in 0..2 {
            let (done, mut rest) = basis.view_mut().split_at(Axis(1), column);
            let mut one = rest.column_mut(0);
            let shares = done.t().dot(&one);
            one -= &done.dot(&shares);
            let norm = one.dot(&one).sqrt();
            one.mapv_inplace(|x| x / norm.max(f64::MIN_POSITIVE));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array1;

    #[test]
    fn what_has_a_low_rank_is_kept_whole_and_its_latents_are_white() {
        let wave = |seed: f64| {
            move |(row, column): (usize, usize)| {
                ((row as f64 * 12.9 + column as f64 * 78.2 + seed).sin() * 43758.5).fract()
            }
        };
        let x = Array2::from_shape_fn((400, 20), wave(0.3));
        let weight = Array2::from_shape_fn((20, 3), wave(1.1))
            .dot(&Array2::from_shape_fn((3, 12), wave(2.2)));
        let ridge = |range: std::ops::Range<usize>| Ridge {
            weight: block(weight.view(), 0..20, range).mapv(|x| x as f32),
            bias: Array1::zeros(6),
        };
        let covariance = x.t().dot(&x) / 400.0;
        let (project, expand) = reduce(&[ridge(0..6), ridge(6..12)], &covariance, 3).unwrap();
        let latents = x.dot(&project.mapv(f64::from).t());
        let white = latents.t().dot(&latents) / 400.0 - Array2::<f64>::eye(3);
        assert!(white.iter().all(|x| x.abs() < 1e-4), "{white}");
        let error = latents.dot(&expand.mapv(f64::from).t()) - x.dot(&weight);
        assert!(error.iter().all(|x| x.abs() < 1e-4));
    }
}
