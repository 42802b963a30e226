//! Recognising text that nothing like was trained on, by its residuals.
//!
//! The distance that bundles carry, and a stronger one: Mahalanobis with a shrunk covariance.

use super::{
    bootstrap::{self, Interval},
    collected::Collected,
    events::{Part, Place},
    more_reports::RecogniserReport,
};
use crate::{LabError, Result, train::scaler::Scaler};
use candle_core::{Device, Tensor};
use rand_xoshiro::{
    Xoshiro256PlusPlus,
    rand_core::{RngCore, SeedableRng},
};
use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
};
use themecast_forecast::trust::Recogniser;

/// Mahalanobis distance from training rows; the covariance is shrunk towards a sphere.
///
/// *Source* Mahalanobis 1936; Ledoit and Wolf 2004 for how much; Lee et al. 2018 for the use.
pub(crate) struct Mahalanobis {
    scaler: Scaler,
    /// Lower triangle of the covariance's Cholesky factor, row-major.
    factor: Vec<f64>,
    width: usize,
}

impl Mahalanobis {
    /// Fits row-major `values` of `width` columns.
    ///
    /// # Errors
    /// [`LabError::Fit`] where the covariance has no Cholesky factor.
    pub(crate) fn fit(mut values: Vec<f32>, width: usize) -> Result<Self> {
        let scaler = Scaler::measure(&values, width);
        scaler.apply(&mut values);
        let rows = values.len() / width.max(1);
        let fourth: f64 = values
            .chunks_exact(width)
            .map(|row| row.iter().map(|x| f64::from(x * x)).sum::<f64>().powi(2))
            .sum();
        let tensor = Tensor::from_vec(values, (rows, width), &Device::Cpu)?;
        let products: Vec<f32> = tensor.t()?.matmul(&tensor)?.flatten_all()?.to_vec1()?;
        let mut covariance: Vec<f64> =
            products.into_iter().map(|x| f64::from(x) / rows as f64).collect();
        shrink(&mut covariance, width, rows as f64, fourth);
        let factor = cholesky(covariance, width)?;
        Ok(Self { scaler, factor, width })
    }

    /// The distance of one raw row, a column's worth: √(d² / columns).
    pub(crate) fn distance(&self, row: &[f32]) -> f64 {
        let mut scaled = row.to_vec();
        self.scaler.apply(&mut scaled);
        let mut solved = vec![0f64; self.width];
        for at in 0..self.width {
            let line = &self.factor[at * self.width..at * self.width + at];
            let known = dot(line, &solved[..at]);
            solved[at] = (f64::from(scaled[at]) - known) / self.factor[at * self.width + at];
        }
        (solved.iter().map(|x| x * x).sum::<f64>() / self.width as f64).sqrt()
    }
}

/// Shrinks towards a multiple of the identity. *Source* Ledoit and Wolf 2004.
fn shrink(covariance: &mut [f64], width: usize, rows: f64, fourth: f64) {
    let mean = (0..width).map(|at| covariance[at * width + at]).sum::<f64>() / width as f64;
    let square: f64 = covariance.iter().map(|x| x * x).sum();
    let spread = square - width as f64 * mean * mean;
    let noise = (fourth / rows - square) / rows;
    let share = if spread > 0.0 { (noise / spread).clamp(1e-4, 1.0) } else { 1.0 };
    covariance.iter_mut().for_each(|x| *x *= 1.0 - share);
    for at in 0..width {
        covariance[at * width + at] += share * mean.max(1e-6);
    }
}

/// The lower Cholesky factor of a row-major square matrix.
pub(crate) fn cholesky(mut a: Vec<f64>, width: usize) -> Result<Vec<f64>> {
    for row in 0..width {
        let (done, rest) = a.split_at_mut(row * width);
        let line = &mut rest[..width];
        for column in 0..=row {
            let known = |line: &[f64], other: &[f64]| dot(&line[..column], &other[..column]);
            if column == row {
                let square = line[row] - known(line, line);
                if square <= 0.0 {
                    let message = format!("the covariance is singular at column {row}");
                    return Err(LabError::Fit(message));
                }
                line[row] = square.sqrt();
            } else {
                let other = &done[column * width..(column + 1) * width];
                line[column] = (line[column] - known(line, other)) / other[column];
            }
        }
        line[row + 1..].fill(0.0);
    }
    Ok(a)
}

/// A dot product in eight lanes, which compilers turn into vector instructions.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let ((a_lanes, a_rest), (b_lanes, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut sums = [0f64; 8];
    for (a, b) in a_lanes.iter().zip(b_lanes) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f64>() + rest
}

/// A document's number with its score: higher is stranger.
type Scores = BTreeMap<usize, f64>;

/// Every measure, held-out documents against those of the test split. `distances` are those of
/// the bundle's z-scores, by document id. A measure that can't be fitted is left out, and told.
pub(super) fn recognisers(
    collected: &Collected,
    own: Option<&Recogniser>,
    distances: &HashMap<String, Vec<f32>>,
    draws: (usize, u64),
    progress: &dyn Fn(&str),
) -> Vec<RecogniserReport> {
    let parts = &collected.boundary;
    let mut measures: Vec<(String, Scores, Scores)> = Vec::new();
    if let Some(own) = own.filter(|own| collected.sites.contains(&own.card.site)) {
        let scores = |part: &Part| -> Scores {
            let found = stories(part).into_iter().filter_map(|story| {
                let residual = collected.prompt_end(story, own.card.site)?;
                Some((story, f64::from(own.distance(residual))))
            });
            found.collect()
        };
        let name = format!("the bundle's recogniser, {}, the prompt's end", own.card.site);
        measures.push((name, scores(&parts.test), scores(&parts.held_out)));
    }
    let mean = |all: &[f32]| {
        let answer = all.get(1..).filter(|rest| !rest.is_empty()).unwrap_or(all);
        answer.iter().map(|&x| f64::from(x)).sum::<f64>() / answer.len().max(1) as f64
    };
    let start = |all: &[f32]| f64::from(all.first().copied().unwrap_or(0.0));
    type OfDistances<'a> = &'a dyn Fn(&[f32]) -> f64;
    let own: [(&str, OfDistances<'_>); 2] = [
        ("z-scores, the last site, mean over the answer", &mean),
        ("z-scores, the last site, the prompt's end", &start),
    ];
    for (name, of) in own {
        let scores = |part: &Part| -> Scores {
            let found = stories(part).into_iter().filter_map(|story| {
                Some((story, of(distances.get(&collected.stories[story].id)?)))
            });
            found.collect()
        };
        measures.push((name.to_owned(), scores(&parts.test), scores(&parts.held_out)));
    }
    for &site in &collected.sites {
        let Some([last, segment, answer]) = collected.columns(site) else { continue };
        for (what, columns, place) in [
            ("mean over the answer", answer, Place::Boundary),
            ("means over segments", segment, Place::Boundary),
            ("the prompt's end", last, Place::PromptEnd),
        ] {
            let name = format!("Mahalanobis, {site}, {what}");
            let rows = taken(&parts.train, &columns, place).into_iter().flat_map(|one| one.1);
            let fitted = match Mahalanobis::fit(rows.collect(), columns.len()) {
                Ok(fitted) => fitted,
                Err(error) => {
                    progress(&format!("{name} is left out: {error}"));
                    continue;
                }
            };
            let scores = |part: &Part| by_story(&fitted, taken(part, &columns, place));
            measures.push((name, scores(&parts.test), scores(&parts.held_out)));
        }
    }
    let report = |(name, known, strange): (String, Scores, Scores)| {
        compare(name, &known, &strange, collected, draws)
    };
    measures.into_iter().filter_map(report).collect()
}

/// The columns of the events at `place`, with their stories.
fn taken(part: &Part, columns: &Range<usize>, place: Place) -> Vec<(usize, Vec<f32>)> {
    let all = part.events.iter().enumerate().filter(|(_, event)| event.place == place);
    all.map(|(at, event)| (event.story, part.row(at)[columns.clone()].to_vec())).collect()
}

/// The mean distance of each story's rows.
fn by_story(fitted: &Mahalanobis, rows: Vec<(usize, Vec<f32>)>) -> Scores {
    let mut sums: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
    for (story, row) in rows {
        let sum = sums.entry(story).or_default();
        sum.0 += fitted.distance(&row);
        sum.1 += 1.0;
    }
    sums.into_iter().map(|(story, (sum, count))| (story, sum / count)).collect()
}

fn stories(part: &Part) -> Vec<usize> {
    part.events.iter().filter(|event| event.segment < 0).map(|event| event.story).collect()
}

fn compare(
    name: String,
    known_by_story: &Scores,
    strange: &Scores,
    collected: &Collected,
    draws: (usize, u64),
) -> Option<RecogniserReport> {
    let by_prompt = |scores: &Scores| -> Vec<Vec<f64>> {
        let mut prompts: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
        for (&story, &score) in scores {
            prompts.entry(collected.stories[story].cluster).or_default().push(score);
        }
        prompts.into_values().collect()
    };
    let known: Vec<f64> = known_by_story.values().copied().collect();
    let all: Vec<f64> = strange.values().copied().collect();
    let mut groups: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for (&story, &score) in strange {
        groups.entry(&collected.stories[story].group).or_default().push(score);
    }
    let by_group = groups
        .into_iter()
        .map(|(group, scores)| (group.to_owned(), auroc(&known, &scores).unwrap_or(f64::NAN)));
    Some(RecogniserReport {
        name,
        auroc: auroc(&known, &all)?,
        interval: interval(&by_prompt(known_by_story), &by_prompt(strange), draws),
        by_group: by_group.collect(),
    })
}

/// How often a value of `strange` exceeds one of `known`, ties half. *Source* Mann, Whitney 1947.
pub(crate) fn auroc(known: &[f64], strange: &[f64]) -> Option<f64> {
    if known.is_empty() || strange.is_empty() {
        return None;
    }
    let mut sorted = known.to_vec();
    sorted.sort_by(f64::total_cmp);
    let wins = |x: &f64| {
        let below = sorted.partition_point(|y| y < x) as f64;
        let up_to = sorted.partition_point(|y| y <= x) as f64;
        (below + up_to) / 2.0
    };
    let sum: f64 = strange.iter().map(wins).sum();
    Some(sum / (known.len() * strange.len()) as f64)
}

/// The 95 % interval over resamples of prompts, each with the scores of all its answers; none where
/// there are too few.
fn interval(
    known: &[Vec<f64>],
    strange: &[Vec<f64>],
    (resamples, seed): (usize, u64),
) -> Option<Interval> {
    if known.len().min(strange.len()) < bootstrap::FEWEST {
        return None;
    }
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut draw = |prompts: &[Vec<f64>]| -> Vec<f64> {
        let one = |_| &prompts[(random.next_u64() % prompts.len() as u64) as usize];
        (0..prompts.len()).flat_map(one).copied().collect()
    };
    let one = |_| auroc(&draw(known), &draw(strange));
    bootstrap::interval((0..resamples).filter_map(one).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auroc_counts_pairs() {
        assert_eq!(auroc(&[1.0, 2.0], &[2.0, 3.0]), Some(0.875));
        assert_eq!(auroc(&[], &[1.0]), None);
    }

    #[test]
    fn answers_to_one_prompt_count_as_one() {
        let singles: Vec<Vec<f64>> = (0..40).map(|x| vec![f64::from(x * 7 % 40)]).collect();
        let doubled: Vec<Vec<f64>> = singles.iter().map(|one| [one[0]; 2].to_vec()).collect();
        let shifted = |prompts: &[Vec<f64>]| -> Vec<Vec<f64>> {
            prompts.iter().map(|one| one.iter().map(|x| x + 8.5).collect()).collect()
        };
        let width = |prompts: &[Vec<f64>]| {
            let interval = interval(prompts, &shifted(prompts), (300, 1)).unwrap();
            interval.high - interval.low
        };
        assert!((width(&singles) - width(&doubled)).abs() < 1e-9);
    }

    #[test]
    fn what_breaks_the_correlation_is_far_though_each_column_is_ordinary() {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(3);
        let mut noise = || (random.next_u64() % 1000) as f32 / 1000.0 - 0.5;
        let values: Vec<f32> = (0..500)
            .flat_map(|_| {
                let x = noise();
                [x, x + 0.05 * noise(), noise()]
            })
            .collect();
        let fitted = Mahalanobis::fit(values, 3).unwrap();
        let (usual, strange) =
            (fitted.distance(&[0.4, 0.4, 0.0]), fitted.distance(&[0.4, -0.4, 0.0]));
        assert!(usual < 2.0 && strange > 5.0 * usual, "{usual} {strange}");
    }

    #[test]
    fn a_cholesky_factor_multiplies_back() {
        let a = vec![4.0, 2.0, 2.0, 3.0];
        let l = cholesky(a, 2).unwrap();
        assert!((l[2] * l[2] + l[3] * l[3] - 3.0).abs() < 1e-12 && l[0] == 2.0 && l[1] == 0.0);
        assert!(cholesky(vec![1.0, 2.0, 2.0, 1.0], 2).is_err());
    }
}
