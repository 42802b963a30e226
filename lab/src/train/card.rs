//! What a trained bundle says of itself.

use super::{TrainConfig, TrainReport, Trained};
use crate::{Result, dataset::CollectionInfo, label::Labels};
use serde_json::json;
use std::time::{SystemTime, UNIX_EPOCH};
use themecast_forecast::{
    bundle::{Bundle, Calibration, Card, Temperatures},
    features::FeatureLayout,
    text::TextCard,
};
use themecast_plugin_api::Site;

/// Puts what was trained together with what is said of it.
pub(super) fn bundle(
    info: &CollectionInfo,
    labels: &Labels,
    (sites, layout): (&[Site], FeatureLayout),
    config: &TrainConfig,
    trained: Trained,
) -> Result<(Bundle, TrainReport)> {
    let Trained { predictor, ensemble, chain, distances, excess_std, report } = trained;
    let theme_share = labels.themes.iter().map(|theme| theme.share).collect();
    let card = Card {
        format: Card::format(layout.layer_norm, false),
        model: info.model.clone(),
        sites: sites.to_vec(),
        layer_norm: layout.layer_norm,
        themes: labels.themes.clone(),
        segmenter: info.segmenter.clone(),
        horizons: config.horizons,
        predictor: config.kind().to_owned(),
        calibration: Calibration {
            temperatures: Temperatures::of(&predictor),
            conformal: None,
            detectors: None,
            smoothing: 1.0,
            smoothing_now: None,
            served: None,
        },
        reference: distances.reference(theme_share, excess_std),
        evaluation: json!({ "validation": report.heads, "chain": report.chain }),
        license: config.license.clone(),
        created: now_iso8601(),
        training: json!({
            "collection": collection(info),
            "labels": labels.card,
            "seed": config.seed, "folds": config.folds, "steps": config.steps,
            "boundary_rows": report.boundary_rows, "mid_rows": report.mid_rows,
        }),
        ensemble: ensemble.iter().map(Temperatures::of).collect(),
        chain: chain.as_ref().map(|model| model.card.clone()),
        link: None,
        text: config.text.clone().map(|embedder| TextCard { embedder, dimension: layout.text }),
        open: None,
        trust: None,
    };
    let bundle = Bundle { card, predictor, ensemble, chain, link: None, open: None, trust: None };
    Ok((bundle, report))
}

/// What a card says of a collection.
pub(super) fn collection(info: &CollectionInfo) -> serde_json::Value {
    json!({
        "model_name": info.model_name, "samples": info.samples, "seed": info.seed,
        "max_tokens": info.max_tokens, "temperature": info.temperature,
    })
}

/// The present moment, `2026-01-31T12:00:00Z`.
///
/// *Source* Hinnant, `chrono`-compatible low-level date algorithms (civil from days).
pub(super) fn now_iso8601() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |past| past.as_secs());
    iso8601(seconds)
}

fn iso8601(seconds: u64) -> String {
    let (days, of_day) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_as_people_write_them() {
        assert_eq!(iso8601(0), "1970-01-01T00:00:00Z");
        assert_eq!(iso8601(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(iso8601(1_795_425_816), "2026-11-23T09:23:36Z");
    }
}
