//! Second moments of training rows, and the linear systems that both methods solve.

use crate::{LabError, Result, eval::ood::cholesky, train::logistic::Weights};
use candle_core::{Device, Tensor};

/// What the methods need of the training rows; rows without a class do not count.
pub(crate) struct Gram {
    width: usize,
    classes: usize,
    rows: f64,
    mean: Vec<f64>,
    /// Share and mean of each class.
    shares: Vec<f64>,
    means: Vec<Vec<f64>>,
    /// Covariance of all rows, row-major.
    covariance: Vec<f64>,
}

impl Gram {
    /// Sums up row-major `values` of `width` columns.
    ///
    /// # Errors
    /// [`LabError::Data`] where no row has a class; [`LabError::Fit`].
    pub(crate) fn new(
        values: &[f32],
        width: usize,
        targets: &[Option<u32>],
        classes: usize,
    ) -> Result<Self> {
        let known = || {
            values
                .chunks_exact(width)
                .zip(targets)
                .filter_map(|(row, class)| class.map(|class| (row, class as usize)))
        };
        let rows = known().count() as f64;
        if rows == 0.0 {
            return Err(LabError::data("no training row has a theme"));
        }
        let mut mean = vec![0f64; width];
        let (mut shares, mut means) = (vec![0f64; classes], vec![vec![0f64; width]; classes]);
        for (row, class) in known() {
            shares[class] += 1.0;
            means[class].iter_mut().zip(row).for_each(|(sum, &x)| *sum += f64::from(x));
        }
        for class in &means {
            mean.iter_mut().zip(class).for_each(|(sum, x)| *sum += x / rows);
        }
        for (class, count) in means.iter_mut().zip(&shares) {
            class.iter_mut().for_each(|sum| *sum /= count.max(1.0));
        }
        shares.iter_mut().for_each(|count| *count /= rows);
        let centred: Vec<f32> = known()
            .flat_map(|(row, _)| row.iter().zip(&mean).map(|(x, mean)| x - *mean as f32))
            .collect();
        let centred = Tensor::from_vec(centred, (rows as usize, width), &Device::Cpu)?;
        let products: Vec<f32> = centred.t()?.matmul(&centred)?.flatten_all()?.to_vec1()?;
        let covariance = products.into_iter().map(|x| f64::from(x) / rows).collect();
        Ok(Self { width, classes, rows, mean, shares, means, covariance })
    }

    /// Linear discriminants with the pooled covariance shrunk by `share` towards a sphere.
    ///
    /// # Errors
    /// [`LabError::Fit`].
    pub(crate) fn lda(&self, share: f64) -> Result<Weights> {
        // Within the classes: all, less what lies between their means.
        let mut within = self.covariance.clone();
        for (class, weight) in self.means.iter().zip(&self.shares).filter(|one| *one.1 > 0.0) {
            let offset: Vec<f64> = class.iter().zip(&self.mean).map(|(a, b)| a - b).collect();
            for (row, x) in offset.iter().enumerate() {
                let line = &mut within[row * self.width..(row + 1) * self.width];
                line.iter_mut().zip(&offset).for_each(|(sum, y)| *sum -= weight * x * y);
            }
        }
        let trace: f64 = (0..self.width).map(|at| within[at * self.width + at]).sum();
        within.iter_mut().for_each(|x| *x *= 1.0 - share);
        self.add_diagonal(&mut within, share * trace / self.width as f64);
        let factor = cholesky(within, self.width)?;
        let mut weights = Weights::zero(self.width, self.classes);
        for class in 0..self.classes {
            let direction = solve(&factor, &self.means[class]);
            let square: f64 = direction.iter().zip(&self.means[class]).map(|(a, b)| a * b).sum();
            // A class that never came keeps a little.
            let share = self.shares[class].max(0.1 / self.rows);
            self.put(&mut weights, class, (&direction, share.ln() - 0.5 * square));
        }
        Ok(weights)
    }

    /// Ridge regression to one-hot classes; `ridge` is relative to a column's mean variance.
    ///
    /// # Errors
    /// [`LabError::Fit`].
    pub(crate) fn ridge(&self, ridge: f64) -> Result<Weights> {
        let mut system = self.covariance.clone();
        let trace: f64 = (0..self.width).map(|at| system[at * self.width + at]).sum();
        self.add_diagonal(&mut system, ridge * trace / self.width as f64);
        let factor = cholesky(system, self.width)?;
        let mut weights = Weights::zero(self.width, self.classes);
        for class in 0..self.classes {
            let share = self.shares[class];
            let offset = self.means[class].iter().zip(&self.mean);
            let covariance: Vec<f64> = offset.map(|(a, b)| share * (a - b)).collect();
            let direction = solve(&factor, &covariance);
            let at_mean: f64 = direction.iter().zip(&self.mean).map(|(a, b)| a * b).sum();
            self.put(&mut weights, class, (&direction, share - at_mean));
        }
        Ok(weights)
    }

    fn add_diagonal(&self, matrix: &mut [f64], value: f64) {
        for at in 0..self.width {
            matrix[at * self.width + at] += value.max(1e-9);
        }
    }

    fn put(&self, weights: &mut Weights, class: usize, (direction, bias): (&[f64], f64)) {
        for (feature, x) in direction.iter().enumerate() {
            weights.values[feature * self.classes + class] = *x as f32;
        }
        weights.values[self.width * self.classes + class] = bias as f32;
    }
}

/// Solves `L Lᵀ x = b`.
fn solve(factor: &[f64], b: &[f64]) -> Vec<f64> {
    let width = b.len();
    let mut x = b.to_vec();
    for row in 0..width {
        let line = &factor[row * width..row * width + row];
        let known: f64 = line.iter().zip(&x).map(|(l, x)| l * x).sum();
        x[row] = (x[row] - known) / factor[row * width + row];
    }
    for row in (0..width).rev() {
        x[row] /= factor[row * width + row];
        let found = x[row];
        let line = &factor[row * width..row * width + row];
        x[..row].iter_mut().zip(line).for_each(|(x, l)| *x -= l * found);
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_solution_solves() {
        let factor = cholesky(vec![4.0, 2.0, 2.0, 3.0], 2).unwrap();
        let x = solve(&factor, &[2.0, 5.0]);
        assert!((4.0 * x[0] + 2.0 * x[1] - 2.0).abs() < 1e-12, "{x:?}");
        assert!((2.0 * x[0] + 3.0 * x[1] - 5.0).abs() < 1e-12, "{x:?}");
    }
}
