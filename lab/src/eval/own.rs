//! The bundle's own forecasts of the test split, through the path of serving.

use crate::{
    Result, Split,
    dataset::{DocumentReader, Load},
    replay::{Chain, Moment, replay, target},
};
use std::{collections::HashMap, path::Path};
use themecast_forecast::{
    bundle::Bundle,
    linear::{Affine, RowKind},
};

/// A moment of a test document that forecasts are made for.
#[derive(Debug, Clone)]
pub(super) struct Event {
    /// The test document's number, by its id.
    pub(super) document: usize,
    /// The segment of the last token read; −1 at the prompt's end.
    pub(super) segment: i32,
    pub(super) chain: Chain,
}

impl Event {
    pub(super) fn came(&self, offset: usize) -> Option<u32> {
        target(&self.chain, self.segment, offset)
    }

    pub(super) fn present(&self) -> Option<u32> {
        target(&self.chain, self.segment, 0)
    }
}

/// Forecasts for events.
#[derive(Debug, Default)]
pub(super) struct Forecasts {
    pub(super) events: Vec<Event>,
    /// Per offset, *shape* `[events, themes]`.
    pub(super) by_offset: Vec<Vec<f32>>,
}

impl Forecasts {
    fn new(offsets: usize) -> Self {
        Self { events: Vec::new(), by_offset: vec![Vec::new(); offsets] }
    }
}

/// What was forecast on the test split.
pub(super) struct Own {
    /// At the prompt's end and at boundaries.
    pub(super) boundary: Forecasts,
    /// At every other token.
    pub(super) mid: Forecasts,
    /// The extra heads' forecasts at boundaries; empty where there are none.
    pub(super) extra: Vec<Vec<f32>>,
}

/// Replays the test documents, numbered by `numbers`. `extra` are further heads on the rows of
/// boundaries, for offsets from 1 on.
///
/// # Errors
/// [`crate::LabError`] of reading.
pub(super) fn replay_test(
    dir: &Path,
    bundle: &Bundle,
    chains: &HashMap<String, Chain>,
    numbers: &HashMap<String, usize>,
    (horizons, extra): (usize, &[Affine]),
) -> Result<Own> {
    let mut own = Own {
        boundary: Forecasts::new(horizons + 1),
        mid: Forecasts::new(horizons + 1),
        extra: vec![Vec::new(); extra.len()],
    };
    let classifier = &bundle.predictor.heads(RowKind::Boundary)[0];
    let mut out = Vec::new();
    for document in DocumentReader::open(dir, Load::Residuals(bundle.card.sites.clone()))? {
        let document = document?;
        let known = chains.get(&document.id).zip(numbers.get(&document.id));
        let Some((chain, &number)) = known else { continue };
        if Split::of(&document)? != Split::Test {
            continue;
        }
        let now = |row: &[f32], now: &mut Vec<f32>| classifier.probabilities(row, now);
        replay(&document, bundle.layout(), now, |moment| {
            if moment.segment >= chain.len() as i32 {
                return Ok(());
            }
            let into =
                if moment.kind == RowKind::Boundary { &mut own.boundary } else { &mut own.mid };
            into.events.push(Event {
                document: number,
                segment: moment.segment,
                chain: chain.clone(),
            });
            for (offset, forecasts) in into.by_offset.iter_mut().enumerate() {
                forecast(moment, &bundle.predictor.heads(moment.kind)[offset], offset, &mut out);
                forecasts.extend_from_slice(&out);
            }
            if moment.kind == RowKind::Boundary {
                for (head, forecasts) in extra.iter().zip(&mut own.extra) {
                    head.probabilities(moment.features, &mut out);
                    forecasts.extend_from_slice(&out);
                }
            }
            Ok(())
        })?;
    }
    Ok(own)
}

/// The forecast of one head; at a boundary, offset 0 is what the replay has classified already.
fn forecast(moment: &Moment<'_>, head: &Affine, offset: usize, out: &mut Vec<f32>) {
    match moment.now {
        Some(now) if offset == 0 => {
            out.clear();
            out.extend_from_slice(now);
        }
        _ => head.probabilities(moment.features, out),
    }
}
