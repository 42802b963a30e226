//! Ridge regression in closed form, from sums over rows.

use super::cholesky::Cholesky;
use crate::Result;
use ndarray::{Array1, Array2, ArrayView2, Axis};
use rayon::prelude::*;

/// Rows that are multiplied at a time.
const CHUNK: usize = 1024;

/// Sums over pairs of a row and a target, all that a ridge regression needs to know of them.
#[derive(Debug, Clone)]
pub(super) struct Moments {
    count: f64,
    rows: Array1<f64>,
    targets: Array1<f64>,
    /// *Shape* `[features, features]`.
    gram: Array2<f64>,
    /// *Shape* `[features, outputs]`.
    cross: Array2<f64>,
}

/// `bias + weightᵀ · row`.
#[derive(Debug, Clone)]
pub(super) struct Ridge {
    /// *Shape* `[features, outputs]`.
    pub(super) weight: Array2<f32>,
    /// *Shape* `[outputs]`.
    pub(super) bias: Array1<f32>,
}

impl Moments {
    /// The sums over those rows that `pairs` names, each with the place of its target.
    pub(super) fn of(
        rows: ArrayView2<'_, f32>,
        targets: ArrayView2<'_, f32>,
        pairs: &[(usize, usize)],
    ) -> Self {
        let zero = || Self::zero(rows.ncols(), targets.ncols());
        let chunk = |pairs: &[(usize, usize)]| {
            let (from, to): (Vec<usize>, Vec<usize>) = pairs.iter().copied().unzip();
            let x = rows.select(Axis(0), &from);
            let y = targets.select(Axis(0), &to);
            let wide = |sums: Array2<f32>| sums.mapv(f64::from);
            Self {
                count: pairs.len() as f64,
                rows: x.sum_axis(Axis(0)).mapv(f64::from),
                targets: y.sum_axis(Axis(0)).mapv(f64::from),
                gram: wide(x.t().dot(&x)),
                cross: wide(x.t().dot(&y)),
            }
        };
        pairs.par_chunks(CHUNK).map(chunk).reduce(zero, |mut sum, part| {
            sum.add(&part, 1.0);
            sum
        })
    }

    fn zero(features: usize, outputs: usize) -> Self {
        Self {
            count: 0.0,
            rows: Array1::zeros(features),
            targets: Array1::zeros(outputs),
            gram: Array2::zeros((features, features)),
            cross: Array2::zeros((features, outputs)),
        }
    }

    fn add(&mut self, other: &Self, sign: f64) {
        self.count += sign * other.count;
        self.rows.scaled_add(sign, &other.rows);
        self.targets.scaled_add(sign, &other.targets);
        self.gram.scaled_add(sign, &other.gram);
        self.cross.scaled_add(sign, &other.cross);
    }

    /// These sums without those of `other`, which are part of them.
    pub(super) fn without(&self, other: &Self) -> Self {
        let mut rest = self.clone();
        rest.add(other, -1.0);
        rest
    }

    /// The same for some of the outputs.
    pub(super) fn select(&self, outputs: &[usize]) -> Self {
        Self {
            targets: self.targets.select(Axis(0), outputs),
            cross: self.cross.select(Axis(1), outputs),
            ..self.clone()
        }
    }

    /// Mean and deviation of what `ridge` forecasts for these rows.
    pub(super) fn forecasts(&self, ridge: &Ridge) -> (Array1<f32>, Array1<f32>) {
        let (mean, covariance) = self.covariance();
        let weight = ridge.weight.mapv(f64::from);
        let spread = &covariance.dot(&weight) * &weight;
        let means = mean.dot(&weight).mapv(|x| x as f32) + &ridge.bias;
        (means, spread.sum_axis(Axis(0)).mapv(|variance| variance.max(0.0).sqrt() as f32))
    }

    /// How many pairs there are.
    pub(super) fn count(&self) -> usize {
        self.count as usize
    }

    /// The mean row and the covariance of rows, *shape* `[features, features]`.
    pub(super) fn covariance(&self) -> (Array1<f64>, Array2<f64>) {
        let mean = &self.rows / self.count.max(1.0);
        let mut covariance = &self.gram / self.count.max(1.0);
        let column = mean.view().insert_axis(Axis(1));
        covariance -= &column.dot(&column.t());
        (mean, covariance)
    }

    /// The regression with the least mean squared error plus `lambda` times the squared weights;
    /// means are not penalised.
    ///
    /// # Errors
    /// [`crate::LabError::Fit`] where `lambda` is too small for rows that depend on each other.
    pub(super) fn solve(&self, lambda: f64) -> Result<Ridge> {
        let count = self.count.max(1.0);
        let (mean_row, mut matrix) = self.covariance();
        matrix.diag_mut().mapv_inplace(|value| value + lambda);
        let mean_target = &self.targets / count;
        let mut weight = &self.cross / count;
        let (column, row) =
            (mean_row.view().insert_axis(Axis(1)), mean_target.view().insert_axis(Axis(0)));
        weight -= &column.dot(&row);
        Cholesky::new(matrix)?.solve(&mut weight);
        let bias = mean_target - mean_row.dot(&weight);
        let narrow = |value: f64| value as f32;
        Ok(Ridge { weight: weight.mapv(narrow), bias: bias.mapv(narrow) })
    }
}

impl Ridge {
    /// The forecasts for `rows`, *shape* `[rows, outputs]`.
    pub(super) fn predict(&self, rows: ArrayView2<'_, f32>) -> Array2<f32> {
        rows.dot(&self.weight) + &self.bias
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made_up(rows: usize) -> (Array2<f32>, Array2<f32>) {
        let wave = |seed: usize| {
            move |(row, column): (usize, usize)| {
                ((row * 37 + column * 101 + seed) as f32 * 1.7).sin()
            }
        };
        let x = Array2::from_shape_fn((rows, 6), wave(1));
        let y = x.dot(&Array2::from_shape_fn((6, 2), wave(5))) + 0.75;
        (x, y)
    }

    #[test]
    fn an_affine_map_is_found_again_and_a_penalty_shrinks_it() {
        let (x, y) = made_up(1500);
        let pairs: Vec<_> = (0..1500).map(|row| (row, row)).collect();
        let moments = Moments::of(x.view(), y.view(), &pairs);
        let found = moments.solve(1e-9).unwrap();
        let worst = (found.predict(x.view()) - &y).iter().fold(0f32, |w, d| w.max(d.abs()));
        assert!(worst < 1e-3, "{worst}");
        let shrunk = moments.solve(1.0).unwrap();
        let size = |ridge: &Ridge| ridge.weight.iter().map(|w| w * w).sum::<f32>();
        assert!(size(&shrunk) < 0.5 * size(&found));
    }

    #[test]
    fn sums_without_some_rows_are_the_sums_of_the_others() {
        let (x, y) = made_up(60);
        let all: Vec<_> = (0..60).map(|row| (row, row)).collect();
        let of = |pairs: &[(usize, usize)]| Moments::of(x.view(), y.view(), pairs);
        let (rest, direct) = (of(&all).without(&of(&all[..20])), of(&all[20..]));
        assert_eq!(rest.count(), 40);
        let (a, b) = (rest.solve(0.1).unwrap(), direct.solve(0.1).unwrap());
        assert!((a.weight - b.weight).iter().all(|d| d.abs() < 1e-4));
    }
}
