//! What the measures of uncertainty tell: whether a forecast is wrong, whether an answer is strange.

use super::{bootstrap::Draws, more_reports::DoubtReport, ood::auroc};
use crate::{
    Split,
    dataset::Document,
    replay::{Moment, target},
};
use std::collections::BTreeMap;
use themecast_forecast::{divergence::entropy_nats, predict::Foresight};

/// The names of the measures, in the order of [`DoubtCase::values`].
const MEASURES: [&str; 2] = ["entropy of the forecast", "disagreement"];

/// One forecast at a boundary.
#[derive(Debug, Clone)]
pub(super) struct DoubtCase {
    prompt: String,
    strange: bool,
    ahead: usize,
    wrong: bool,
    values: [f64; 2],
}

/// Takes the forecasts of a boundary where there are opinions to disagree: of chain and heads, or of
/// an ensemble's members.
pub(super) fn take(
    foresight: &Foresight,
    moment: &Moment<'_>,
    (document, split, chain): (&Document, Split, &[u32]),
    into: &mut Vec<DoubtCase>,
) {
    if !matches!(split, Split::Test | Split::HeldOut) {
        return;
    }
    let measured = foresight.steps.iter().zip(&foresight.disagreement_nats);
    for (ahead, (step, apart)) in (1..).zip(measured).take(foresight.steps.len() - 1) {
        let Some(came) = target(chain, moment.segment, ahead) else { return };
        let likeliest = step.iter().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b));
        into.push(DoubtCase {
            prompt: document.prompt_id.clone(),
            strange: split == Split::HeldOut,
            ahead,
            wrong: likeliest.is_some_and(|(theme, _)| theme != came as usize),
            values: [f64::from(entropy_nats(step)), f64::from(*apart)],
        });
    }
}

/// Every measure, by segments ahead.
pub(super) fn reports(cases: &[DoubtCase], (resamples, seed): (usize, u64)) -> Vec<DoubtReport> {
    let most = cases.iter().map(|case| case.ahead).max().unwrap_or(0);
    let all = (1..=most).flat_map(|ahead| (0..MEASURES.len()).map(move |measure| (ahead, measure)));
    all.map(|(ahead, measure)| {
        let of = |strange: bool| {
            let cases = cases.iter().filter(move |case| case.ahead == ahead);
            cases.filter(move |case| case.strange == strange)
        };
        let usual: Vec<f64> = of(false).map(|case| case.values[measure]).collect();
        let strange: Vec<f64> = of(true).map(|case| case.values[measure]).collect();
        let mut prompts: BTreeMap<&str, [Vec<f64>; 2]> = BTreeMap::new();
        for case in of(false) {
            let [right, wrong] = prompts.entry(&case.prompt).or_default();
            if case.wrong { wrong } else { right }.push(case.values[measure]);
        }
        let prompts: Vec<[Vec<f64>; 2]> = prompts.into_values().collect();
        let drawn = |counts: &[u32], which: usize| -> Vec<f64> {
            let often = prompts.iter().zip(counts);
            often.flat_map(|(one, &count)| one[which].repeat(count as usize)).collect()
        };
        let draws = Draws::new(prompts.len(), resamples, seed);
        DoubtReport {
            ahead,
            measure: MEASURES[measure].to_owned(),
            cases: usual.len(),
            wrong_auroc: draws.statistic(|counts| auroc(&drawn(counts, 0), &drawn(counts, 1))),
            strange_auroc: auroc(&usual, &strange),
            mean_nats: usual.iter().sum::<f64>() / usual.len().max(1) as f64,
        }
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measure_that_is_high_where_forecasts_are_wrong_is_told_from_one_that_is_not() {
        let case = |number: usize| DoubtCase {
            prompt: format!("p{}", number / 4),
            strange: number >= 80,
            ahead: 1,
            wrong: number.is_multiple_of(2),
            values: [f64::from(u8::from(number.is_multiple_of(2))), f64::from(number as u32 / 80)],
        };
        let cases: Vec<DoubtCase> = (0..100).map(case).collect();
        let [entropy, apart] = &reports(&cases, (50, 1))[..] else { panic!() };
        assert_eq!((entropy.cases, entropy.wrong_auroc.unwrap().mean), (80, 1.0));
        assert_eq!((apart.wrong_auroc.unwrap().mean, apart.strange_auroc), (0.5, Some(1.0)));
    }
}
