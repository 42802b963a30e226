//! Solving symmetric positive definite systems by a blocked Cholesky decomposition.
//!
//! `linfa-linalg` has one too, without blocks: its scalar loops take many times as long at the
//! 1,732 features of a row, and a training solves about a hundred such systems.

use super::blocks::{block, block_mut, part};
use crate::{LabError, Result};
use ndarray::{Array2, ArrayView1, ArrayView2, ArrayViewMut2, Axis, linalg::general_mat_mul};
use std::ops::Range;

const BLOCK: usize = 64;

/// A lower triangle `L` with `L Lᵀ = A`.
pub(crate) struct Cholesky(Array2<f64>);

impl Cholesky {
    /// Decomposes `matrix`, of which it reads the lower triangle.
    ///
    /// *Source* Golub and Van Loan 2013, 4.2.9 (right-looking, by blocks).
    ///
    /// # Errors
    /// [`LabError::Fit`] where it is not positive definite.
    pub(crate) fn new(mut matrix: Array2<f64>) -> Result<Self> {
        let size = matrix.nrows();
        for start in (0..size).step_by(BLOCK) {
            let end = (start + BLOCK).min(size);
            corner(block_mut(matrix.view_mut(), start..end, start..end))?;
            let (top, bottom) = matrix.view_mut().split_at(Axis(0), end);
            let (panel, mut rest) = bottom.split_at(Axis(1), end);
            let mut panel = block_mut(panel, 0..size - end, start..end);
            under(block(top.view(), start..end, start..end), &mut panel);
            // The lower triangle of what is left, a strip of columns at a time.
            for column in (0..size - end).step_by(4 * BLOCK) {
                let until = (column + 4 * BLOCK).min(size - end);
                let mut strip = block_mut(rest.view_mut(), column..size - end, column..until);
                let all = block(panel.view(), column..size - end, 0..end - start);
                let of = block(panel.view(), column..until, 0..end - start);
                general_mat_mul(-1.0, &all, &of.t(), 1.0, &mut strip);
            }
        }
        Ok(Self(matrix))
    }

    /// The triangle, with zeros above it.
    pub(crate) fn lower(&self) -> Array2<f64> {
        let keep = |(row, column): (usize, usize)| {
            if column <= row { self.0[[row, column]] } else { 0.0 }
        };
        Array2::from_shape_fn(self.0.dim(), keep)
    }

    /// The solution `X` of `A X = right`, in place.
    pub(crate) fn solve(&self, right: &mut Array2<f64>) {
        let (size, columns) = right.dim();
        let starts: Vec<usize> = (0..size).step_by(BLOCK).collect();
        for &start in &starts {
            let end = (start + BLOCK).min(size);
            let (upper, mut lower) = right.view_mut().split_at(Axis(0), end);
            let mut solved = block_mut(upper, start..end, 0..columns);
            for row in start..end {
                let known = part(self.0.row(row), start..row);
                self.eliminate(row, known, &mut solved, (0..row - start, row - start));
            }
            let below = block(self.0.view(), end..size, start..end);
            general_mat_mul(-1.0, &below, &solved, 1.0, &mut lower);
        }
        for &start in starts.iter().rev() {
            let end = (start + BLOCK).min(size);
            let (upper, lower) = right.view_mut().split_at(Axis(0), end);
            let mut solved = block_mut(upper, start..end, 0..columns);
            let below = block(self.0.view(), end..size, start..end);
            general_mat_mul(-1.0, &below.t(), &lower, 1.0, &mut solved);
            for row in (start..end).rev() {
                let known = part(self.0.column(row), row + 1..end);
                self.eliminate(
                    row,
                    known,
                    &mut solved,
                    (row + 1 - start..end - start, row - start),
                );
            }
        }
    }

    /// Solves for row `at` of `block`, of whose rows `done` are solved already, with the weights
    /// `known`.
    fn eliminate(
        &self,
        row: usize,
        known: ArrayView1<'_, f64>,
        solved: &mut ArrayViewMut2<'_, f64>,
        (done, at): (Range<usize>, usize),
    ) {
        let columns = solved.ncols();
        let sum = known.dot(&block(solved.view(), done, 0..columns));
        let mut target = solved.row_mut(at);
        target -= &sum;
        target /= self.0[[row, row]];
    }
}

/// Decomposes a block on the diagonal.
fn corner(mut block: ArrayViewMut2<'_, f64>) -> Result<()> {
    for column in 0..block.nrows() {
        for row in column..block.nrows() {
            let done = part(block.row(row), 0..column).dot(&part(block.row(column), 0..column));
            let value = block[[row, column]] - done;
            block[[row, column]] = if row > column {
                value / block[[column, column]]
            } else if value > 0.0 {
                value.sqrt()
            } else {
                return Err(LabError::Fit("a ridge's matrix is not positive definite".into()));
            };
        }
    }
    Ok(())
}

/// The rows under a block on the diagonal: `panel ← panel · corner⁻ᵀ`.
fn under(corner: ArrayView2<'_, f64>, panel: &mut ArrayViewMut2<'_, f64>) {
    for mut row in panel.rows_mut() {
        for column in 0..corner.nrows() {
            let done = part(row.view(), 0..column).dot(&part(corner.row(column), 0..column));
            row[column] = (row[column] - done) / corner[[column, column]];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solutions_solve_whatever_the_number_of_blocks() {
        for size in [1, 5, 64, 65, 300, 401] {
            let wave = |(row, column): (usize, usize)| ((row * 31 + column * 17) as f64).sin();
            let root = Array2::from_shape_fn((size, size), wave);
            let matrix = root.dot(&root.t()) + Array2::<f64>::eye(size) * 3.0;
            let wanted = Array2::from_shape_fn((size, 3), |at| wave(at) * 2.0);
            let mut found = matrix.dot(&wanted);
            Cholesky::new(matrix).unwrap().solve(&mut found);
            let worst = (&found - &wanted).iter().fold(0.0f64, |worst, x| worst.max(x.abs()));
            assert!(worst < 1e-8, "{size}: {worst}");
        }
    }

    #[test]
    fn what_is_not_positive_definite_is_refused() {
        let matrix = ndarray::arr2(&[[1.0, 2.0], [2.0, 1.0]]);
        assert!(Cholesky::new(matrix).is_err());
    }
}
