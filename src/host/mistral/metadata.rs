//! What a model's own files say of it, read before mistral.rs loads it.

use super::ModelSource;
use crate::host::{Vocabulary, vocabulary::RawToken};
use candle_core::quantized::gguf_file::{Content, Value};
use hf_hub::api::sync::{ApiBuilder, ApiError};
use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};
use themecast_plugin_api::ModelInfo;

/// Why a model's files can't be used.
#[derive(Debug, thiserror::Error)]
pub enum MetadataError {
    /// A file can't be opened.
    #[error("{path}: {error}")]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// The file is no GGUF file, or a damaged one.
    #[error("{path}: not a readable GGUF file ({error}); download it again")]
    Gguf {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        error: String,
    },
    /// The file ends before its last tensor does.
    #[error(
        "{path}: truncated: its tensors need {needed} bytes, it has {found}; download it again"
    )]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Bytes that the header promises.
        needed: u64,
        /// Bytes that are there.
        found: u64,
    },
    /// Something that every model says of itself is missing.
    #[error("{path}: {what} is missing or of the wrong type")]
    Missing {
        /// The file.
        path: PathBuf,
        /// What is missing.
        what: String,
    },
    /// mistral.rs can't run the architecture.
    #[error("{path}: architecture '{architecture}' is not one that can be run here: {known}")]
    Architecture {
        /// The file.
        path: PathBuf,
        /// What the file says.
        architecture: String,
        /// What can be run.
        known: String,
    },
    /// A file of the model can't be had from the hub.
    #[error("{name}: {error}; give a local file or folder instead if there is no network")]
    Hub {
        /// The model's name.
        name: String,
        /// What went wrong.
        error: String,
    },
}

/// The architectures of GGUF files that are tried. mistral.rs 0.8.1 loads more, whose norms nobody has
/// looked at: mistral3 and qwen3moe.
const GGUF_ARCHITECTURES: [&str; 6] = ["llama", "phi2", "phi3", "qwen2", "qwen3", "starcoder2"];

/// What is known of a model before it is loaded.
#[derive(Debug, Clone)]
pub(crate) struct Metadata {
    pub(crate) info: ModelInfo,
    pub(crate) vocabulary: Arc<Vocabulary>,
}

pub(crate) fn read(source: &ModelSource) -> Result<Metadata, MetadataError> {
    match source {
        ModelSource::Gguf(path) => Gguf::open(path)?.metadata(),
        ModelSource::Folder(path) => {
            let file = |file: &str| path.join(file);
            let generation = Some(file("generation_config.json")).filter(|path| path.is_file());
            super::config::read(&file("config.json"), generation, &file("tokenizer.json"))
        }
        ModelSource::Hub(name) => {
            let hub = |error: ApiError| MetadataError::Hub {
                name: name.clone(),
                error: error.to_string(),
            };
            // The cache that mistral.rs looks in: HF_HUB_CACHE, HF_HOME or the user's.
            let cache = mistralrs_core::hf_hub_cache_dir().into_iter();
            let api = cache.fold(ApiBuilder::new(), ApiBuilder::with_cache_dir);
            let repository = api.build().map_err(hub)?.model(name.clone());
            let file = |file: &str| repository.get(file).map_err(hub);
            let generation = file("generation_config.json").ok(); // not every model has one
            super::config::read(&file("config.json")?, generation, &file("tokenizer.json")?)
        }
    }
}

struct Gguf<'a> {
    path: &'a Path,
    content: Content,
}

impl<'a> Gguf<'a> {
    fn open(path: &'a Path) -> Result<Self, MetadataError> {
        let open = |error| MetadataError::Open { path: path.to_owned(), error };
        let mut file = File::open(path).map_err(open)?;
        let found = file.metadata().map_err(open)?.len();
        let content = Content::read(&mut file).map_err(|error| MetadataError::Gguf {
            path: path.to_owned(),
            error: error.to_string().lines().next().unwrap_or_default().to_owned(),
        })?;
        let ends = content.tensor_infos.values().map(|tensor| {
            let blocks = tensor.shape.elem_count() / tensor.ggml_dtype.block_size();
            tensor.offset + (blocks * tensor.ggml_dtype.type_size()) as u64
        });
        let needed = content.tensor_data_offset + ends.max().unwrap_or(0);
        if needed > found {
            return Err(MetadataError::Truncated { path: path.to_owned(), needed, found });
        }
        Ok(Self { path, content })
    }

    fn metadata(&self) -> Result<Metadata, MetadataError> {
        let architecture = self.text("general.architecture")?;
        if !GGUF_ARCHITECTURES.contains(&architecture.as_str()) {
            return Err(MetadataError::Architecture {
                path: self.path.to_owned(),
                architecture,
                known: GGUF_ARCHITECTURES.join(", "),
            });
        }
        let vocabulary = Arc::new(self.vocabulary()?);
        let info = ModelInfo {
            hidden_size: self.number(&format!("{architecture}.embedding_length"))?,
            layers: self.number(&format!("{architecture}.block_count"))?,
            architecture,
            vocabulary_size: vocabulary.len(),
            tokenizer_sha256: vocabulary.sha256().to_owned(),
            quantization: self.quantization(),
        };
        Ok(Metadata { info, vocabulary })
    }

    /// The weight type that most parameters have.
    fn quantization(&self) -> String {
        let mut parameters: BTreeMap<String, usize> = BTreeMap::new();
        for tensor in self.content.tensor_infos.values() {
            let kind = format!("{:?}", tensor.ggml_dtype);
            *parameters.entry(kind).or_default() += tensor.shape.elem_count();
        }
        let most = parameters.into_iter().max_by_key(|(_, count)| *count);
        most.map_or_else(String::new, |(kind, _)| kind)
    }

    fn vocabulary(&self) -> Result<Vocabulary, MetadataError> {
        let byte_level = self.text("tokenizer.ggml.model")? == "gpt2";
        let kinds = self.list("tokenizer.ggml.token_type").unwrap_or_default();
        let tokens = self.list("tokenizer.ggml.tokens")?;
        let byte_of = byte_alphabet();
        let token = |(id, value): (usize, &Value)| {
            let text = value.to_string().cloned().unwrap_or_default();
            let control = kinds.get(id).is_some_and(|kind| kind.to_i32().ok() != Some(1));
            RawToken { bytes: token_bytes(&text, byte_level && !control, &byte_of), control }
        };
        let raw = tokens.iter().enumerate().map(token).collect();
        let end = self.number("tokenizer.ggml.eos_token_id")?;
        Ok(Vocabulary::new(raw, vec![u32::try_from(end).unwrap_or(u32::MAX)]))
    }

    fn value(&self, key: &str) -> Result<&Value, MetadataError> {
        self.content.metadata.get(key).ok_or_else(|| self.missing(key))
    }

    fn text(&self, key: &str) -> Result<String, MetadataError> {
        self.value(key)?.to_string().cloned().map_err(|_| self.missing(key))
    }

    fn list(&self, key: &str) -> Result<Vec<Value>, MetadataError> {
        self.value(key)?.to_vec().cloned().map_err(|_| self.missing(key))
    }

    fn number(&self, key: &str) -> Result<usize, MetadataError> {
        let number = self.value(key)?.to_u32().map_err(|_| self.missing(key))?;
        Ok(number as usize)
    }

    fn missing(&self, what: &str) -> MetadataError {
        MetadataError::Missing { path: self.path.to_owned(), what: what.to_owned() }
    }
}

/// The bytes of a token's text: byte-level BPE writes every byte as one printable character,
/// SentencePiece writes a space as `▁`.
pub(super) fn token_bytes(text: &str, byte_level: bool, byte_of: &HashMap<char, u8>) -> Vec<u8> {
    if byte_level {
        let mut buffer = [0; 4];
        let bytes = text.chars().flat_map(|c| match byte_of.get(&c) {
            Some(byte) => vec![*byte],
            None => c.encode_utf8(&mut buffer).as_bytes().to_vec(),
        });
        return bytes.collect();
    }
    text.replace('▁', " ").into_bytes()
}

/// The printable character that stands for each byte in byte-level BPE.
///
/// *Source*: GPT-2's `bytes_to_unicode`.
pub(super) fn byte_alphabet() -> HashMap<char, u8> {
    let printable = |byte: u8| matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
    let mut next = 256;
    let mut letter = |byte: u8| {
        if printable(byte) {
            return char::from(byte);
        }
        let shifted = char::from_u32(next).unwrap_or(char::REPLACEMENT_CHARACTER);
        next += 1;
        shifted
    };
    (0..=255).map(|byte| (letter(byte), byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_level_and_sentencepiece_tokens_decode() {
        let alphabet = byte_alphabet();
        assert_eq!(alphabet.len(), 256);
        assert_eq!(token_bytes("Ġthe", true, &alphabet), b" the");
        assert_eq!(token_bytes("Ċ", true, &alphabet), b"\n");
        assert_eq!(token_bytes("▁the", false, &alphabet), b" the");
    }

    #[test]
    fn a_file_that_is_no_gguf_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"hello").unwrap();
        let source = ModelSource::Gguf(file.path().to_owned());
        let message = read(&source).unwrap_err().to_string();
        assert!(message.contains("not a readable GGUF file"), "{message}");
        assert_eq!(message.lines().count(), 1);
    }
}
