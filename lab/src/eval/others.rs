//! Other bundles on the same events: of other seeds, of other kinds.

use super::{
    events::{BySplit, Event, Part, Place, WITHIN},
    judge::{self, Judge},
    metrics::Case,
    more_reports::OtherReport,
    own::{Forecasts, Own, Served},
};
use std::path::Path;

/// One bundle that was replayed.
pub(super) struct Replayed<'a> {
    pub(super) path: &'a Path,
    pub(super) own: &'a Own,
    pub(super) served: Served,
    pub(super) horizons: usize,
}

/// The moments on which bundles are compared.
#[derive(Clone, Copy)]
pub(super) struct Moments<'a> {
    pub(super) judge: &'a Judge<'a>,
    pub(super) boundary: &'a BySplit<Part>,
    pub(super) within: &'a BySplit<Part>,
}

/// Scores `one` everywhere, and `first` minus it.
pub(super) fn reports(
    one: &Replayed<'_>,
    first: Option<&Own>,
    on: Moments<'_>,
) -> Vec<OtherReport> {
    let outside = [Place::PromptEnd, Place::Boundary].map(|place| (place, 1));
    let within = WITHIN.map(|tokens| (Place::Within(tokens), 0));
    let ahead = |(place, from)| (from..=one.horizons).map(move |ahead| (place, ahead));
    let all = outside.into_iter().chain(within).flat_map(ahead);
    all.filter_map(|at| report(one, first, on, at)).collect()
}

fn report(
    one: &Replayed<'_>,
    first: Option<&Own>,
    Moments { judge, boundary, within }: Moments<'_>,
    (place, ahead): (Place, usize),
) -> Option<OtherReport> {
    let parts = if matches!(place, Place::Within(_)) { within } else { boundary };
    let at = (judge, place, ahead);
    let validation = cases(&of(one.own, place).validation, &parts.validation, at)?;
    let found = cases(&of(one.own, place).test, &parts.test, at)?;
    let first = first.and_then(|first| cases(&of(first, place).test, &parts.test, at));
    let (_, least) = one.served.at(place, ahead);
    let alone = judge.alone(ahead, &found, least)?;
    Some(OtherReport {
        bundle: one.path.display().to_string(),
        place: place.name(),
        ahead,
        validation_nll_nats: judge::nats(&validation)?,
        scores: alone.scores,
        intervals: alone.intervals,
        ours_minus: first.and_then(|first| judge.difference(&first, &found)),
    })
}

fn of(own: &Own, place: Place) -> &BySplit<Forecasts> {
    if matches!(place, Place::Within(_)) { &own.within } else { &own.boundary }
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
