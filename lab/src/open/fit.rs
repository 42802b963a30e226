//! The regressions of one kind of row: penalty by the validation split, then low rank.

use super::{
    corpus::{Corpus, RowSet},
    lowrank,
    ridge::{Moments, Ridge},
};
use crate::{
    LabError, Result, Split,
    split::{self, PARTS},
};
use ndarray::{Array1, Array2, ArrayView2, Axis};
use serde::{Deserialize, Serialize};
use themecast_forecast::{
    linear::RowKind,
    open::{Expansion, OpenSet},
};

/// Penalties from strong to weak, for rows of unit variance.
const LAMBDAS: [f64; 8] = [100.0, 30.0, 10.0, 3.0, 1.0, 0.3, 0.1, 0.03];

/// How one regression came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RidgeReport {
    /// `boundary` or `mid`.
    pub set: String,
    /// Segments after that of the token read last.
    pub ahead: usize,
    /// Training rows.
    pub rows: usize,
    /// The penalty that was chosen.
    pub lambda: f64,
    /// Mean cosine to what came on the validation split, in full rank.
    pub validation_cosine: f64,
    /// The same in the rank that is kept.
    pub kept_cosine: f64,
}

/// Mean and inverse deviation of features.
#[derive(Debug, Clone)]
pub(super) struct Scaling {
    mean: Array1<f32>,
    inverse: Array1<f32>,
}

impl Scaling {
    /// Measures `rows` at the places `at`; a constant feature stays as it is.
    pub(super) fn measure(rows: ArrayView2<'_, f32>, at: &[usize]) -> Self {
        let (mut mean, mut square) = (Array1::zeros(rows.ncols()), Array1::zeros(rows.ncols()));
        for &row in at {
            mean += &rows.row(row).mapv(f64::from);
        }
        mean /= at.len().max(1) as f64;
        for &row in at {
            square += &(rows.row(row).mapv(f64::from) - &mean).mapv(|x| x * x);
        }
        let inverse = |sum: f64| {
            let deviation = (sum / at.len().max(1) as f64).sqrt();
            if deviation > 1e-6 { (1.0 / deviation) as f32 } else { 1.0 }
        };
        Self { mean: mean.mapv(|x| x as f32), inverse: square.mapv(inverse) }
    }

    /// The z-scores of `rows`.
    pub(super) fn apply(&self, rows: ArrayView2<'_, f32>) -> Array2<f32> {
        (&rows - &self.mean) * &self.inverse
    }

    fn flat(&self) -> Vec<f32> {
        self.mean.iter().chain(&self.inverse).copied().collect()
    }
}

/// Rows of the splits that fitting needs, z-scored, with what came.
pub(super) struct Sample<'a> {
    pub(super) corpus: &'a Corpus,
    pub(super) set: &'a RowSet,
    /// *Shape* `[rows, features]`.
    pub(super) rows: Array2<f32>,
    pub(super) scaling: Scaling,
}

impl<'a> Sample<'a> {
    /// Rows of `kind`, z-scored by the training rows that a segment follows.
    pub(super) fn new(corpus: &'a Corpus, kind: RowKind) -> Self {
        let set = corpus.set(kind);
        Self::of(corpus, set, set.rows.view())
    }

    /// The same with other features of the same moments.
    pub(super) fn of(corpus: &'a Corpus, set: &'a RowSet, rows: ArrayView2<'_, f32>) -> Self {
        let at: Vec<usize> =
            pairs(corpus, set, Split::Train, 1).into_iter().map(|(row, _)| row).collect();
        let scaling = Scaling::measure(rows, &at);
        Self { corpus, set, rows: scaling.apply(rows), scaling }
    }

    /// The rows of `split` that have a segment `ahead`, each with its place.
    pub(super) fn pairs(&self, split: Split, ahead: usize) -> Vec<(usize, usize)> {
        pairs(self.corpus, self.set, split, ahead)
    }

    /// The regression `ahead` with the penalty that the validation split likes best.
    ///
    /// # Errors
    /// [`LabError::Data`] where a split has no row; [`LabError::Fit`].
    pub(super) fn fit(&self, ahead: usize) -> Result<(Ridge, f64, f64, Moments)> {
        let (train, validation) =
            (self.pairs(Split::Train, ahead), self.pairs(Split::Validation, ahead));
        if train.is_empty() || validation.is_empty() {
            let (rows, checks) = (train.len(), validation.len());
            let message =
                format!("{rows} training and {checks} validation rows for {ahead} segments ahead");
            return Err(LabError::Data(message));
        }
        let moments = Moments::of(self.rows.view(), self.corpus.embeddings.view(), &train);
        let mut best: Option<(Ridge, f64, f64)> = None;
        for lambda in LAMBDAS {
            let ridge = moments.solve(lambda)?;
            let cosine = self.cosine(&validation, |rows| ridge.predict(rows));
            match &best {
                Some((_, _, found)) if cosine < *found => break,
                _ => best = Some((ridge, lambda, cosine)),
            }
        }
        let (ridge, lambda, cosine) =
            best.ok_or_else(|| LabError::Fit("no penalty gave a regression".into()))?;
        Ok((ridge, lambda, cosine, moments))
    }

    /// The mean cosine of forecasts to what came, over `pairs`.
    pub(super) fn cosine(
        &self,
        pairs: &[(usize, usize)],
        predict: impl Fn(ArrayView2<'_, f32>) -> Array2<f32>,
    ) -> f64 {
        let rows: Vec<usize> = pairs.iter().map(|(row, _)| *row).collect();
        let predicted = predict(self.rows.select(Axis(0), &rows).view());
        let one = |(row, (_, target)): (ndarray::ArrayView1<'_, f32>, &(usize, usize))| {
            f64::from(cosine(row, self.corpus.embeddings.row(*target)))
        };
        predicted.rows().into_iter().zip(pairs).map(one).sum::<f64>() / pairs.len().max(1) as f64
    }
}

/// The cosine of two vectors; 0 where one has no length.
pub(super) fn cosine(a: ndarray::ArrayView1<'_, f32>, b: ndarray::ArrayView1<'_, f32>) -> f32 {
    let norm = (a.dot(&a) * b.dot(&b)).sqrt();
    if norm > 0.0 { a.dot(&b) / norm } else { 0.0 }
}

fn pairs(corpus: &Corpus, set: &RowSet, split: Split, ahead: usize) -> Vec<(usize, usize)> {
    let rows = set.origins.iter().enumerate().filter(|(_, at)| corpus.split(**at) == split);
    rows.filter_map(|(row, at)| corpus.target(*at, ahead).map(|target| (row, target))).collect()
}

/// The regressions of one kind, `horizons` of them, in rank `rank`.
///
/// # Errors
/// As [`Sample::fit`].
pub(super) fn set(
    sample: &Sample<'_>,
    name: &str,
    (horizons, rank): (usize, usize),
    progress: &dyn Fn(&str),
) -> Result<(OpenSet, Vec<RidgeReport>)> {
    let (mut ridges, mut reports, mut covariance) = (Vec::new(), Vec::new(), None);
    for ahead in 1..=horizons {
        let (ridge, lambda, cosine, moments) = sample.fit(ahead)?;
        progress(&format!(
            "{name}, {ahead} ahead: cosine {cosine:.4} on the validation split, {} rows, penalty \
             {lambda}",
            moments.count()
        ));
        covariance.get_or_insert_with(|| moments.covariance().1);
        reports.push(RidgeReport {
            set: name.to_owned(),
            ahead,
            rows: moments.count(),
            lambda,
            validation_cosine: cosine,
            kept_cosine: cosine,
        });
        ridges.push(ridge);
    }
    let covariance = covariance.ok_or_else(|| LabError::data("want one horizon or more"))?;
    let (project, expand) = lowrank::reduce(&ridges, &covariance, rank)?;
    for (report, block) in
        reports.iter_mut().zip(expand.axis_chunks_iter(Axis(0), sample.corpus.embeddings.ncols()))
    {
        let bias = &ridges[report.ahead - 1].bias;
        let predict = |rows: ArrayView2<'_, f32>| rows.dot(&project.t()).dot(&block.t()) + bias;
        report.kept_cosine = sample.cosine(&sample.pairs(Split::Validation, report.ahead), predict);
    }
    let set = OpenSet {
        scaling: sample.scaling.flat(),
        project: project.iter().copied().collect(),
        whole: Expansion {
            expand: expand.iter().copied().collect(),
            bias: ridges.iter().flat_map(|ridge| ridge.bias.iter().copied()).collect(),
        },
        ensemble: ensemble(sample, (&project, &covariance), &reports)?,
    };
    Ok((set, reports))
}

/// The regressions fitted again to each part of the training prompts with the penalties of the whole
/// ones (`reports`), each in terms of the latents of `project`; none where a part has no row.
fn ensemble(
    sample: &Sample<'_>,
    (project, covariance): (&Array2<f32>, &Array2<f64>),
    reports: &[RidgeReport],
) -> Result<Vec<Expansion>> {
    let corpus = sample.corpus;
    let part = |row: usize| split::part(&corpus.answers[sample.set.origins[row].answer].prompt_id);
    // Latents have unit covariance, so what a regression has of them is its covariance with them.
    let spread = covariance.dot(&project.t().mapv(f64::from)).mapv(|x| x as f32);
    let mut members = Vec::new();
    for of in 0..PARTS {
        let mut member = Expansion { expand: Vec::new(), bias: Vec::new() };
        for report in reports {
            let mut train = sample.pairs(Split::Train, report.ahead);
            train.retain(|(row, _)| part(*row) == of);
            if train.is_empty() {
                return Ok(Vec::new());
            }
            let moments = Moments::of(sample.rows.view(), corpus.embeddings.view(), &train);
            let ridge = moments.solve(report.lambda)?;
            member.expand.extend(ridge.weight.t().dot(&spread).iter());
            member.bias.extend(&ridge.bias);
        }
        members.push(member);
    }
    Ok(members)
}
