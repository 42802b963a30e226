//! Multinomial logistic regression with an L2 penalty, by L-BFGS.

use crate::{LabError, Result};
use argmin::{
    core::{CostFunction, Error, Executor, Gradient, State},
    solver::{linesearch::MoreThuenteLineSearch, quasinewton::LBFGS},
};
use candle_core::{Device, Tensor};
use std::{cell::RefCell, ops::Range, sync::OnceLock};
use themecast_forecast::linear::softmax;

/// How many past steps L-BFGS remembers.
const MEMORY: usize = 10;
/// A mean loss that improves by less is as good as it gets, in nats.
const COST_TOLERANCE_NATS: f32 = 2e-6;
const GRADIENT_TOLERANCE: f32 = 1e-4;

/// A matrix of rows that several regressions share, *shape* `[rows, features]`, f32.
#[derive(Debug, Clone)]
pub(crate) struct Matrix {
    tensor: Tensor,
    transposed: OnceLock<Tensor>,
    pub(crate) rows: usize,
    pub(crate) features: usize,
}

impl Matrix {
    /// Takes row-major values.
    ///
    /// # Errors
    /// [`LabError::Fit`] where they are no whole number of rows.
    pub(crate) fn new(values: Vec<f32>, features: usize) -> Result<Self> {
        let rows = values.len() / features.max(1);
        let tensor = Tensor::from_vec(values, (rows, features), &Device::Cpu)?;
        Ok(Self { tensor, transposed: OnceLock::new(), rows, features })
    }

    /// The values, row-major.
    ///
    /// # Errors
    /// [`LabError::Fit`].
    pub(crate) fn values(&self) -> Result<Vec<f32>> {
        Ok(self.tensor.flatten_all()?.to_vec1()?)
    }

    /// Logits of every row, *shape* `[rows, classes]`, row-major.
    ///
    /// # Errors
    /// [`LabError::Fit`].
    pub(crate) fn logits(&self, weights: &Weights) -> Result<Vec<f32>> {
        let mut logits = self.product(&weights.values, weights.classes)?;
        let bias = &weights.values[self.features * weights.classes..];
        for row in logits.chunks_exact_mut(weights.classes) {
            row.iter_mut().zip(bias).for_each(|(logit, bias)| *logit += bias);
        }
        Ok(logits)
    }

    /// The rows' columns times `errors`, *shape* `[rows, classes]`: *shape* `[features, classes]`.
    /// The transpose is copied on first use: a product with a view of it takes four times as long.
    fn transposed_product(&self, errors: &Tensor) -> Result<Vec<f32>, candle_core::Error> {
        let transposed = match self.transposed.get() {
            Some(transposed) => transposed,
            None => {
                let copy = self.tensor.t()?.contiguous()?;
                self.transposed.get_or_init(|| copy)
            }
        };
        transposed.matmul(errors)?.flatten_all()?.to_vec1()
    }

    fn product(&self, values: &[f32], classes: usize) -> Result<Vec<f32>, candle_core::Error> {
        if self.rows == 0 {
            return Ok(Vec::new());
        }
        let shape = (self.features, classes);
        let weight = Tensor::from_slice(&values[..self.features * classes], shape, &Device::Cpu)?;
        self.tensor.matmul(&weight)?.flatten_all()?.to_vec1()
    }
}

/// A fitted regression: *shape* `[features, classes]` row-major, then `[classes]` biases.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Weights {
    pub(crate) values: Vec<f32>,
    pub(crate) classes: usize,
}

impl Weights {
    /// All zero: the start of a fit.
    pub(crate) fn zero(features: usize, classes: usize) -> Self {
        Self { values: vec![0.0; (features + 1) * classes], classes }
    }
}

/// One regression to fit.
pub(crate) struct Objective<'a> {
    /// The rows.
    pub(crate) rows: &'a Matrix,
    /// The class of each row; rows without one do not count.
    pub(crate) targets: &'a [Option<u32>],
    /// The penalty: `lambda / 2 · ‖weights‖²` is added to the mean loss; biases are free.
    pub(crate) lambda: f32,
    /// Columns whose weights stay zero.
    pub(crate) unused: &'a [Range<usize>],
}

impl Objective<'_> {
    /// Minimises from `start`, at most `steps` steps; where a line search fails the best point so
    /// far counts, and `start` where none is finite.
    ///
    /// # Errors
    /// [`LabError::Fit`] where a product of matrices fails.
    pub(crate) fn minimise(&self, start: Weights, steps: u64) -> Result<Weights> {
        let failed = |error: Error| LabError::Fit(format!("logistic regression: {error}"));
        let classes = start.classes;
        let problem = Problem { objective: self, classes, last: RefCell::new(None) };
        let search = MoreThuenteLineSearch::new().with_c(1e-4, 0.9).map_err(failed)?;
        let solver = LBFGS::new(search, MEMORY)
            .with_tolerance_grad(GRADIENT_TOLERANCE)
            .and_then(|solver| solver.with_tolerance_cost(COST_TOLERANCE_NATS))
            .map_err(failed)?;
        let fallback = start.clone();
        let outcome = Executor::new(problem, solver)
            .configure(|state| state.param(start.values).max_iters(steps))
            .timer(false)
            .run()
            .map_err(failed)?;
        let best = outcome.state.get_best_param().cloned();
        let values = best.filter(|values| values.iter().all(|value| value.is_finite()));
        Ok(values.map_or(fallback, |values| Weights { values, classes }))
    }

    /// Mean loss with penalty, and its gradient.
    fn evaluate(&self, values: &[f32], classes: usize) -> Result<(f32, Vec<f32>), Error> {
        let inner = self.rows.features * classes;
        let mut logits = self.rows.product(values, classes)?;
        let count = self.targets.iter().flatten().count().max(1) as f32;
        let mut loss = 0f64;
        let mut bias_gradient = vec![0f32; classes];
        for (row, target) in logits.chunks_exact_mut(classes).zip(self.targets) {
            let Some(target) = target else {
                row.fill(0.0);
                continue;
            };
            row.iter_mut().zip(&values[inner..]).for_each(|(logit, bias)| *logit += bias);
            softmax(row);
            loss -= f64::from(row[*target as usize].max(f32::MIN_POSITIVE).ln());
            row[*target as usize] -= 1.0;
            row.iter_mut().for_each(|value| *value /= count);
            bias_gradient.iter_mut().zip(&*row).for_each(|(sum, value)| *sum += value);
        }
        let errors = Tensor::from_vec(logits, (self.rows.rows, classes), &Device::Cpu)?;
        let mut gradient = self.rows.transposed_product(&errors)?;
        let mut square = 0f64;
        for (slope, weight) in gradient.iter_mut().zip(&values[..inner]) {
            *slope += self.lambda * weight;
            square += f64::from(weight * weight);
        }
        for columns in self.unused {
            gradient[columns.start * classes..columns.end * classes].fill(0.0);
        }
        gradient.extend(bias_gradient);
        let cost = loss / f64::from(count) + 0.5 * f64::from(self.lambda) * square;
        Ok((cost as f32, gradient))
    }
}

/// Cost and gradient are asked for one after the other at the same point: computed once.
struct Problem<'a> {
    objective: &'a Objective<'a>,
    classes: usize,
    last: RefCell<Option<Evaluated>>,
}

struct Evaluated {
    at: Vec<f32>,
    cost: f32,
    gradient: Vec<f32>,
}

impl Problem<'_> {
    fn at<T>(&self, values: &[f32], of: impl Fn(&Evaluated) -> T) -> Result<T, Error> {
        let mut last = self.last.borrow_mut();
        match last.as_ref().filter(|evaluated| evaluated.at == values) {
            Some(evaluated) => Ok(of(evaluated)),
            None => {
                let (cost, gradient) = self.objective.evaluate(values, self.classes)?;
                Ok(of(last.insert(Evaluated { at: values.to_vec(), cost, gradient })))
            }
        }
    }
}

impl CostFunction for Problem<'_> {
    type Param = Vec<f32>;
    type Output = f32;

    fn cost(&self, values: &Vec<f32>) -> Result<f32, Error> {
        self.at(values, |evaluated| evaluated.cost)
    }
}

impl Gradient for Problem<'_> {
    type Param = Vec<f32>;
    type Gradient = Vec<f32>;

    fn gradient(&self, values: &Vec<f32>) -> Result<Vec<f32>, Error> {
        self.at(values, |evaluated| evaluated.gradient.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gradient_is_that_of_the_cost() {
        let rows = Matrix::new((0..40).map(|x| ((x * 7) % 11) as f32 / 11.0).collect(), 4).unwrap();
        let targets: Vec<_> = (0..10).map(|x| (x != 3).then_some(x % 3)).collect();
        let objective = Objective { rows: &rows, targets: &targets, lambda: 0.1, unused: &[] };
        let at: Vec<f32> = (0..15).map(|x| (x as f32 - 7.0) / 10.0).collect();
        let (_, gradient) = objective.evaluate(&at, 3).unwrap();
        for place in 0..15 {
            let cost = |step: f32| {
                let mut moved = at.clone();
                moved[place] += step;
                objective.evaluate(&moved, 3).unwrap().0
            };
            let slope = (cost(0.01) - cost(-0.01)) / 0.02;
            assert!((slope - gradient[place]).abs() < 1e-3, "{place}: {slope} {gradient:?}");
        }
    }

    #[test]
    fn a_fit_separates_what_is_separable_and_leaves_unused_columns_alone() {
        let values: Vec<f32> =
            (0..90).flat_map(|x| [(x % 3) as f32, ((x % 3) as f32 - 1.0).abs(), 1.0]).collect();
        let rows = Matrix::new(values, 3).unwrap();
        let targets: Vec<_> = (0..90).map(|x| Some(x % 3)).collect();
        let objective = Objective {
            rows: &rows,
            targets: &targets,
            lambda: 1e-3,
            unused: std::slice::from_ref(&(2..3)),
        };
        let weights = objective.minimise(Weights::zero(3, 3), 200).unwrap();
        assert_eq!(weights.values[6..9], [0.0; 3]);
        for (row, target) in rows.logits(&weights).unwrap().chunks(3).zip(&targets) {
            let best = (0..3).max_by(|&a, &b| row[a].total_cmp(&row[b])).map(|best| best as u32);
            assert_eq!(best, *target, "{row:?}");
        }
    }

    #[test]
    fn the_intercept_alone_finds_the_shares() {
        let rows = Matrix::new(vec![0.0; 10], 1).unwrap();
        let targets: Vec<_> = (0..10).map(|x| Some(u32::from(x < 3))).collect();
        let objective = Objective { rows: &rows, targets: &targets, lambda: 0.1, unused: &[] };
        let weights = objective.minimise(Weights::zero(1, 2), 100).unwrap();
        let mut logits = rows.logits(&weights).unwrap();
        softmax(&mut logits[..2]);
        assert!((logits[1] - 0.3).abs() < 1e-3, "{logits:?}");
    }
}
