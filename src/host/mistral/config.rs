//! What a folder of safetensors says of itself: `config.json`, `generation_config.json` and
//! `tokenizer.json`.

use super::metadata::{Metadata, MetadataError, byte_alphabet, token_bytes};
use crate::host::{Vocabulary, vocabulary::RawToken};
use serde::{Deserialize, de::DeserializeOwned};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use themecast_plugin_api::ModelInfo;
use tokenizers::Tokenizer;

#[derive(Deserialize)]
struct Config {
    model_type: String,
    hidden_size: usize,
    num_hidden_layers: usize,
    #[serde(default)]
    eos_token_id: EndTokens,
    torch_dtype: Option<String>,
}

#[derive(Deserialize)]
struct Generation {
    #[serde(default)]
    eos_token_id: EndTokens,
}

#[derive(Deserialize, Default)]
#[serde(untagged)]
enum EndTokens {
    One(u32),
    Many(Vec<u32>),
    #[default]
    None,
}

impl EndTokens {
    fn ids(self) -> Vec<u32> {
        match self {
            Self::One(id) => vec![id],
            Self::Many(ids) => ids,
            Self::None => Vec::new(),
        }
    }
}

pub(super) fn read(
    config: &Path,
    generation: Option<PathBuf>,
    tokenizer: &Path,
) -> Result<Metadata, MetadataError> {
    let folder = config.parent().unwrap_or(config);
    let config: Config = parse(config)?;
    let mut end = config.eos_token_id.ids();
    if let Some(path) = generation.filter(|_| end.is_empty()) {
        end = parse::<Generation>(&path)?.eos_token_id.ids();
    }
    if end.is_empty() {
        let folder = folder.display();
        tracing::warn!(
            "{folder}: neither config.json nor generation_config.json names a token that ends an \
             answer (eos_token_id), so an answer whose client leaves goes on to its limit"
        );
    }
    let vocabulary = Arc::new(vocabulary(tokenizer, end)?);
    let info = ModelInfo {
        architecture: config.model_type,
        hidden_size: config.hidden_size,
        layers: config.num_hidden_layers,
        vocabulary_size: vocabulary.len(),
        tokenizer_sha256: vocabulary.sha256().to_owned(),
        quantization: config.torch_dtype.unwrap_or_else(|| "unknown".to_owned()),
    };
    Ok(Metadata { info, vocabulary })
}

fn parse<T: DeserializeOwned>(path: &Path) -> Result<T, MetadataError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| MetadataError::Open { path: path.to_owned(), error })?;
    serde_json::from_str(&text).map_err(|error| MetadataError::Missing {
        path: path.to_owned(),
        what: format!("a field ({error})"),
    })
}

/// The byte that a token such as `<0x0A>` stands for where SentencePiece falls back on bytes.
fn fallback_byte(token: &str) -> Option<u8> {
    let hex = token.strip_prefix("<0x")?.strip_suffix('>')?;
    let digits = hex.len() == 2 && hex.bytes().all(|digit| digit.is_ascii_hexdigit());
    u8::from_str_radix(hex, 16).ok().filter(|_| digits)
}

fn vocabulary(path: &Path, end: Vec<u32>) -> Result<Vocabulary, MetadataError> {
    let tokenizer = Tokenizer::from_file(path).map_err(|error| MetadataError::Missing {
        path: path.to_owned(),
        what: format!("a readable tokenizer ({error})"),
    })?;
    let decoder = serde_json::to_string(&tokenizer.get_decoder()).unwrap_or_default();
    let byte_level = decoder.contains("ByteLevel");
    let fallback = decoder.contains("ByteFallback");
    let added = tokenizer.get_added_tokens_decoder();
    let byte_of = byte_alphabet();
    let ids = 0..u32::try_from(tokenizer.get_vocab_size(true)).unwrap_or(u32::MAX);
    let token = |id: u32| {
        let text = tokenizer.id_to_token(id).unwrap_or_default();
        let plain = !added.contains_key(&id);
        RawToken {
            bytes: match fallback_byte(&text).filter(|_| fallback) {
                Some(byte) => vec![byte],
                None => token_bytes(&text, byte_level && plain, &byte_of),
            },
            control: added.get(&id).is_some_and(|token| token.special),
        }
    };
    Ok(Vocabulary::new(ids.map(token).collect(), end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn end_tokens_are_one_or_many_or_none() {
        let check = |json: &str, wanted: &[u32]| {
            let found: Generation = serde_json::from_str(json).unwrap();
            assert_eq!(found.eos_token_id.ids(), wanted, "{json}");
        };
        check("{\"eos_token_id\": 2}", &[2]);
        check("{\"eos_token_id\": [2, 7], \"temperature\": 0.6}", &[2, 7]);
        check("{\"eos_token_id\": null}", &[]);
        check("{}", &[]);
    }

    #[test]
    fn bytes_are_told_from_text_that_looks_like_one() {
        assert_eq!((fallback_byte("<0x0A>"), fallback_byte("<0xe2>")), (Some(10), Some(0xE2)));
        for text in ["<0xA>", "<0x00A>", "<0xGG>", "<0x+1>", "0x0A", "▁<0x0A>"] {
            assert_eq!(fallback_byte(text), None, "{text}");
        }
    }
}
