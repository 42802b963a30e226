//! `collection.json`: what was collected, from which model, with which settings.

use crate::{LabError, Result, atomic};
use serde::{Deserialize, Serialize};
use std::{fmt::Debug, path::Path};
use themecast_forecast::segment::SegmenterConfig;
use themecast_plugin_api::{ModelInfo, Site};

/// The version of the collection's layout that this crate reads and writes.
pub const COLLECTION_FORMAT: u32 = 1;

const FILE: &str = "collection.json";

/// What a collection is made of; `collection.json` in its folder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CollectionInfo {
    /// Layout version, [`COLLECTION_FORMAT`].
    pub format: u32,
    /// The model that wrote the answers.
    pub model: ModelInfo,
    /// The model's name or file, for people.
    pub model_name: String,
    /// The sites whose residuals are kept, in this order.
    pub sites: Vec<Site>,
    /// Answers per prompt.
    pub samples: u32,
    /// The longest answer, in tokens.
    pub max_tokens: usize,
    /// Sampling temperature.
    pub temperature: f64,
    /// The seed from which every answer's own seed is derived.
    pub seed: u64,
    /// How answers were cut into segments.
    pub segmenter: SegmenterConfig,
    /// What was done to the model while it answered, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intervention: Option<String>,
    /// SHA-256 (hex) over the system prompts, where some answers were given one. Their texts are not
    /// kept, so such answers can be neither read again nor gone on with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub systems_sha256: Option<String>,
}

impl CollectionInfo {
    /// Reads `collection.json` from the folder `dir`.
    ///
    /// # Errors
    /// [`LabError::Data`] where there is none, [`LabError::Format`] where it is of another format,
    /// [`LabError::Io`] where it can't be read.
    pub fn load(dir: &Path) -> Result<Self> {
        if !Self::exists(dir) {
            let message = "is no collection: `themecast collect --out` makes one";
            return Err(LabError::data(format!("{}: {message}", dir.display())));
        }
        let path = dir.join(FILE);
        let info: Self = atomic::read_json(&path)?;
        if info.format != COLLECTION_FORMAT {
            let message = format!("format {}, expected {COLLECTION_FORMAT}", info.format);
            return Err(LabError::format(&path, message));
        }
        Ok(info)
    }

    /// Writes `collection.json` into the folder `dir` (made where missing), whole or not at all.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn save(&self, dir: &Path) -> Result<()> {
        atomic::create_dir(dir)?;
        atomic::write_json(&dir.join(FILE), self)
    }

    /// Whether the folder `dir` holds a collection.
    pub fn exists(dir: &Path) -> bool {
        dir.join(FILE).is_file()
    }

    /// Checks that the collection `self`, found in `dir`, was made with the settings `wanted`, so
    /// that a run may add to it.
    ///
    /// # Errors
    /// [`LabError::Mismatch`] naming the first setting that differs, with both values.
    pub fn check_same(&self, wanted: &Self, dir: &Path) -> Result<()> {
        let (a, b) = (self, wanted);
        let difference = differ("format", &a.format, &b.format)
            .or_else(|| differ("architecture", &a.model.architecture, &b.model.architecture))
            .or_else(|| differ("hidden size", &a.model.hidden_size, &b.model.hidden_size))
            .or_else(|| differ("number of layers", &a.model.layers, &b.model.layers))
            .or_else(|| {
                differ("vocabulary size", &a.model.vocabulary_size, &b.model.vocabulary_size)
            })
            .or_else(|| differ("tokenizer", &a.model.tokenizer_sha256, &b.model.tokenizer_sha256))
            .or_else(|| differ("quantization", &a.model.quantization, &b.model.quantization))
            .or_else(|| differ("model", &a.model_name, &b.model_name))
            .or_else(|| differ("sites", &names(&a.sites), &names(&b.sites)))
            .or_else(|| differ("samples", &a.samples, &b.samples))
            .or_else(|| differ("max tokens", &a.max_tokens, &b.max_tokens))
            .or_else(|| differ("temperature", &a.temperature, &b.temperature))
            .or_else(|| differ("seed", &a.seed, &b.seed))
            .or_else(|| differ("segmenter", &a.segmenter, &b.segmenter))
            .or_else(|| differ("intervention", &done(a), &done(b)))
            .or_else(|| differ("system prompts", &a.systems_sha256, &b.systems_sha256));
        match difference {
            None => Ok(()),
            Some(difference) => Err(LabError::Mismatch {
                path: dir.to_owned(),
                message: format!("{difference}; use the same settings or another folder"),
            }),
        }
    }
}

fn differ<T: PartialEq + Debug>(what: &str, found: &T, wanted: &T) -> Option<String> {
    (found != wanted).then(|| format!("the collection has {what} {found:?}, not {wanted:?}"))
}

fn done(info: &CollectionInfo) -> &str {
    info.intervention.as_deref().unwrap_or("none")
}

fn names(sites: &[Site]) -> String {
    sites.iter().map(Site::to_string).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synthetic::collection_info;

    #[test]
    fn survives_the_disk_and_names_the_first_difference() {
        let dir = tempfile::tempdir().unwrap();
        let info = collection_info(8);
        assert!(!CollectionInfo::exists(dir.path()));
        let missing = CollectionInfo::load(dir.path()).unwrap_err().to_string();
        assert!(missing.contains("themecast collect"), "{missing}");
        info.save(dir.path()).unwrap();
        let loaded = CollectionInfo::load(dir.path()).unwrap();
        assert_eq!(loaded, info);
        loaded.check_same(&info, dir.path()).unwrap();
        let other = CollectionInfo { temperature: 0.9, seed: 99, ..info };
        let message = loaded.check_same(&other, dir.path()).unwrap_err().to_string();
        assert!(message.contains("temperature 0.7, not 0.9"), "{message}");
        assert!(!message.contains("seed"), "{message}");
    }

    #[test]
    fn another_format_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let info = CollectionInfo { format: 7, ..collection_info(8) };
        info.save(dir.path()).unwrap();
        let message = CollectionInfo::load(dir.path()).unwrap_err().to_string();
        assert!(message.contains("format 7, expected 1"), "{message}");
    }
}
