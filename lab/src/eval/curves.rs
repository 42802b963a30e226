//! Learning curves: is more data worth it?

use super::{
    collected::Collected,
    events::{BySplit, Part, Place},
    fit::{self, Design, Setup},
    judge::{Judge, nats},
    models::Workshop,
    more_reports::CurveReport,
};
use crate::{Result, pace::Pace};
use rand_xoshiro::{
    Xoshiro256PlusPlus,
    rand_core::{RngCore, SeedableRng},
};
use std::collections::HashSet;

/// Shares of the training prompts.
const SHARES: [f64; 4] = [0.1, 0.25, 0.5, 1.0];

/// Fits activations with the true themes so far on shares of the training prompts, `draws` times
/// each; on all of them once, since nothing is drawn then.
///
/// # Errors
/// [`crate::LabError::Fit`].
pub(super) fn curves(
    workshop: &Workshop<'_>,
    judge: &Judge<'_>,
    setup: &Setup,
    draws: u64,
    progress: &dyn Fn(&str),
) -> Result<Vec<CurveReport>> {
    let collected = workshop.collected;
    let mut parts = BySplit {
        train: Part::default(),
        validation: collected.boundary.validation.clone(),
        test: collected.boundary.test.clone(),
        held_out: Part::default(),
    };
    let write = |part: &Part, event: usize, out: &mut Vec<f32>| {
        workshop.with_true_themes(part, event, out);
    };
    let mut reports: Vec<CurveReport> = Vec::new();
    let mut before: Vec<Vec<f32>> = Vec::new();
    let drawn = |share: f64| if share < 1.0 { draws } else { 1 };
    let all: u64 = SHARES.iter().map(|&share| drawn(share)).sum();
    let (pace, mut done) = (Pace::new("curves fitted", progress), 0);
    for share in SHARES {
        progress(&format!("learning curve: {:.0} % of the training prompts", 100.0 * share));
        let first = reports.len();
        for draw in 0..drawn(share) {
            let seed = workshop.config.seed + draw;
            let documents = subset(collected, share, seed, &mut parts.train);
            let targets = fit::targets(&parts, setup);
            let fitted =
                fit::fit(&Design::plain(&write, workshop.normed(0)), &parts, &targets, setup)?;
            for (place, (&ahead, fitted)) in setup.aheads.iter().zip(&fitted).enumerate() {
                if draw == 0 {
                    let (nll_nats, top1, gain) = (Vec::new(), Vec::new(), None);
                    reports.push(CurveReport { share, documents, ahead, nll_nats, top1, gain });
                }
                let here = |event: &super::events::Event| event.place == Place::Boundary;
                let of = |forecasts| judge.cases(&parts.test.events, forecasts, ahead, here);
                let cases = of(&fitted.test);
                let hits = cases.iter().filter(|case| case.hit(1)).count();
                let report = &mut reports[first + place];
                report.nll_nats.push(nats(&cases).unwrap_or(f64::NAN));
                report.top1.push(hits as f64 / cases.len().max(1) as f64);
                if let Some(before) = before.get(place).filter(|_| draw == 0) {
                    report.gain = judge.difference(&cases, &of(before));
                }
            }
            if draw == 0 {
                before = fitted.into_iter().map(|fitted| fitted.test).collect();
            }
            done += 1;
            pace.at(done, all as usize);
        }
    }
    Ok(reports)
}

/// Fills `into` with the training events of a share of the prompts; how many documents they are.
fn subset(collected: &Collected, share: f64, seed: u64, into: &mut Part) -> usize {
    let train = &collected.boundary.train;
    let cluster = |story: usize| collected.stories[story].cluster;
    let mut prompts: Vec<usize> = train.events.iter().map(|event| cluster(event.story)).collect();
    prompts.sort_unstable();
    prompts.dedup();
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    for last in (1..prompts.len()).rev() {
        prompts.swap(last, (random.next_u64() % (last as u64 + 1)) as usize);
    }
    prompts.truncate((prompts.len() as f64 * share).round().max(1.0) as usize);
    let prompts: HashSet<usize> = prompts.into_iter().collect();
    into.events.clear();
    into.rows.clear();
    let mut documents = HashSet::new();
    for (at, event) in train.events.iter().enumerate() {
        if prompts.contains(&cluster(event.story)) {
            into.events.push(event.clone());
            into.rows.extend_from_slice(train.row(at));
            documents.insert(event.story);
        }
    }
    documents.len()
}
