//! Controls: what ours is worth without a part of it, or on labels that mean nothing.

use super::{
    events::Part,
    fit::{self, Design, Setup, Write},
    models::{Model, Sees, TRUE_THEMES, Workshop},
    text,
};
use crate::Result;
use rand_xoshiro::{
    Xoshiro256PlusPlus,
    rand_core::{RngCore, SeedableRng},
};
use std::ops::Range;
use themecast_plugin_api::Site;

/// Columns of activations to fit.
pub(super) struct Control<'a> {
    pub(super) name: &'static str,
    /// Which of them are not z-scored.
    pub(super) raw: Option<Range<usize>>,
    pub(super) write: Box<Write<'a>>,
}

impl Workshop<'_> {
    /// Models that should do worse than ours, or show what a part of it is worth.
    pub(super) fn controls(&self) -> Vec<Control<'_>> {
        let layout = self.collected.layout;
        let mut controls = vec![Control {
            name: "length and position",
            raw: None,
            write: Box::new(move |part: &Part, event: usize, out: &mut Vec<f32>| {
                out.extend_from_slice(&part.row(event)[layout.position()]);
            }),
        }];
        if self.config.residual_only {
            let columns: Vec<Range<usize>> = self
                .bundle_sites
                .iter()
                .filter_map(|&site| self.collected.columns(site))
                .map(|[last, ..]| last)
                .collect();
            let write = move |part: &Part, event: usize, out: &mut Vec<f32>| {
                for columns in &columns {
                    out.extend_from_slice(&part.row(event)[columns.clone()]);
                }
            };
            let raw = layout.layer_norm.then_some(0..layout.hidden * self.bundle_sites.len());
            controls.push(Control { name: "residual only", raw, write: Box::new(write) });
        }
        let first = Site::LayerIn(0);
        if let Some(columns) = self.collected.columns(first) {
            let write = move |part: &Part, event: usize, out: &mut Vec<f32>| {
                for columns in &columns {
                    out.extend_from_slice(&part.row(event)[columns.clone()]);
                }
                text::write_themes(&part.events[event], self.themes, out);
            };
            let raw = layout.layer_norm.then_some(0..3 * layout.hidden);
            controls.push(Control { name: "layer 0 + true themes", raw, write: Box::new(write) });
        }
        controls
    }

    /// Activations, then the better text model, both with the true themes so far and both learnt from
    /// what a reader said (`targets`); penalties and temperatures by the labels, as for all.
    pub(super) fn learnt_from_reader(
        &self,
        at_boundaries: &[Model],
        targets: &[Vec<Option<u32>>],
        setup: &Setup,
    ) -> Result<Vec<Model>> {
        let parts = &self.collected.boundary;
        let write = |part: &Part, event: usize, out: &mut Vec<f32>| {
            self.with_true_themes(part, event, out);
        };
        let own = fit::fit(&Design::plain(&write, self.normed(0)), parts, targets, setup)?;
        let columns = self.better_text(at_boundaries);
        let text = self.fit_text(&columns, None, (parts, targets), setup)?;
        let name = |of: &str| format!("{of}, learnt from the reader");
        Ok(vec![
            Model::new(name(TRUE_THEMES), Sees::Other, own),
            Model::new(name(columns.name), Sees::Text, text),
        ])
    }

    /// Ours on labels that were dealt out at random among the training events.
    pub(super) fn shuffled(&self, setup: &Setup) -> Result<Model> {
        let parts = &self.collected.boundary;
        let mut random = Xoshiro256PlusPlus::seed_from_u64(self.config.seed);
        let mut targets = fit::targets(parts, setup);
        for targets in &mut targets {
            shuffle(targets, &mut random);
        }
        let write =
            |part: &Part, event: usize, out: &mut Vec<f32>| self.activations(part, event, out);
        let by_ahead = fit::fit(&Design::plain(&write, self.normed(0)), parts, &targets, setup)?;
        Ok(Model::new("shuffled labels", Sees::Other, by_ahead))
    }
}

/// Shuffles the classes of the rows that have one. *Source* Fisher and Yates 1938.
fn shuffle(targets: &mut [Option<u32>], random: &mut Xoshiro256PlusPlus) {
    let mut classes: Vec<u32> = targets.iter().flatten().copied().collect();
    for last in (1..classes.len()).rev() {
        classes.swap(last, (random.next_u64() % (last as u64 + 1)) as usize);
    }
    for (target, class) in targets.iter_mut().flatten().zip(classes) {
        *target = class;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shuffling_keeps_the_shares_and_the_gaps() {
        let before: Vec<_> = (0..100).map(|x| (x % 7 != 0).then_some(x / 20)).collect();
        let mut after = before.clone();
        shuffle(&mut after, &mut Xoshiro256PlusPlus::seed_from_u64(1));
        assert!(before.iter().zip(&after).all(|(a, b)| a.is_some() == b.is_some()));
        let sorted = |targets: &[Option<u32>]| {
            let mut classes: Vec<u32> = targets.iter().flatten().copied().collect();
            classes.sort_unstable();
            classes
        };
        assert_eq!(sorted(&before), sorted(&after));
        let moved = before.iter().zip(&after).filter(|(a, b)| a != b).count();
        assert!(moved > 50, "{moved}");
    }
}
