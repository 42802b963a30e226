//! Ours beside letting the model run ahead: the practical ceiling, and what it costs.
//!
//! `DIR/resamples` has several other ways on from places within test answers, labelled as the
//! collection is. What the first `k` of them say, smoothed, is a forecast too.

use super::{
    OURS,
    bootstrap::{Draws, PerPrompt},
    events::{Event, Place, Story},
    models::Model,
    more_reports::ResampleReport,
};
use crate::{
    LabError, Result,
    dataset::{DocumentReader, Load},
    label::{Labels, RESAMPLES},
    replay::chains,
};
use std::{collections::HashMap, path::Path};

/// How many of the ways on are counted.
const COUNTS: [usize; 3] = [1, 4, 16];

/// The other ways on from one place.
#[derive(Debug, Default)]
struct Cut {
    /// The themes after the cut of each way on, in the order of their numbers.
    ways: Vec<(u32, Vec<u32>)>,
    /// Tokens that were written for all of them, those included that got nowhere.
    tokens: usize,
    /// How many were written.
    written: usize,
}

/// Other ways on, by document and the segment they begin after.
#[derive(Debug)]
pub(super) struct Resampled {
    cuts: HashMap<(String, i32), Cut>,
}

impl Resampled {
    /// Reads `dir/resamples`; none where there is no such folder or it has no labels.
    ///
    /// # Errors
    /// [`LabError`] of reading; [`LabError::Data`] where its themes are not those of `labels`.
    pub(super) fn read(dir: &Path, labels: &Labels) -> Result<Option<Self>> {
        let dir = dir.join(RESAMPLES);
        if !dir.join("labels").join("labels.json").is_file() {
            return Ok(None);
        }
        let own = Labels::load(&dir)?;
        if !own.themes.iter().map(|theme| &theme.id).eq(labels.themes.iter().map(|theme| &theme.id))
        {
            return Err(LabError::data("the themes of the other ways on differ: label again"));
        }
        let chains = chains(&own)?;
        let mut cuts: HashMap<(String, i32), Cut> = HashMap::new();
        for document in DocumentReader::open(&dir, Load::Tokens)? {
            let document = document?;
            let Some((id, segment)) = document.prompt_id.rsplit_once('@') else { continue };
            let Ok(segment) = segment.parse::<i32>() else { continue };
            let cut = cuts.entry((id.to_owned(), segment)).or_default();
            cut.tokens += document.tokens.iter().filter(|row| row.segment > segment).count();
            cut.written += 1;
            let Some(chain) = chains.get(&document.id) else { continue };
            let after = chain.get(segment as usize + 1..).unwrap_or_default().to_vec();
            cut.ways.push((document.sample, after));
        }
        cuts.values_mut().for_each(|cut| cut.ways.sort_by_key(|(sample, _)| *sample));
        Ok(Some(Self { cuts }))
    }

    /// Ours, which is the first of `models`, the others of them and the resampled forecasts over
    /// `events`, boundaries of the test split; `aheads` are the numbers of segments ahead, from 1 on.
    pub(super) fn reports(
        &self,
        (events, stories): (&[Event], &[Story]),
        (models, aheads): (&[&Model], usize),
        shares: &[f32],
        draws: (usize, u64),
    ) -> Vec<ResampleReport> {
        let mut reports = Vec::new();
        for ahead in 1..=aheads {
            let case = |(at, event): (usize, &Event)| {
                let story = &stories[event.story];
                let cut = self.cuts.get(&(story.id.clone(), event.segment))?;
                let came = event.came(ahead)? as usize;
                let ways = cut.ways.iter().filter_map(|(_, themes)| themes.get(ahead - 1));
                let ways: Vec<usize> = ways.map(|&theme| theme as usize).collect();
                let tokens = cut.tokens as f64 / cut.written.max(1) as f64;
                let forecasts = forecasts(models, (at, ahead), shares.len())?;
                Some(Case { cluster: story.cluster, forecasts, came, ways, tokens })
            };
            let boundaries = events.iter().enumerate();
            let cases: Vec<Case<'_>> = boundaries
                .filter(|(_, event)| event.place == Place::Boundary)
                .filter_map(case)
                .filter(|case| case.ways.len() >= 2)
                .collect();
            if !cases.is_empty() {
                reports.extend(compared((ahead, models), &cases, shares, draws));
            }
        }
        reports
    }
}

/// One place from which there are other ways on.
struct Case<'a> {
    cluster: usize,
    /// Of each model, ours first.
    forecasts: Vec<&'a [f32]>,
    came: usize,
    /// The theme `ahead` segments on, of each way that got so far.
    ways: Vec<usize>,
    /// Tokens of one way, on average.
    tokens: f64,
}

impl Case<'_> {
    /// The entropy of the shares of themes among the ways, in nats.
    fn entropy_nats(&self) -> f64 {
        let all = self.ways.len() as f64;
        let mut counts = vec![0.0; self.forecasts[0].len()];
        self.ways.iter().for_each(|&theme| counts[theme] += 1.0);
        counts.iter().filter(|&&n| n > 0.0).map(|n| -(n / all) * (n / all).ln()).sum()
    }
}

/// What each of `models` says `ahead` of the event at the place `at`.
fn forecasts<'m>(
    models: &[&'m Model],
    (at, ahead): (usize, usize),
    themes: usize,
) -> Option<Vec<&'m [f32]>> {
    let of = |model: &&'m Model| {
        let all: &'m [f32] = &model.by_ahead.get(ahead - 1)?.test;
        all.get(at * themes..(at + 1) * themes)
    };
    models.iter().map(of).collect()
}

/// How what was counted becomes a forecast.
#[derive(Clone, Copy)]
enum Smoothing<'a> {
    /// One more for every theme. *Source*: Laplace.
    AddOne,
    /// One more altogether, by the training shares.
    Shares(&'a [f32]),
}

impl Smoothing<'_> {
    fn forecast(self, ways: &[usize], themes: usize) -> Vec<f32> {
        let mut p = match self {
            Self::AddOne => vec![1.0; themes],
            Self::Shares(shares) => shares.iter().map(|share| share.max(1e-4)).collect(),
        };
        ways.iter().for_each(|&theme| p[theme] += 1.0);
        let sum: f32 = p.iter().sum();
        p.iter_mut().for_each(|p| *p /= sum);
        p
    }
}

fn compared(
    (ahead, models): (usize, &[&Model]),
    cases: &[Case<'_>],
    shares: &[f32],
    (resamples, seed): (usize, u64),
) -> Vec<ResampleReport> {
    let clusters = cases.iter().map(|case| case.cluster + 1).max().unwrap_or(0);
    let draws = Draws::new(clusters, resamples, seed);
    let tokens = cases.iter().map(|case| case.tokens).sum::<f64>() / cases.len() as f64;
    let entropy = cases.iter().map(Case::entropy_nats).sum::<f64>() / cases.len() as f64;
    let most = cases.iter().map(|case| case.ways.len()).max().unwrap_or(0);
    let report = |name: String, ways: usize, of: &dyn Fn(&Case<'_>) -> [f64; 3]| {
        let mut differences = [(); 2].map(|()| vec![PerPrompt::default(); clusters]);
        let mut sums = [0.0; 3];
        for case in cases {
            let (found, ours) = (of(case), told(case, 0));
            sums.iter_mut().zip(found).for_each(|(sum, x)| *sum += x / cases.len() as f64);
            differences[0][case.cluster].add(ours[0] - found[0]);
            differences[1][case.cluster].add(ours[2] - found[2]);
        }
        let first = name == OURS;
        let [nll, kl] = differences.map(|one| draws.interval(&one).filter(|_| !first));
        ResampleReport {
            ahead,
            name,
            cases: cases.len(),
            nll_nats: sums[0],
            top1: sums[1],
            others_nll_nats: sums[2],
            kl_nats: sums[2] - entropy,
            ours_minus: nll,
            ours_minus_kl: kl,
            tokens: tokens * ways as f64,
            ways: cases.iter().map(|case| case.ways.len().min(ways) as f64).sum::<f64>()
                / cases.len() as f64,
        }
    };
    let told = |(number, model): (usize, &&Model)| {
        report(model.name.clone(), 0, &|case: &Case<'_>| told(case, number))
    };
    let mut reports: Vec<_> = models.iter().enumerate().map(told).collect();
    for count in COUNTS.into_iter().filter(|&count| count <= most) {
        for (name, smoothing) in
            [("add-one", Smoothing::AddOne), ("by the training shares", Smoothing::Shares(shares))]
        {
            let of = |case: &Case<'_>| resampled(case, count, smoothing);
            reports.push(report(format!("{count} ways on, smoothed {name}"), count, &of));
        }
    }
    reports
}

/// Of the model with this number: loss and hit of what came, mean loss of what came on the other ways.
fn told(case: &Case<'_>, number: usize) -> [f64; 3] {
    let p = case.forecasts[number];
    let others = case.ways.iter().map(|&theme| nats(p, theme)).sum::<f64>();
    [nats(p, case.came), hit(p, case.came), others / case.ways.len() as f64]
}

/// The same of the first `count` ways; each of the other ways is forecast from `count` without it.
fn resampled(case: &Case<'_>, count: usize, smoothing: Smoothing<'_>) -> [f64; 3] {
    let themes = case.forecasts[0].len();
    let ways = &case.ways[..count.min(case.ways.len())];
    let p = smoothing.forecast(ways, themes);
    let mut others = 0.0;
    for (place, &theme) in case.ways.iter().enumerate() {
        let rest = case.ways.iter().enumerate().filter(|(other, _)| *other != place);
        let rest: Vec<usize> = rest.map(|(_, &theme)| theme).take(count).collect();
        others += nats(&smoothing.forecast(&rest, themes), theme);
    }
    [nats(&p, case.came), hit(&p, case.came), others / case.ways.len() as f64]
}

fn nats(p: &[f32], theme: usize) -> f64 {
    -f64::from(p[theme].max(1e-9)).ln()
}

/// Whether `theme` is the likeliest; of several alike, its share.
fn hit(p: &[f32], theme: usize) -> f64 {
    match p.iter().any(|q| *q > p[theme]) {
        true => 0.0,
        false => 1.0 / p.iter().filter(|q| **q == p[theme]).count() as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::models::Sees;

    #[test]
    fn counts_are_smoothed_and_each_way_is_forecast_without_itself() {
        let case = Case {
            cluster: 0,
            forecasts: vec![&[0.5, 0.25, 0.25], &[0.2, 0.4, 0.4]],
            came: 0,
            ways: vec![0, 0, 1],
            tokens: 10.0,
        };
        let of_two = resampled(&case, 2, Smoothing::AddOne);
        assert!((of_two[0] - (5f64 / 3.0).ln()).abs() < 1e-6, "3 of 5");
        assert_eq!(of_two[1], 1.0);
        // The others of a 0 are {0, 1}: p = 2/5; those of the 1 are {0, 0}: p = 1/5.
        let others = (2.0 * 2.5f64.ln() + 5f64.ln()) / 3.0;
        assert!((of_two[2] - others).abs() < 1e-6, "{of_two:?}");
        let ours = told(&case, 0);
        assert!((ours[2] - (2.0 * 2f64.ln() + 4f64.ln()) / 3.0).abs() < 1e-6);
        let by_shares = Smoothing::Shares(&[0.5, 0.25, 0.25]).forecast(&[1], 3);
        assert_eq!(by_shares, [0.25, 0.625, 0.125]);
        assert_eq!((hit(&[0.4, 0.4, 0.2], 1), hit(&[0.4, 0.4, 0.2], 2)), (0.5, 0.0));
        let shares = (2f64 / 3.0, 1f64 / 3.0);
        let entropy = -shares.0 * shares.0.ln() - shares.1 * shares.1.ln();
        assert!((case.entropy_nats() - entropy).abs() < 1e-9);
    }

    #[test]
    fn cost_grows_with_the_ways_on_and_other_models_are_compared_too() {
        let model = |name: &str| Model::new(name, Sees::Other, Vec::new());
        let (ours, text) = (model(OURS), model("text"));
        let case = |cluster| Case {
            cluster,
            forecasts: vec![&[0.7, 0.3], &[0.6, 0.4]],
            came: 0,
            ways: vec![0; 4],
            tokens: 20.0,
        };
        let models = (1, &[&ours, &text][..]);
        let cases: Vec<Case<'_>> = (0..6).map(case).collect();
        let reports = compared(models, &cases, &[0.5, 0.5], (50, 1));
        let tokens: Vec<f64> = reports.iter().map(|report| report.tokens).collect();
        assert_eq!(tokens, [0.0, 0.0, 20.0, 20.0, 80.0, 80.0]);
        assert!(reports[4].ours_minus.unwrap().excludes_zero(), "{:?}", reports[4]);
        let (gap, between) = ((0.6f64 / 0.7).ln(), reports[1].ours_minus_kl.unwrap());
        assert!((reports[0].kl_nats - reports[1].kl_nats - gap).abs() < 1e-6);
        assert!((between.low - gap).abs() < 1e-6 && (between.high - gap).abs() < 1e-6);
        assert_eq!((reports[0].ours_minus, &*reports[1].name), (None, "text"));
    }
}
