//! What a card says, checked against itself.

use super::{BundleError, ByPlace, Card, MOST_HORIZONS, Temperatures, store::CARD};
use crate::{
    divergence::PLACES,
    ensemble::{self, MOST_MEMBERS},
};
use std::collections::HashSet;

/// The widest sentence embedding that a bundle may read.
const WIDEST: usize = 1 << 16;

/// Checks what the card says against itself, before any weight is looked at.
///
/// # Errors
/// [`BundleError::Value`] or [`BundleError::Count`]: the first thing that does not fit.
pub(super) fn check(card: &Card) -> Result<(), BundleError> {
    kinds(card)?;
    themes(card)?;
    counts(card)?;
    numbers(card)?;
    served(card)?;
    card.link.iter().try_for_each(|link| link.check(card.horizons))?;
    detectors(card)
}

fn wrong(message: String) -> Result<(), BundleError> {
    Err(BundleError::Value(message))
}

fn kinds(card: &Card) -> Result<(), BundleError> {
    let reads = card.text.is_some();
    let known = match card.predictor.as_str() {
        "linear" | "closed-form" => card.chain.is_none(),
        "text" => card.chain.is_none() && reads,
        "chain" => card.chain.is_some(),
        _ => false,
    };
    if !known {
        return wrong(format!(
            "predictor '{}' is not known, or its section is missing: want linear, closed-form, \
             chain or text",
            card.predictor
        ));
    }
    if card.text.as_ref().is_some_and(|text| !(1..=WIDEST).contains(&text.dimension)) {
        return wrong(format!("text: want embeddings of a width of 1 to {WIDEST}"));
    }
    let members = card.ensemble.len();
    if !ensemble::may_have(members) || (members > 0 && card.chain.is_some()) {
        return wrong(format!(
            "{members} members of an ensemble: want none or 2 to {MOST_MEMBERS}, and none beside a \
             chain, which is a second opinion"
        ));
    }
    if let Err(error) = card.segmenter.validate() {
        return wrong(error.to_string());
    }
    let trust = card.trust.iter().map(|trust| &trust.site);
    if let Some(site) = card.sites.iter().chain(trust).find(|site| !card.model.has(**site)) {
        return wrong(format!("site {site} is none of a model of {} layers", card.model.layers));
    }
    let (themes, sites, horizons) = (card.themes.len(), card.sites.len(), card.horizons);
    let ahead = (1..=MOST_HORIZONS).contains(&horizons);
    match themes >= 2 && sites >= 1 && card.model.hidden_size >= 1 && ahead {
        true => Ok(()),
        false => wrong(format!(
            "{themes} themes, {sites} sites and {horizons} horizons: want two themes or more, a \
             site or more and 1 to {MOST_HORIZONS} horizons"
        )),
    }
}

/// Ids become labels of metrics and keys of clients: each must be kebab-case, and there once.
fn themes(card: &Card) -> Result<(), BundleError> {
    let mut seen = HashSet::new();
    for theme in &card.themes {
        let id = theme.id.as_str();
        if !is_kebab_case(id) {
            return wrong(format!(
                "theme id {id:?}: want lower-case words and dashes (kebab-case)"
            ));
        }
        if !seen.insert(id) {
            return wrong(format!("theme id {id:?} is there twice: want each once"));
        }
    }
    Ok(())
}

/// Whether `id` is lower-case words and digits with dashes between, as the id of a theme must be.
pub fn is_kebab_case(id: &str) -> bool {
    let word = |word: &str| {
        !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    id.split('-').all(word)
}

fn counts(card: &Card) -> Result<(), BundleError> {
    let reference = &card.reference;
    let heads = temperatures(card).flat_map(|of| {
        [
            ("boundary temperatures", of.boundary.len(), card.offsets()),
            ("mid temperatures", of.mid.len(), card.offsets()),
        ]
    });
    let rest = [
        ("reference residual means", reference.residual_mean.len(), card.model.hidden_size),
        ("reference residual deviations", reference.residual_std.len(), card.model.hidden_size),
        ("reference theme shares", reference.theme_share.len(), card.themes.len()),
    ];
    for (what, found, wanted) in heads.chain(rest) {
        if found != wanted {
            return Err(BundleError::Count { file: CARD, what, found, wanted });
        }
    }
    Ok(())
}

/// The temperatures of the heads, then those of each member of the ensemble.
fn temperatures(card: &Card) -> impl Iterator<Item = &Temperatures> {
    [&card.calibration.temperatures].into_iter().chain(&card.ensemble)
}

/// Temperatures and sets of what is served: one number a segment ahead at each place.
fn served(card: &Card) -> Result<(), BundleError> {
    let calibration = &card.calibration;
    let thresholds = calibration.conformal.as_ref().map(|conformal| &conformal.thresholds);
    let counted = |of: &&ByPlace| {
        let wanted = card.horizons + 1;
        let places = [&of.prompt_end, &of.boundary, &of.mid];
        let counts = places.map(|numbers| numbers.len());
        counts == [wanted; 3] || counts == [0, wanted, wanted]
    };
    if !calibration.served.iter().chain(thresholds).all(|of| counted(&of)) {
        return wrong(format!(
            "served temperatures and conformal sets: want {} numbers a place",
            card.horizons + 1
        ));
    }
    let hot = calibration.served.iter().flat_map(ByPlace::iter);
    let weights = calibration.smoothing_now.into_iter().chain([calibration.smoothing]);
    if !hot.chain(weights).all(|x| x.is_finite() && x > 0.0) {
        return wrong("served temperatures and averages must be above 0 and finite".to_owned());
    }
    match thresholds.iter().flat_map(|of| of.iter()).all(|x| (0.0..=1.0).contains(&x)) {
        true => Ok(()),
        false => wrong("thresholds of conformal sets lie between 0 and 1".to_owned()),
    }
}

fn detectors(card: &Card) -> Result<(), BundleError> {
    let Some(card) = &card.calibration.detectors else { return Ok(()) };
    let charts = [card.cusum, card.page_hinkley];
    let tuned = charts.iter().all(|chart| {
        chart.slack_nats.is_finite()
            && chart.threshold_nats.is_finite()
            && chart.threshold_nats > 0.0
    });
    let rising = card
        .coherence
        .quantiles
        .iter()
        .all(|of| of.is_sorted() && of.iter().all(|x| x.is_finite()));
    match tuned && rising && card.coherence.quantiles.len() == PLACES {
        true => Ok(()),
        false => wrong(format!(
            "detectors: want finite numbers, thresholds above 0, {PLACES} lists of rising quantiles"
        )),
    }
}

fn numbers(card: &Card) -> Result<(), BundleError> {
    let reference = &card.reference;
    let positive = |x: &f32| x.is_finite() && *x > 0.0;
    let scalars = [reference.median_distance, reference.distance_quantile_99, reference.excess_std];
    let temperatures = temperatures(card).flat_map(|of| of.boundary.iter().chain(&of.mid));
    let all = temperatures.chain(&scalars);
    if !all.chain(&reference.residual_std).all(positive) {
        return wrong(
            "temperatures, deviations and distances must be above 0 and finite".to_owned(),
        );
    }
    let shares = card.themes.iter().map(|theme| theme.share);
    let mut rest =
        shares.chain(reference.theme_share.iter().chain(&reference.residual_mean).copied());
    if !rest.all(f32::is_finite) {
        return wrong("shares and reference means must be finite".to_owned());
    }
    let (median, far) = (reference.median_distance, reference.distance_quantile_99);
    match median <= far {
        true => Ok(()),
        false => wrong(format!(
            "the median distance {median} is above the 99th percentile {far}: want it below"
        )),
    }
}
