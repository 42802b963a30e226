//! The bundle's residuals alone: no means, no history, no position.

use crate::{
    Result,
    replay::Chain,
    train::{
        head::{self, Sample},
        matrices,
        rows::Source,
    },
};
use rayon::prelude::*;
use std::{collections::HashMap, path::Path};
use themecast_forecast::{bundle::Bundle, linear::Affine};

/// Heads on the residuals of the last token, for 1 to `horizons` segments ahead at boundaries,
/// trained like the bundle's own.
///
/// # Errors
/// [`crate::LabError`] of reading or fitting.
pub(super) fn heads(
    dir: &Path,
    bundle: &Bundle,
    chains: &HashMap<String, Chain>,
    (horizons, steps): (usize, u64),
) -> Result<Vec<Affine>> {
    let layout = bundle.layout();
    let source = Source { dir, sites: &bundle.card.sites, layout, chains, folds: 1, seed: 0 };
    let rows = source.without_history(|_| ())?;
    let targets: Vec<_> = (1..=horizons)
        .map(|ahead| (rows.train.targets(ahead), rows.validation.targets(ahead)))
        .collect();
    let (scaler, train, validation) = matrices(rows, layout)?;
    let unused = layout.residual().end..layout.len();
    let fit = |(on, by): &(Vec<Option<u32>>, Vec<Option<u32>>)| {
        let on = Sample { rows: &train, targets: on };
        let by = Sample { rows: &validation, targets: by };
        let head = head::fit(on, by, layout.themes, Some(&unused), steps)?;
        Ok(scaler.fold(&head.weights, head.temperature))
    };
    targets.par_iter().map(fit).collect()
}
