//! What a folder of safetensors says of itself: `config.json` and `tokenizer.json`.

use super::metadata::{Metadata, MetadataError, byte_alphabet, token_bytes};
use crate::host::{Vocabulary, vocabulary::RawToken};
use serde::Deserialize;
use std::{path::Path, sync::Arc};
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

#[derive(Deserialize, Default)]
#[serde(untagged)]
enum EndTokens {
    One(u32),
    Many(Vec<u32>),
    #[default]
    None,
}

pub(super) fn read(config: &Path, tokenizer: &Path) -> Result<Metadata, MetadataError> {
    let text = std::fs::read_to_string(config)
        .map_err(|error| MetadataError::Open { path: config.to_owned(), error })?;
    let config: Config = serde_json::from_str(&text).map_err(|error| MetadataError::Missing {
        path: config.to_owned(),
        what: format!("a field ({error})"),
    })?;
    let vocabulary = Arc::new(vocabulary(tokenizer, config.eos_token_id)?);
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

/// The byte that a token such as `<0x0A>` stands for where SentencePiece falls back on bytes.
fn fallback_byte(token: &str) -> Option<u8> {
    let hex = token.strip_prefix("<0x")?.strip_suffix('>')?;
    let digits = hex.len() == 2 && hex.bytes().all(|digit| digit.is_ascii_hexdigit());
    u8::from_str_radix(hex, 16).ok().filter(|_| digits)
}

fn vocabulary(path: &Path, end: EndTokens) -> Result<Vocabulary, MetadataError> {
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
    let end = match end {
        EndTokens::One(id) => vec![id],
        EndTokens::Many(ids) => ids,
        EndTokens::None => Vec::new(),
    };
    Ok(Vocabulary::new(ids.map(token).collect(), end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_told_from_text_that_looks_like_one() {
        assert_eq!((fallback_byte("<0x0A>"), fallback_byte("<0xe2>")), (Some(10), Some(0xE2)));
        for text in ["<0xA>", "<0x00A>", "<0xGG>", "<0x+1>", "0x0A", "▁<0x0A>"] {
            assert_eq!(fallback_byte(text), None, "{text}");
        }
    }
}
