//! How the segments of a chain are linked: ratios counted on the training split, their power and the
//! chain predictor's share chosen on the validation split, for what is served.

use crate::{
    LabError, Result, Split,
    counted::Counted,
    dataset::Load,
    eval::embeddings::Embeddings,
    pace::Documents,
    replay::{Chain, Player, replay, target},
};
use serde::Serialize;
use std::{collections::HashMap, path::Path};
use themecast_forecast::{
    bundle::{Bundle, Card},
    chains::{Course, Link, LinkCard, Strength},
    linear::RowKind,
    predict::{Forecaster, Foresight},
};

/// Powers of the ratios that are tried.
pub(crate) const POWERS: [f32; 9] = [0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0];
/// Tenths of the logarithm that are the chain predictor's at most.
const TENTHS: u8 = 10;

/// What links do to the segments after the one being written, on the validation split.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LinkReport {
    /// Whether a segment ends there; else within one.
    pub boundary: bool,
    /// The strength that was chosen.
    pub strength: Strength,
    /// Pairs of a segment and the one after it.
    pub cases: usize,
    /// Mean loss of the later one's theme given those before it, in nats.
    pub nats: f64,
    /// The same without links: by the chain predictor alone, else of each segment by itself.
    pub unlinked_nats: f64,
}

/// A theme with what was said of it.
struct Case {
    /// The theme before it, and it.
    pair: [usize; 2],
    /// The distribution of its segment by itself, *shape* `[themes]`.
    single: Vec<f32>,
    /// What the chain predictor says comes after those before it; empty where there is none.
    told: Vec<f32>,
}

/// Links `bundle`, which is settled otherwise; links that it had are replaced.
///
/// # Errors
/// [`LabError`] of reading; [`LabError::Data`] where no validation answer has two segments.
pub(super) fn link(
    (dir, texts): (&Path, Option<&Embeddings>),
    bundle: &mut Bundle,
    chains: &HashMap<String, Chain>,
    progress: &dyn Fn(&str),
) -> Result<Vec<LinkReport>> {
    let (train, validation) = by_split(dir, chains, progress)?;
    let themes = bundle.card.themes.len();
    let counted = Counted::new(&train, &validation, themes, 1);
    let [boundary, mid] = told((dir, texts), bundle, chains, progress)?;
    let unset = Strength { power: 0.0, chain: 0.0 };
    let card = LinkCard { boundary: unset, mid: unset };
    let mut link = Link { card, ratios: counted.ratios() };
    let reports = [best(&link, &boundary, bundle, true)?, best(&link, &mid, bundle, false)?];
    link.card = LinkCard { boundary: reports[0].strength, mid: reports[1].strength };
    bundle.card.format = Card::format(bundle.card.layer_norm, true);
    bundle.card.link = Some(link.card);
    bundle.link = Some(link);
    Ok(reports.into())
}

/// The chains of the training and of the validation split.
fn by_split(
    dir: &Path,
    chains: &HashMap<String, Chain>,
    progress: &dyn Fn(&str),
) -> Result<(Vec<Chain>, Vec<Chain>)> {
    let (mut train, mut validation) = (Vec::new(), Vec::new());
    for document in Documents::open(dir, Load::Documents, progress)? {
        let document = document?;
        let Some(chain) = chains.get(&document.id) else { continue };
        match Split::of(&document)? {
            Split::Train => train.push(chain.clone()),
            Split::Validation => validation.push(chain.clone()),
            Split::Test | Split::HeldOut => {}
        }
    }
    Ok((train, validation))
}

/// Every pair of segments ahead of every moment of the validation split: at boundaries, within segments.
fn told(
    (dir, texts): (&Path, Option<&Embeddings>),
    bundle: &Bundle,
    chains: &HashMap<String, Chain>,
    progress: &dyn Fn(&str),
) -> Result<[Vec<Case>; 2]> {
    let mut all = [Vec::new(), Vec::new()];
    let classifier = &bundle.predictor.heads(RowKind::Boundary)[0];
    let load = Load::Residuals(bundle.card.sites.clone());
    for document in Documents::open(dir, load, progress)? {
        let document = document?;
        let Some(chain) = chains.get(&document.id) else { continue };
        if Split::of(&document)? != Split::Validation {
            continue;
        }
        let mut forecaster = Forecaster::new(bundle);
        let now = |row: &[f32], now: &mut Vec<f32>| classifier.probabilities(row, now);
        replay(&document, Player { layout: bundle.layout(), texts }, now, |moment| {
            let foresight = forecaster.forecast(bundle, moment.kind, moment.features);
            let first = usize::from(moment.kind == RowKind::Boundary);
            let came = (0..foresight.steps.len())
                .map_while(|ahead| target(chain, moment.segment, first + ahead))
                .map(|theme| theme as usize);
            let into = &mut all[usize::from(moment.kind == RowKind::Mid)];
            into.extend(cases(bundle, &foresight, &came.collect::<Vec<_>>()));
            Ok(())
        })?;
    }
    Ok(all)
}

/// A case for each of `came` but the first.
fn cases(bundle: &Bundle, foresight: &Foresight, came: &[usize]) -> Vec<Case> {
    let course = Course { link: None, ..foresight.course(bundle) };
    let before = &came[..came.len().saturating_sub(1)];
    let mut told = match course.chain {
        Some(_) => course.following(before),
        None => vec![Vec::new(); before.len()],
    };
    let pairs = came.windows(2).zip(&foresight.steps[1..]).zip(told.drain(..));
    let case = |((pair, single), told): ((&[usize], &Vec<f32>), _)| Case {
        pair: [pair[0], pair[1]],
        single: single.clone(),
        told,
    };
    pairs.map(case).collect()
}

/// The strength with which `cases` lose least.
fn best(link: &Link, cases: &[Case], bundle: &Bundle, boundary: bool) -> Result<LinkReport> {
    use rayon::prelude::*;
    if cases.is_empty() {
        return Err(LabError::data("no validation answer has two segments to link"));
    }
    let loss = |strength: Strength| -> f64 {
        let nats = |case: &Case| {
            let told = (!case.told.is_empty()).then_some(&case.told[..]);
            let p = link.after(case.pair[0], &case.single, strength, told)[case.pair[1]];
            -f64::from(p.max(1e-9).ln())
        };
        cases.iter().map(nats).sum::<f64>() / cases.len() as f64
    };
    let chained = bundle.chain.is_some();
    let shares = if chained { 0..=TENTHS } else { 0..=0 };
    let shares = shares.map(|tenths| f32::from(tenths) / f32::from(TENTHS));
    let strengths: Vec<Strength> =
        shares.flat_map(|chain| POWERS.map(|power| Strength { power, chain })).collect();
    let tried: Vec<(f64, Strength)> =
        strengths.into_par_iter().map(|strength| (loss(strength), strength)).collect();
    let least = tried.into_iter().min_by(|a, b| a.0.total_cmp(&b.0));
    let (nats, strength) = least.ok_or_else(|| LabError::data("no strength of links was tried"))?;
    let unlinked = Strength { power: 0.0, chain: f32::from(u8::from(chained)) };
    let unlinked_nats = loss(unlinked);
    Ok(LinkReport { boundary, strength, cases: cases.len(), nats, unlinked_nats })
}
