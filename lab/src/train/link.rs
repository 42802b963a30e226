//! How the segments of a chain are linked: ratios counted on the training split, their power and the
//! chain predictor's share chosen on the validation split, for what is served.

use super::foreseen::foreseen;
use crate::{
    LabError, Result, Split, counted::Counted, dataset::Load, eval::embeddings::Embeddings,
    pace::Documents, replay::Chain,
};
use serde::Serialize;
use std::{collections::HashMap, path::Path};
use themecast_forecast::{
    bundle::{Bundle, Card, Place},
    chains::{Course, Link, LinkCard, Strength},
    predict::Foresight,
};

/// Powers of the ratios that are tried.
pub(crate) const POWERS: [f32; 9] = [0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0];
/// Tenths of the logarithm that are the chain predictor's at most.
const TENTHS: usize = 10;

/// What a link does to a segment given the one before it, on the validation split.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LinkReport {
    /// Whether a segment begins there, the prompt's end included; else within one.
    pub boundary: bool,
    /// How many segments after the one being written it is, 1 being the next.
    pub ahead: usize,
    /// The strength that was chosen.
    pub strength: Strength,
    /// Moments with a segment so far ahead.
    pub cases: usize,
    /// Mean loss of its theme given those before it, in nats.
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
    /// What the chain predictor says comes after those before it, where there is one.
    told: Option<Vec<f32>>,
}

/// Links `bundle`, which is settled otherwise; links that it had are replaced.
///
/// # Errors
/// [`LabError`] of reading; [`LabError::Data`] where no validation answer has so many segments.
pub(super) fn link(
    from: (&Path, Option<&Embeddings>),
    bundle: &mut Bundle,
    chains: &HashMap<String, Chain>,
    progress: &dyn Fn(&str),
) -> Result<Vec<LinkReport>> {
    let (train, validation) = by_split(from.0, chains, progress)?;
    let counted = Counted::new(&train, &validation, bundle.card.themes.len(), 1);
    let moments = foreseen(from, bundle, chains, progress, |foresight, came| {
        (foresight.place() == Place::Mid, cases(bundle, &foresight, &came))
    })?;
    let card = LinkCard { boundary: Vec::new(), mid: Vec::new() };
    let mut link = Link { card, ratios: counted.ratios() };
    let mut reports = Vec::new();
    for ahead in 1..=bundle.card.horizons {
        for mid in [false, true] {
            let there = moments.iter().flatten().filter(|one| one.0 == mid);
            let there: Vec<&Case> = there.filter_map(|one| one.1.get(ahead - 1)).collect();
            let report = best(&link, &there, (!mid, ahead))?;
            let strengths = if mid { &mut link.card.mid } else { &mut link.card.boundary };
            strengths.push(report.strength);
            reports.push(report);
        }
    }
    bundle.card.format = Card::format(bundle.card.layer_norm, true);
    bundle.card.link = Some(link.card.clone());
    bundle.link = Some(link);
    Ok(reports)
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

/// A case for each theme that `came` but the first.
fn cases(bundle: &Bundle, foresight: &Foresight, came: &[Option<u32>]) -> Vec<Case> {
    let came: Vec<usize> = came.iter().map_while(|&one| one).map(|one| one as usize).collect();
    let course = Course { link: None, ..foresight.course(bundle) };
    let before = &came[..came.len().saturating_sub(1)];
    let told = match course.chain {
        Some(_) => course.following(before).into_iter().map(Some).collect(),
        None => vec![None; before.len()],
    };
    let pairs = came.windows(2).zip(&foresight.steps[1..]).zip(told);
    let case = |((pair, single), told): ((&[usize], &Vec<f32>), _)| Case {
        pair: [pair[0], pair[1]],
        single: single.clone(),
        told,
    };
    pairs.map(case).collect()
}

/// The strength with which `cases` lose least.
fn best(link: &Link, cases: &[&Case], (boundary, ahead): (bool, usize)) -> Result<LinkReport> {
    use rayon::prelude::*;
    let Some(first) = cases.first() else {
        let message = format!("no validation answer has a segment {ahead} ahead to link");
        return Err(LabError::Data(message));
    };
    let loss = |strength: Strength| -> f64 {
        let nats = |case: &&Case| {
            let [before, came] = case.pair;
            let p = link.after(before, &case.single, strength, case.told.as_deref());
            -f64::from(p[came].max(1e-9).ln())
        };
        cases.iter().map(nats).sum::<f64>() / cases.len() as f64
    };
    let chained = first.told.is_some();
    let shares = (0..=if chained { TENTHS } else { 0 }).map(|tenths| tenths as f32 / TENTHS as f32);
    let strengths: Vec<Strength> =
        shares.flat_map(|chain| POWERS.map(|power| Strength { power, chain })).collect();
    let tried: Vec<(f64, Strength)> =
        strengths.into_par_iter().map(|strength| (loss(strength), strength)).collect();
    let least = tried.into_iter().min_by(|a, b| a.0.total_cmp(&b.0));
    let unlinked = Strength { power: 0.0, chain: if chained { 1.0 } else { 0.0 } };
    let unlinked_nats = loss(unlinked);
    let (nats, strength) = least.unwrap_or((unlinked_nats, unlinked));
    Ok(LinkReport { boundary, ahead, strength, cases: cases.len(), nats, unlinked_nats })
}
