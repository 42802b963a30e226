//! Other bundles on the same events: of other seeds, of other kinds.

use super::{
    events::{BySplit, Event, Part, Place},
    judge::Judge,
    metrics::Case,
    more_reports::OtherReport,
    own::{Forecasts, Own},
    report::PlaceReport,
};
use std::path::Path;

/// Scores the bundle in the folder `path`, whose forecasts are `own`, and `first` minus it.
pub(super) fn reports(
    path: &Path,
    (own, first): (&Own, Option<&Own>),
    (judge, parts): (&Judge<'_>, &BySplit<Part>),
    horizons: usize,
) -> Vec<OtherReport> {
    let places = [Place::PromptEnd, Place::Boundary].into_iter();
    let all = places.flat_map(|place| (1..=horizons).map(move |ahead| (place, ahead)));
    let report = |(place, ahead)| {
        let at = (judge, place, ahead);
        let validation = cases(&own.boundary.validation, &parts.validation, at)?;
        let found = cases(&own.boundary.test, &parts.test, at)?;
        let first = first.and_then(|first| cases(&first.boundary.test, &parts.test, at));
        let PlaceReport { cases, scores, nll_interval, .. } = judge.alone(ahead, &found)?;
        Some(OtherReport {
            bundle: path.display().to_string(),
            place: place.name(),
            ahead,
            cases,
            validation_nll_nats: judge.alone(ahead, &validation)?.scores.nll_nats,
            nll_nats: scores.nll_nats,
            nll_interval,
            top1: scores.top1,
            ours_minus: first.and_then(|first| judge.difference(&first, &found)),
        })
    };
    all.filter_map(report).collect()
}

fn cases<'f>(
    own: &'f Forecasts,
    part: &Part,
    (judge, place, ahead): (&Judge<'_>, Place, usize),
) -> Option<Vec<Case<'f>>> {
    let forecasts = own.by_offset.get(ahead)?;
    let here = |event: &Event| event.place == place;
    Some(judge.cases(&part.events, forecasts, ahead, here))
}
