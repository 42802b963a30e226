//! The ways to fit one head, behind one trait: by gradients, or in closed form.

use super::{
    head::{self, Head, Sample},
    logistic::Weights,
};
use crate::{
    Result,
    closed_form::{self, Gram, Method},
};
use serde::Serialize;
use std::ops::Range;

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fitting {
    /// Penalised softmax regression by L-BFGS.
    Gradient,
    /// Linear discriminants of one shrunk covariance: one linear solve.
    /// *Source* Friedman 1989 (regularised discriminant analysis).
    ClosedForm,
}

/// A way to fit one head on scaled rows.
pub(crate) trait FitHead: Sync {
    /// Fits on `train`; strength and temperature are chosen on `validation`. Weights of the columns
    /// `unused` stay zero.
    ///
    /// # Errors
    /// [`crate::LabError::Fit`].
    fn fit(
        &self,
        train: Sample<'_>,
        validation: Sample<'_>,
        classes: usize,
        unused: &[Range<usize>],
    ) -> Result<Head>;

    /// Fits on `train` again with the strength that `found` has.
    ///
    /// # Errors
    /// [`crate::LabError::Fit`].
    fn again(&self, train: Sample<'_>, found: &Head, unused: &[Range<usize>]) -> Result<Weights>;

    /// The temperature with which `weights` lose least on `validation`.
    ///
    /// # Errors
    /// [`crate::LabError::Fit`].
    fn temperature(&self, validation: Sample<'_>, weights: &Weights) -> Result<f32>;
}

impl Fitting {
    /// What fits so, with at most `steps` optimiser steps.
    pub(crate) fn fitter(self, steps: u64) -> Box<dyn FitHead> {
        match self {
            Self::Gradient => Box::new(Gradient { steps }),
            Self::ClosedForm => Box::new(Discriminants),
        }
    }
}

struct Gradient {
    steps: u64,
}

impl FitHead for Gradient {
    fn fit(
        &self,
        train: Sample<'_>,
        validation: Sample<'_>,
        classes: usize,
        unused: &[Range<usize>],
    ) -> Result<Head> {
        head::fit(train, validation, classes, unused, self.steps)
    }

    fn again(&self, train: Sample<'_>, found: &Head, unused: &[Range<usize>]) -> Result<Weights> {
        let start = Weights::zero(train.rows.features, found.weights.classes);
        head::fit_at(train, found.lambda, unused, start, self.steps)
    }

    fn temperature(&self, validation: Sample<'_>, weights: &Weights) -> Result<f32> {
        head::temperature(validation, weights)
    }
}

struct Discriminants;

impl Discriminants {
    fn gram(train: Sample<'_>, classes: usize, unused: &[Range<usize>]) -> Result<Gram> {
        let mut values = train.rows.values()?;
        for row in values.chunks_exact_mut(train.rows.features) {
            unused.iter().for_each(|columns| row[columns.clone()].fill(0.0));
        }
        Gram::new(&values, train.rows.features, train.targets, classes)
    }
}

impl FitHead for Discriminants {
    fn fit(
        &self,
        train: Sample<'_>,
        validation: Sample<'_>,
        classes: usize,
        unused: &[Range<usize>],
    ) -> Result<Head> {
        let gram = Self::gram(train, classes, unused)?;
        let found = closed_form::fit(Method::Lda, &gram, (validation.rows, validation.targets))?;
        let (nats, top1) = found.validation;
        Ok(Head {
            weights: found.weights,
            lambda: found.strength as f32,
            temperature: found.temperature,
            validation_nats: nats as f32,
            validation_top1: top1 as f32,
        })
    }

    fn again(&self, train: Sample<'_>, found: &Head, unused: &[Range<usize>]) -> Result<Weights> {
        Self::gram(train, found.weights.classes, unused)?.lda(f64::from(found.lambda))
    }

    fn temperature(&self, validation: Sample<'_>, weights: &Weights) -> Result<f32> {
        let logits = validation.rows.logits(weights)?;
        Ok(closed_form::temperature(&logits, validation.targets, weights.classes))
    }
}
