//! Other bundles on the same events: of other seeds, of other kinds.

use super::{
    collected::Collected,
    events::{BySplit, Event, Part, Place, WITHIN},
    judge::{self, Judge},
    metrics::Case,
    more_reports::{OtherByReader, OtherReport},
    own::{Forecasts, Own, Served},
    reader::Reader,
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
    pub(super) collected: &'a Collected,
    /// What a reader said of them, where one was asked.
    pub(super) reader: Option<&'a Reader>,
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
    on: Moments<'_>,
    (place, ahead): (Place, usize),
) -> Option<OtherReport> {
    let judge = on.judge;
    let parts = on.parts(place);
    let at = (judge, place, ahead);
    let validation = cases(&of(one.own, place).validation, &parts.validation, at)?;
    let found = cases(&of(one.own, place).test, &parts.test, at)?;
    let ours = first.and_then(|first| cases(&of(first, place).test, &parts.test, at));
    let (_, least) = one.served.at(place, ahead);
    let alone = judge.alone(ahead, &found, least)?;
    Some(OtherReport {
        bundle: one.path.display().to_string(),
        place: place.name(),
        ahead,
        validation_nll_nats: judge::nats(&validation)?,
        scores: alone.scores,
        intervals: alone.intervals,
        ours_minus: ours.and_then(|ours| judge.difference(&ours, &found)),
        reader: by_reader(one, first, on, (place, ahead)),
    })
}

fn by_reader(
    one: &Replayed<'_>,
    first: Option<&Own>,
    on: Moments<'_>,
    (place, ahead): (Place, usize),
) -> Option<OtherByReader> {
    let (reader, judge) = (on.reader?, on.judge);
    let found = on.read(reader, one.own, (place, ahead))?;
    let ours = first.and_then(|first| on.read(reader, first, (place, ahead)));
    let (_, least) = one.served.at(place, ahead);
    let alone = judge.alone(ahead, &found, least)?;
    Some(OtherByReader {
        scores: alone.scores,
        intervals: alone.intervals,
        ours_minus: ours.and_then(|ours| judge.difference(&ours, &found)),
    })
}

impl<'a> Moments<'a> {
    fn parts(&self, place: Place) -> &'a BySplit<Part> {
        match place {
            Place::Within(_) => &self.collected.within,
            _ => &self.collected.boundary,
        }
    }

    /// Forecasts where the reader saw what came, with what it said came.
    fn read<'f>(
        &self,
        reader: &Reader,
        own: &'f Own,
        (place, ahead): (Place, usize),
    ) -> Option<Vec<Case<'f>>> {
        let forecasts = of(own, place).test.by_offset.get(ahead)?;
        let by = (self.judge, &self.collected.stories[..]);
        Some(reader.both(by, &self.parts(place).test, forecasts, (place, ahead)).read)
    }
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
