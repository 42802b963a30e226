//! Watches: the probability that a theme comes within the horizon, at every boundary of the test
//! split and for every theme, as themes follow each other and as if segments were independent.
//!
//! An answer that ends by itself before the horizon did not bring what had not come: an operator
//! asks whether the theme comes, not whether it would have. What one that the token limit cut off
//! would have brought is not known, so it does not count there.

use super::{
    bootstrap::{Draws, Interval, PerPrompt},
    events::{Story, clusters},
    more_reports::WatchReport,
    ood::auroc,
};
use crate::{
    dataset::Document,
    replay::{Moment, target},
};
use themecast_forecast::{bundle::Bundle, predict::Foresight};

/// The probability from which a watch counts as raised.
const RAISED: f64 = 0.5;
/// Bins that calibration is judged in: of equal width, since of most watches little is told and bins
/// of equal mass would hardly see the rest.
const BINS: usize = 10;

/// One theme at one boundary.
#[derive(Debug, Clone)]
pub(super) struct WatchCase {
    document: String,
    served: f64,
    independent: f64,
    came: bool,
    /// The answer went on to the end of the horizon.
    whole: bool,
}

/// Scores a watch for each theme at `moment`, a boundary of `document`.
pub(super) fn score(
    (bundle, foresight): (&Bundle, &Foresight),
    moment: &Moment<'_>,
    (document, chain): (&Document, &[u32]),
    into: &mut Vec<WatchCase>,
) {
    let coming: Vec<u32> = (1..=foresight.steps.len())
        .map_while(|offset| target(chain, moment.segment, offset))
        .collect();
    let whole = coming.len() == foresight.steps.len();
    if !whole && document.truncated() {
        return;
    }
    for theme in 0..bundle.card.themes.len() {
        let without: f32 = foresight.steps.iter().map(|p| 1.0 - p[theme]).product();
        let came = coming.contains(&(theme as u32));
        into.push(WatchCase {
            document: document.id.clone(),
            served: f64::from(foresight.course(bundle).comes(&[theme], true)),
            independent: f64::from(1.0 - without),
            came,
            whole,
        });
    }
}

/// Both ways over all boundaries whose outcome is known, and over those whose answer goes on to the
/// end of the horizon.
pub(super) fn reports(
    cases: &[WatchCase],
    stories: &[Story],
    (resamples, seed): (usize, u64),
) -> Vec<WatchReport> {
    let (clusters, count) = clusters(stories);
    let draws = Draws::new(count, resamples, seed);
    let of = |name: &str, which: &dyn Fn(&WatchCase) -> bool| {
        let chosen: Vec<&WatchCase> = cases.iter().filter(|case| which(case)).collect();
        let mut apart = vec![PerPrompt::default(); count];
        for case in &chosen {
            if let Some(&cluster) = clusters.get(case.document.as_str()) {
                apart[cluster]
                    .add(nats(case.served, case.came) - nats(case.independent, case.came));
            }
        }
        let told = |p: fn(&WatchCase) -> f64| -> Vec<(f64, bool)> {
            chosen.iter().map(|case| (p(case), case.came)).collect()
        };
        let difference = draws.interval(&apart);
        [
            report((name, "served"), &told(|case| case.served), None),
            report((name, "independent"), &told(|case| case.independent), difference),
        ]
    };
    if cases.is_empty() {
        return Vec::new();
    }
    [of("every boundary", &|_| true), of("answers that go on", &|case| case.whole)].concat()
}

fn report(
    (places, way): (&str, &str),
    told: &[(f64, bool)],
    served_minus: Option<Interval>,
) -> WatchReport {
    let mean = |of: &dyn Fn(&(f64, bool)) -> f64| {
        told.iter().map(of).sum::<f64>() / told.len().max(1) as f64
    };
    let share = |of: &dyn Fn(&(f64, bool)) -> bool, among: &dyn Fn(&(f64, bool)) -> bool| {
        let among: Vec<&(f64, bool)> = told.iter().filter(|case| among(case)).collect();
        let hits = among.iter().filter(|case| of(case)).count();
        (!among.is_empty()).then(|| hits as f64 / among.len() as f64)
    };
    let side = |came| -> Vec<f64> {
        told.iter().filter(|case| case.1 == came).map(|case| case.0).collect()
    };
    WatchReport {
        places: places.to_owned(),
        way: way.to_owned(),
        cases: told.len(),
        mean_p: mean(&|case| case.0),
        came: mean(&|case| f64::from(u8::from(case.1))),
        nats: mean(&|case| nats(case.0, case.1)),
        served_minus,
        calibration_error: calibration_error(told),
        auroc: auroc(&side(false), &side(true)),
        precision: share(&|case| case.1, &|case| case.0 >= RAISED),
        recall: share(&|case| case.0 >= RAISED, &|case| case.1),
    }
}

/// How far the share that came is from the mean probability, bin by bin.
fn calibration_error(told: &[(f64, bool)]) -> f64 {
    let mut apart = [0.0; BINS];
    for (p, came) in told {
        let bin = ((p * BINS as f64) as usize).min(BINS - 1);
        apart[bin] += f64::from(u8::from(*came)) - p;
    }
    apart.iter().map(|sum| sum.abs()).sum::<f64>() / told.len().max(1) as f64
}

fn nats(p: f64, came: bool) -> f64 {
    let p = p.clamp(1e-6, 1.0 - 1e-6);
    -if came { p.ln() } else { (1.0 - p).ln() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_is_counted_against_what_came() {
        let told = [(0.9, true), (0.9, false), (0.1, false), (0.1, true)];
        let report = report(("here", "served"), &told, None);
        assert_eq!((report.precision, report.recall), (Some(0.5), Some(0.5)));
        assert!((report.mean_p - 0.5).abs() < 1e-9 && (report.came - 0.5).abs() < 1e-9);
        assert!((report.calibration_error - 0.4).abs() < 1e-9, "{}", report.calibration_error);
        assert_eq!(report.auroc, Some(0.5));
    }
}
