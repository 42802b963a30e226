//! A bundle settled again: its predictors stay, what follows from them is chosen anew. For a bundle
//! trained by an older version, or on other answers than those it is to forecast.

use super::{LinkReport, SmoothingReport, card, settle};
use crate::{
    LabError, Result,
    embed::Embed,
    eval::own::{check_themes, load},
    label::Labels,
    replay,
};
use serde::Serialize;
use std::path::Path;

/// What came out of settling.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SettleReport {
    /// What averaging within segments does, by weight.
    pub smoothing: Vec<SmoothingReport>,
    /// How segments are linked to those before them.
    pub links: Vec<LinkReport>,
}

/// Settles the bundle in the folder `from` on the validation split of the labelled collection `dir`:
/// averages, temperatures, sets, links, alarm levels; what was measured of them is left out. Saves it
/// in `out`.
///
/// # Errors
/// [`LabError`] of reading, of other themes than the labels', of too little data, or of saving.
pub fn again(
    dir: &Path,
    (from, out): (&Path, &Path),
    embedder: Option<&dyn Embed>,
    progress: &dyn Fn(&str),
) -> Result<SettleReport> {
    let mut bundle = load(from)?;
    let labels = Labels::load(dir)?;
    check_themes(&bundle, &labels)?;
    let chains = replay::chains(&labels)?;
    let texts = match (&bundle.card.text, embedder) {
        (None, _) => None,
        (Some(_), Some(embedder)) => Some(replay::embed_texts(dir, embedder, progress)?),
        (Some(text), None) => {
            return Err(LabError::Data(format!("{} is needed to read the text", text.embedder)));
        }
    };
    let (smoothing, links) = settle((dir, texts.as_ref()), &mut bundle, &chains, progress)?;
    if let Some(evaluation) = bundle.card.evaluation.as_object_mut() {
        evaluation.remove("test");
    }
    bundle.card.created = card::now_iso8601();
    bundle.save(out).map_err(|error| LabError::Forecast(error.to_string()))?;
    progress(&format!("saved {}", out.display()));
    Ok(SettleReport { smoothing, links })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        label,
        synthetic::{self, ByWord, SMALL, WordEmbedder},
        train::{self, TrainConfig},
    };
    use themecast_forecast::bundle::Bundle;

    #[test]
    fn a_bundle_settled_again_keeps_its_predictors_and_comes_out_the_same() {
        let dir = tempfile::tempdir().unwrap();
        synthetic::write(dir.path(), &SMALL);
        label::run(dir.path(), &ByWord, &|_| {}).unwrap();
        let (from, out) = (dir.path().join("from"), dir.path().join("out"));
        let text = Some("words".to_owned());
        let config = TrainConfig { horizons: 2, text, ..TrainConfig::new(&from) };
        let embedder: Option<&dyn Embed> = Some(&WordEmbedder);
        let trained = train::run(dir.path(), &config, embedder, &|_| {}).unwrap();
        let first = Bundle::load(&from).unwrap();
        // As an older version left it.
        let mut older = Bundle { link: None, ..first.clone() };
        (older.card.link, older.card.format) = (None, 1);
        older.card.calibration.smoothing = 0.01;
        older.card.evaluation["test"] = serde_json::json!("of the older one");
        older.save(&from).unwrap();
        let error = again(dir.path(), (&from, &out), None, &|_| {}).unwrap_err().to_string();
        assert!(error.contains("words is needed") && !out.exists(), "{error}");
        let settled = again(dir.path(), (&from, &out), embedder, &|_| {}).unwrap();
        assert_eq!((settled.smoothing, settled.links), (trained.smoothing, trained.links));
        let mut again = Bundle::load(&out).unwrap();
        again.card.created.clone_from(&first.card.created);
        assert_eq!(again, first);
    }
}
