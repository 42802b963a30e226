//! Phrases for themes that the regression has not seen: scores, and the way to probabilities.

use super::{
    cholesky::Cholesky,
    corpus::{Corpus, Origin},
    fit::Sample,
    ridge::Moments,
};
use crate::{LabError, Result, Split};
use ndarray::{Array1, Array2, Axis};
use rayon::prelude::*;
use themecast_forecast::open::{INPUTS, Score, inputs};

/// A theme's phrase at one moment.
#[derive(Debug, Clone)]
pub(super) struct PhraseCase {
    pub(super) theme: usize,
    pub(super) origin: Origin,
    /// What the probability is made from.
    pub(super) inputs: [f32; INPUTS],
    /// Whether a segment of the theme came.
    pub(super) came: bool,
}

/// What was left out for a theme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LeftOut {
    /// Every answer that has it.
    Answers,
    /// Its segments as targets, since most answers have it.
    Segments,
}

/// The cases of one theme and how it was left out.
pub(super) struct Unseen {
    pub(super) left_out: LeftOut,
    pub(super) cases: Vec<PhraseCase>,
}

/// Leaves out one theme after the other.
pub(super) struct Leaving<'a> {
    sample: &'a Sample<'a>,
    horizons: usize,
    lambda: f64,
    /// The themes' phrases, *shape* `[themes, dimension]`.
    phrases: &'a Array2<f32>,
    /// Cosines of every segment to every phrase, *shape* `[segments, themes]`.
    cosines: Array2<f32>,
    /// Training rows that all horizons have a segment for.
    train: Vec<usize>,
}

impl<'a> Leaving<'a> {
    /// Prepares to leave out themes from `sample`, with the penalty `lambda`.
    pub(super) fn new(
        sample: &'a Sample<'a>,
        (horizons, lambda): (usize, f64),
        phrases: &'a Array2<f32>,
    ) -> Self {
        let train = sample.pairs(Split::Train, horizons).into_iter().map(|(row, _)| row).collect();
        let cosines = sample.corpus.embeddings.dot(&phrases.t());
        Self { sample, horizons, lambda, phrases, cosines, train }
    }

    /// Cases of every theme in the answers of `splits`, each by a regression that has not seen
    /// the theme.
    ///
    /// # Errors
    /// [`LabError::Fit`].
    pub(super) fn all(&self, splits: &[Split]) -> Result<Vec<Unseen>> {
        let themes = self.phrases.nrows();
        let targets = self.targets();
        let sums = |rows: &[usize]| {
            let pairs: Vec<_> = rows.iter().map(|&row| (row, row)).collect();
            Moments::of(self.sample.rows.view(), targets.view(), &pairs)
        };
        let whole = sums(&self.train);
        let one = |theme: usize| -> Result<Unseen> {
            let (left_out, out) = self.left_out(theme);
            let rest = whole.without(&sums(&out));
            let cases = self.cases(theme, left_out, &rest, splits)?;
            Ok(Unseen { left_out, cases })
        };
        (0..themes).into_par_iter().map(one).collect()
    }

    /// For every row the cosine of what came to every phrase, *shape* `[rows, themes × horizons]`;
    /// 0 where nothing came.
    fn targets(&self) -> Array2<f32> {
        let corpus = self.sample.corpus;
        let themes = self.phrases.nrows();
        let mut targets = Array2::zeros((self.sample.rows.nrows(), themes * self.horizons));
        for &row in &self.train {
            for ahead in 1..=self.horizons {
                let origin = self.sample.set.origins[row];
                let Some(segment) = corpus.target(origin, ahead) else { continue };
                for theme in 0..themes {
                    targets[[row, theme * self.horizons + ahead - 1]] =
                        self.cosines[[segment, theme]];
                }
            }
        }
        targets
    }

    /// The training rows to leave out for `theme`.
    fn left_out(&self, theme: usize) -> (LeftOut, Vec<usize>) {
        let corpus = self.sample.corpus;
        let origin = |row: &usize| self.sample.set.origins[*row];
        let of_answers = self.train.iter().filter(|row| has(corpus, origin(row).answer, theme));
        let of_answers: Vec<usize> = of_answers.copied().collect();
        if 2 * of_answers.len() <= self.train.len() {
            return (LeftOut::Answers, of_answers);
        }
        let comes =
            |row: &&usize| corpus.comes(origin(row), self.horizons, theme as u32).unwrap_or(false);
        (LeftOut::Segments, self.train.iter().filter(comes).copied().collect())
    }

    fn cases(
        &self,
        theme: usize,
        left_out: LeftOut,
        rest: &Moments,
        splits: &[Split],
    ) -> Result<Vec<PhraseCase>> {
        let columns: Vec<usize> =
            (0..self.horizons).map(|ahead| theme * self.horizons + ahead).collect();
        let rest = rest.select(&columns);
        let ridge = rest.solve(self.lambda)?;
        let (means, deviations) = rest.forecasts(&ridge);
        let segments = self.segments(theme, left_out);
        let origins = self.sample.set.origins.iter().enumerate();
        let wanted = origins.filter(|(_, at)| splits.contains(&self.sample.corpus.split(**at)));
        let mut cases = Vec::new();
        for (row, &origin) in wanted {
            let came = self.sample.corpus.comes(origin, self.horizons, theme as u32);
            let Some(came) = came else { continue };
            let forecast = ridge.predict(self.sample.rows.row(row).insert_axis(Axis(0)));
            let scores = (0..self.horizons).map(|at| Score {
                cosine: forecast[[0, at]],
                unusual: (forecast[[0, at]] - means[at]) / deviations[at].max(1e-6),
            });
            cases.push(PhraseCase { theme, origin, inputs: inputs(scores, segments), came });
        }
        Ok(cases)
    }

    /// Mean and deviation of the phrase's cosines to the training segments that are left.
    fn segments(&self, theme: usize, left_out: LeftOut) -> (f32, f32) {
        let corpus = self.sample.corpus;
        let mut cosines = Vec::new();
        for (at, answer) in corpus.answers.iter().enumerate() {
            let out = left_out == LeftOut::Answers && has(corpus, at, theme);
            if answer.split != Split::Train || out {
                continue;
            }
            let own = answer.first..answer.first + answer.segments;
            let left = own.filter(|&segment| corpus.themes[segment] != theme as u32);
            cosines.extend(left.map(|segment| self.cosines[[segment, theme]]));
        }
        let cosines = Array1::from_vec(cosines);
        (cosines.mean().unwrap_or(0.0), cosines.std(0.0))
    }
}

fn has(corpus: &Corpus, answer: usize, theme: usize) -> bool {
    let answer = &corpus.answers[answer];
    corpus.themes[answer.first..answer.first + answer.segments].contains(&(theme as u32))
}

/// The logistic regression from inputs to whether the theme came, *shape* `[1 + INPUTS]`, the
/// intercept first.
///
/// *Source* iteratively reweighted least squares, with a slight penalty on the weights.
///
/// # Errors
/// [`LabError::Data`] without cases, [`LabError::Fit`].
pub(super) fn logistic<'c>(cases: impl Iterator<Item = &'c PhraseCase>) -> Result<Vec<f32>> {
    let rows: Vec<(Array1<f64>, f64)> = cases
        .map(|case| {
            let inputs = case.inputs.iter().map(|&x| f64::from(x));
            (std::iter::once(1.0).chain(inputs).collect(), f64::from(u8::from(case.came)))
        })
        .collect();
    if rows.is_empty() {
        return Err(LabError::data("no moment to calibrate phrases with"));
    }
    let mut weights = Array1::<f64>::zeros(1 + INPUTS);
    for _ in 0..30 {
        let mut gradient = Array2::<f64>::zeros((1 + INPUTS, 1));
        let mut curvature = Array2::<f64>::eye(1 + INPUTS);
        curvature[[0, 0]] = 1e-6;
        for at in 1..=INPUTS {
            gradient[[at, 0]] = weights[at];
        }
        for (row, came) in &rows {
            let p = 1.0 / (1.0 + (-weights.dot(row)).exp());
            let column = row.view().insert_axis(Axis(1));
            gradient.scaled_add(p - came, &column);
            curvature.scaled_add((p * (1.0 - p)).max(1e-9), &column.dot(&column.t()));
        }
        Cholesky::new(curvature)?.solve(&mut gradient);
        weights -= &gradient.column(0);
        if gradient.iter().all(|step| step.abs() < 1e-7) {
            break;
        }
    }
    match weights.iter().all(|weight| weight.is_finite()) {
        true => Ok(weights.iter().map(|&weight| weight as f32).collect()),
        false => Err(LabError::Fit("the calibration of phrases did not settle".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use themecast_forecast::open::probability;

    #[test]
    fn probabilities_are_the_shares_that_came() {
        let origin = Origin { answer: 0, segment: 0 };
        let case = |at: usize| {
            let high = at.is_multiple_of(2);
            let inputs = [if high { 1.0 } else { -1.0 }, 0.0, 0.0, 0.5];
            let came = if high { at % 10 < 8 } else { at % 10 == 1 };
            PhraseCase { theme: 0, origin, inputs, came }
        };
        let cases: Vec<_> = (0..1000).map(case).collect();
        let weights = logistic(cases.iter()).unwrap();
        for (at, wanted) in [(0, 0.8f32), (1, 0.2)] {
            let p = probability(&weights, &cases[at].inputs);
            assert!((p - wanted).abs() < 0.01, "{p}");
        }
    }
}
