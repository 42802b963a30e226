//! Phrases for themes that the regression has not seen: scores, and the way to probabilities.

use super::{
    catalogue::Catalogue,
    cholesky::Cholesky,
    corpus::{Corpus, Origin},
    fit::Sample,
    ridge::Moments,
};
use crate::{LabError, Result, Split};
use ndarray::{Array1, Array2, Axis};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use themecast_forecast::open::{INPUTS, Score, inputs};

/// A theme's phrase at one moment.
#[derive(Debug, Clone)]
pub(super) struct PhraseCase {
    /// The place of its row among those of its kind.
    pub(super) row: usize,
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

/// The cases of one phrase and how its theme was left out.
pub(super) struct Unseen {
    pub(super) left_out: LeftOut,
    pub(super) cases: Vec<PhraseCase>,
}

/// What is left once a theme is out, for the phrases of that theme.
struct Left {
    left_out: LeftOut,
    /// For every row, *shape* `[rows, phrases × horizons]`.
    forecasts: Array2<f32>,
    /// Their means and deviations over the training rows that are left.
    usual: (Array1<f32>, Array1<f32>),
}

/// Leaves out one theme after the other.
pub(super) struct Leaving<'a> {
    sample: &'a Sample<'a>,
    horizons: usize,
    lambda: f64,
    phrases: &'a Catalogue,
    /// Cosines of every segment to every phrase, *shape* `[segments, phrases]`.
    cosines: Array2<f32>,
    /// Training rows that all horizons have a segment for.
    train: Vec<usize>,
}

impl<'a> Leaving<'a> {
    /// Prepares to leave out themes from `sample`, with the penalty `lambda`.
    pub(super) fn new(
        sample: &'a Sample<'a>,
        (horizons, lambda): (usize, f64),
        phrases: &'a Catalogue,
    ) -> Self {
        let train = sample.pairs(Split::Train, horizons).into_iter().map(|(row, _)| row).collect();
        let cosines = sample.corpus.embeddings.dot(&phrases.embeddings.t());
        Self { sample, horizons, lambda, phrases, cosines, train }
    }

    /// Cases of every phrase in the answers of `splits`, each by a regression that has not seen
    /// its theme.
    ///
    /// # Errors
    /// [`LabError::Fit`].
    pub(super) fn all(&self, splits: &[Split]) -> Result<Vec<Unseen>> {
        let phrases = self.phrases.themes.len();
        let targets = self.targets();
        let sums = |rows: &[usize]| {
            let pairs: Vec<_> = rows.iter().map(|&row| (row, row)).collect();
            Moments::of(self.sample.rows.view(), targets.view(), &pairs)
        };
        let whole = sums(&self.train);
        let one = |theme: u32| -> Result<Vec<(usize, Unseen)>> {
            let (left_out, out) = self.left_out(theme);
            let of_theme = (0..phrases).filter(|&phrase| self.phrases.themes[phrase] == theme);
            let of_theme: Vec<usize> = of_theme.collect();
            let ahead = |&phrase: &usize| phrase * self.horizons..(phrase + 1) * self.horizons;
            let columns: Vec<usize> = of_theme.iter().flat_map(ahead).collect();
            let rest = whole.without(&sums(&out)).select(&columns);
            let ridge = rest.solve(self.lambda)?;
            let forecasts = ridge.predict(self.sample.rows.view());
            let left = Left { left_out, forecasts, usual: rest.forecasts(&ridge) };
            let cases = |(place, phrase)| {
                let cases = self.cases(phrase, &left, place * self.horizons, splits);
                (phrase, Unseen { left_out, cases })
            };
            Ok(of_theme.into_iter().enumerate().map(cases).collect())
        };
        let themes: BTreeSet<u32> = self.phrases.themes.iter().copied().collect();
        let themes: Vec<u32> = themes.into_iter().collect();
        let all = themes.into_par_iter().map(one).collect::<Result<Vec<_>>>()?;
        let ordered: BTreeMap<usize, Unseen> = all.into_iter().flatten().collect();
        Ok(ordered.into_values().collect())
    }

    /// For every row the cosine of what came to every phrase, *shape* `[rows, phrases × horizons]`;
    /// 0 where nothing came.
    fn targets(&self) -> Array2<f32> {
        let corpus = self.sample.corpus;
        let phrases = self.phrases.themes.len();
        let mut targets = Array2::zeros((self.sample.rows.nrows(), phrases * self.horizons));
        for &row in &self.train {
            for ahead in 1..=self.horizons {
                let origin = self.sample.set.origins[row];
                let Some(segment) = corpus.target(origin, ahead) else { continue };
                for phrase in 0..phrases {
                    targets[[row, phrase * self.horizons + ahead - 1]] =
                        self.cosines[[segment, phrase]];
                }
            }
        }
        targets
    }

    /// The training rows to leave out for `theme`.
    fn left_out(&self, theme: u32) -> (LeftOut, Vec<usize>) {
        let corpus = self.sample.corpus;
        let origin = |row: &usize| self.sample.set.origins[*row];
        let of_answers = self.train.iter().filter(|row| has(corpus, origin(row).answer, theme));
        let of_answers: Vec<usize> = of_answers.copied().collect();
        if 2 * of_answers.len() <= self.train.len() {
            return (LeftOut::Answers, of_answers);
        }
        let comes = |row: &&usize| corpus.comes(origin(row), self.horizons, theme).unwrap_or(false);
        (LeftOut::Segments, self.train.iter().filter(comes).copied().collect())
    }

    /// The cases of one phrase, whose forecasts start at output `first`.
    fn cases(&self, phrase: usize, left: &Left, first: usize, splits: &[Split]) -> Vec<PhraseCase> {
        let corpus = self.sample.corpus;
        let (means, deviations) = &left.usual;
        let segments = self.segments(phrase, left.left_out);
        let origins = self.sample.set.origins.iter().enumerate();
        let wanted = origins.filter(|(_, at)| splits.contains(&corpus.split(**at)));
        let case = |(row, &origin): (usize, &Origin)| {
            let came = corpus.comes(origin, self.horizons, self.phrases.themes[phrase])?;
            let scores = (first..first + self.horizons).map(|at| Score {
                cosine: left.forecasts[[row, at]],
                unusual: (left.forecasts[[row, at]] - means[at]) / deviations[at].max(1e-6),
            });
            Some(PhraseCase { row, origin, inputs: inputs(scores, segments), came })
        };
        wanted.filter_map(case).collect()
    }

    /// Mean and deviation of the phrase's cosines to the training segments that are left.
    fn segments(&self, phrase: usize, left_out: LeftOut) -> (f32, f32) {
        let (corpus, theme) = (self.sample.corpus, self.phrases.themes[phrase]);
        let mut cosines = Vec::new();
        for (at, answer) in corpus.answers.iter().enumerate() {
            let out = left_out == LeftOut::Answers && has(corpus, at, theme);
            if answer.split != Split::Train || out {
                continue;
            }
            let own = answer.first..answer.first + answer.segments;
            let left = own.filter(|&segment| corpus.themes[segment] != theme);
            cosines.extend(left.map(|segment| self.cosines[[segment, phrase]]));
        }
        let cosines = Array1::from_vec(cosines);
        (cosines.mean().unwrap_or(0.0), cosines.std(0.0))
    }
}

fn has(corpus: &Corpus, answer: usize, theme: u32) -> bool {
    let answer = &corpus.answers[answer];
    corpus.themes[answer.first..answer.first + answer.segments].contains(&theme)
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
            let inputs = [if high { 1.0 } else { -1.0 }, 0.0, 0.0, 0.5, 0.0];
            let came = if high { at % 10 < 8 } else { at % 10 == 1 };
            PhraseCase { row: at, origin, inputs, came }
        };
        let cases: Vec<_> = (0..1000).map(case).collect();
        let weights = logistic(cases.iter()).unwrap();
        for (at, wanted) in [(0, 0.8f32), (1, 0.2)] {
            let p = probability(&weights, &cases[at].inputs);
            assert!((p - wanted).abs() < 0.01, "{p}");
        }
    }
}
