//! The models that are compared: either's activations, both, and the text.

use super::{
    super::{
        events::{BySplit, Part},
        fit::{self, Design, Fitted, Setup},
        models::{Model, Sees, Workshop},
        text,
    },
    paired::Columns,
};
use crate::{Result, pace::Pace};
use std::cell::Cell;

/// The name of the writer's row.
pub(super) const OWN: &str = "own activations";
/// The name of the reader's row.
pub(super) const OTHER: &str = "another model's activations";
/// The name of the row that sees both.
pub(super) const BOTH: &str = "both";

/// The models, the writer's first, and the sites that were chosen for writer and reader.
pub(super) struct Compared {
    pub(super) models: Vec<Model>,
    pub(super) sites: [String; 2],
}

/// Fits every model on the events of `workshop`, whose rows hold what `sites` name.
///
/// # Errors
/// [`crate::LabError::Fit`].
pub(super) fn models(
    workshop: &Workshop<'_>,
    sites: [Vec<Columns>; 2],
    setup: &Setup,
    progress: &dyn Fn(&str),
) -> Result<Compared> {
    let parts = &workshop.collected.boundary;
    let text_columns = workshop.text_columns();
    let all = sites.iter().map(Vec::len).sum::<usize>() + 3 + text_columns.len();
    let (pace, done) = (Pace::new("models fitted", progress), Cell::new(0));
    let fitted_one = || {
        done.set(done.get() + 1);
        pace.at(done.get(), all);
    };
    let [own, other] = sites.map(|sites| best(sites, parts, setup, progress, &fitted_one));
    let (own, other) = (own?, other?);
    let ranges = [&own.ranges[..], &other.ranges[..]].concat();
    let both = Columns { name: BOTH.to_owned(), ranges };
    let mut models = Vec::new();
    for (name, columns) in [(OWN, &own), (OTHER, &other), (BOTH, &both)] {
        progress(&format!("fitting {name} ({})", columns.name));
        models.push(Model::new(name, Sees::Other, fitted(columns, parts, setup)?));
        fitted_one();
    }
    for columns in text_columns {
        progress(&format!("fitting {}", columns.name));
        models.push(workshop.text_model(&columns, parts, setup)?);
        fitted_one();
    }
    Ok(Compared { models, sites: [own.name, other.name] })
}

/// Of `candidates` the one that loses the least on the validation split, one segment ahead.
fn best(
    candidates: Vec<Columns>,
    parts: &BySplit<Part>,
    setup: &Setup,
    progress: &dyn Fn(&str),
    fitted_one: &dyn Fn(),
) -> Result<Columns> {
    let one = Setup { aheads: vec![1], ..setup.clone() };
    let mut best: Option<(f32, Columns)> = None;
    for columns in candidates {
        let nats = fitted(&columns, parts, &one)?[0].nats;
        progress(&format!("{}: {nats:.3} nats on the validation split", columns.name));
        fitted_one();
        if best.as_ref().is_none_or(|(least, _)| nats < *least) {
            best = Some((nats, columns));
        }
    }
    let none = || crate::LabError::data("no residuals were collected");
    best.map(|(_, columns)| columns).ok_or_else(none)
}

/// `columns` and the true themes so far.
fn fitted(columns: &Columns, parts: &BySplit<Part>, setup: &Setup) -> Result<Vec<Fitted>> {
    let write = |part: &Part, event: usize, out: &mut Vec<f32>| {
        let row = part.row(event);
        for range in &columns.ranges {
            out.extend_from_slice(&row[range.clone()]);
        }
        text::write_themes(&part.events[event], setup.themes, out);
    };
    fit::fit(&Design::plain(&write, None), parts, &fit::targets(parts, setup), setup)
}
