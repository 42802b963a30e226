//! The rows of two models at the same moments, side by side.

use super::super::{
    collected::Collected,
    events::{BySplit, Event, Part},
};
use std::{collections::HashMap, ops::Range};

/// The moments that both models have.
pub(super) struct Paired {
    /// The writer's events; each row holds the writer's columns, then the reader's.
    pub(super) parts: BySplit<Part>,
    /// How many columns are the writer's.
    pub(super) own: usize,
}

/// What one model may be fitted on: a name and its columns in a paired row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) name: String,
    pub(super) ranges: Vec<Range<usize>>,
}

/// Puts `other` beside `own`; a moment that one of them lacks is left out.
pub(super) fn pair(own: &Collected, other: &Collected) -> Paired {
    let split = |own_part: &Part, other_part: &Part| {
        let key =
            |of: &Collected, event: &Event| (of.stories[event.story].id.clone(), event.segment);
        let there: HashMap<(String, i32), usize> = other_part
            .events
            .iter()
            .enumerate()
            .map(|(place, event)| (key(other, event), place))
            .collect();
        let mut part = Part::default();
        for (place, event) in own_part.events.iter().enumerate() {
            if let Some(&at) = there.get(&key(own, event)) {
                part.events.push(event.clone());
                part.rows.extend_from_slice(own_part.row(place));
                part.rows.extend_from_slice(other_part.row(at));
            }
        }
        part
    };
    let (a, b) = (&own.boundary, &other.boundary);
    let parts = BySplit {
        train: split(&a.train, &b.train),
        validation: split(&a.validation, &b.validation),
        test: split(&a.test, &b.test),
        held_out: Part::default(),
    };
    Paired { parts, own: own.layout.len() }
}

/// Each site of `collected` alone and, where there are several, all of them; its rows begin at
/// the column `start`.
pub(super) fn sites(collected: &Collected, start: usize) -> Vec<Columns> {
    let columns = |name: String, sites: &[_]| {
        let mut ranges = collected.columns_of(sites);
        ranges.push(collected.layout.position());
        let shifted = ranges.into_iter().map(|range| range.start + start..range.end + start);
        Columns { name, ranges: shifted.collect() }
    };
    let alone = collected.sites.iter().map(|&site| columns(site.to_string(), &[site]));
    let mut all: Vec<Columns> = alone.collect();
    if all.len() > 1 {
        all.push(columns(format!("all {} sites", all.len()), &collected.sites));
    }
    all
}
