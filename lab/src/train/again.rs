//! A bundle settled again: its predictors stay, what follows from them is chosen anew. For a bundle
//! trained by an older version, or on other answers than those it is to forecast.

use super::{LinkReport, SmoothingReport, card, follow};
use crate::{
    LabError, Result, dataset::CollectionInfo, embed::Embed, eval::own, label::Labels, replay,
};
use serde::Serialize;
use serde_json::json;
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
/// averages, temperatures, sets, links, alarm levels. What was measured on its test split is left out.
/// Saves it in `out`.
///
/// # Errors
/// [`LabError`] of reading, of a bundle for another model, other sites or themes, of too little data, or
/// of saving.
pub fn again(
    dir: &Path,
    (from, out): (&Path, &Path),
    embedder: Option<&dyn Embed>,
    progress: &dyn Fn(&str),
) -> Result<SettleReport> {
    let (info, labels) = (CollectionInfo::load(dir)?, Labels::load(dir)?);
    own::check(from, (&info, &labels), embedder.is_some())?;
    let mut bundle = own::load(from)?;
    let chains = replay::chains(&labels)?;
    let texts = replay::texts_for(&bundle, dir, embedder, progress)?;
    let (smoothing, links) = follow((dir, texts.as_ref()), &mut bundle, &chains, progress)?;
    if let Some(evaluation) = bundle.card.evaluation.as_object_mut() {
        evaluation.remove("test");
    }
    let collection = card::collection(&info);
    let training = bundle.card.training.as_object_mut();
    if let Some(training) = training.filter(|of| of.get("collection") != Some(&collection)) {
        let settled = json!({ "collection": collection, "labels": labels.card });
        training.insert("settled".to_owned(), settled);
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
        older.card.evaluation["test"] = json!("of the older one");
        older.card.training["collection"] = json!("another one");
        older.save(&from).unwrap();
        let error = again(dir.path(), (&from, &out), None, &|_| {}).unwrap_err().to_string();
        assert!(error.contains("a sentence embedder is needed") && !out.exists(), "{error}");
        let settled = again(dir.path(), (&from, &out), embedder, &|_| {}).unwrap();
        assert_eq!((settled.smoothing, settled.links), (trained.smoothing, trained.links));
        let mut again = Bundle::load(&out).unwrap();
        again.card.created.clone_from(&first.card.created);
        let training = again.card.training.as_object_mut().unwrap();
        let settled = training.remove("settled").unwrap();
        training.insert("collection".to_owned(), settled["collection"].clone());
        assert_eq!(again, first);
    }
}
