//! What a bundle foresees along the validation answers, replayed as in serving: what everything that
//! follows from its predictors is chosen by.

use crate::{
    Result, Split,
    dataset::Load,
    eval::embeddings::Embeddings,
    pace::Documents,
    replay::{Chain, Player, replay, target},
};
use std::{collections::HashMap, path::Path};
use themecast_forecast::{
    bundle::Bundle,
    linear::RowKind,
    predict::{Forecaster, Foresight},
};

/// What `of` makes of every moment of each labelled validation answer, given what is foreseen and the
/// themes that came: that of the segment of the token about to be written, and those after it.
///
/// # Errors
/// [`crate::LabError`] of reading.
pub(super) fn foreseen<T>(
    (dir, texts): (&Path, Option<&Embeddings>),
    bundle: &Bundle,
    chains: &HashMap<String, Chain>,
    progress: &dyn Fn(&str),
    of: impl Fn(Foresight, Vec<Option<u32>>) -> T,
) -> Result<Vec<Vec<T>>> {
    let mut all = Vec::new();
    let classifier = &bundle.predictor.heads(RowKind::Boundary)[0];
    let load = Load::Residuals(bundle.card.sites.clone());
    for document in Documents::open(dir, load, progress)? {
        let document = document?;
        let Some(chain) = chains.get(&document.id) else { continue };
        if Split::of(&document)? != Split::Validation {
            continue;
        }
        let (mut forecaster, mut moments) = (Forecaster::new(bundle), Vec::new());
        let now = |row: &[f32], now: &mut Vec<f32>| classifier.probabilities(row, now);
        replay(&document, Player { layout: bundle.layout(), texts }, now, |moment| {
            let foresight = forecaster.forecast(bundle, moment.kind, moment.features);
            // At a boundary the segment of the token about to be written is the next one.
            let first = usize::from(moment.kind == RowKind::Boundary);
            let came = |ahead| target(chain, moment.segment, first + ahead);
            let came = (0..foresight.steps.len()).map(came).collect();
            moments.push(of(foresight, came));
            Ok(())
        })?;
        all.push(moments);
    }
    Ok(all)
}
