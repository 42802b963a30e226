//! A model's tokens as bytes, and decoding them to text as they come.

use sha2::{Digest, Sha256};

/// The bytes of every token; control tokens write nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vocabulary {
    pieces: Vec<Vec<u8>>,
    end_tokens: Vec<u32>,
    sha256: String,
}

/// One token as a model file gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RawToken {
    pub(crate) bytes: Vec<u8>,
    pub(crate) control: bool,
}

impl Vocabulary {
    pub(crate) fn new(tokens: Vec<RawToken>, end_tokens: Vec<u32>) -> Self {
        let mut hash = Sha256::new();
        for token in &tokens {
            hash.update((token.bytes.len() as u64).to_le_bytes());
            hash.update(&token.bytes);
        }
        let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let written = |token: RawToken| if token.control { Vec::new() } else { token.bytes };
        Self { pieces: tokens.into_iter().map(written).collect(), end_tokens, sha256 }
    }

    /// The bytes that `token` writes; none for control tokens and unknown ids.
    pub fn bytes(&self, token: u32) -> &[u8] {
        self.pieces.get(token as usize).map_or(&[], Vec::as_slice)
    }

    /// The tokens that end an answer.
    pub fn end_tokens(&self) -> &[u32] {
        &self.end_tokens
    }

    /// How many tokens there are.
    pub fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// SHA-256 (hex) over the length and bytes of every token, control tokens included.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }
}

/// Decodes bytes to text piece by piece: a character that several tokens share comes with the
/// token that completes it, and bytes that never become one come as U+FFFD.
#[derive(Debug, Default, Clone)]
pub struct TextDecoder {
    pending: Vec<u8>,
}

impl TextDecoder {
    /// The text that became complete with `bytes`.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        self.pending.extend_from_slice(bytes);
        let mut text = String::new();
        loop {
            match std::str::from_utf8(&self.pending) {
                Ok(valid) => {
                    text.push_str(valid);
                    self.pending.clear();
                    return text;
                }
                Err(error) => {
                    let valid = error.valid_up_to();
                    text.push_str(&String::from_utf8_lossy(&self.pending[..valid]));
                    let Some(bad) = error.error_len() else {
                        self.pending.drain(..valid);
                        return text;
                    };
                    text.push(char::REPLACEMENT_CHARACTER);
                    self.pending.drain(..valid + bad);
                }
            }
        }
    }

    /// Whether a character has begun and is not complete.
    pub fn is_pending(&self) -> bool {
        !self.pending.is_empty()
    }
}

/// A vocabulary of these tokens, for tests of what follows tokens.
#[cfg(test)]
pub(crate) fn vocabulary_for_tests(tokens: &[&[u8]]) -> Vocabulary {
    let raw = |bytes: &&[u8]| RawToken { bytes: bytes.to_vec(), control: false };
    Vocabulary::new(tokens.iter().map(raw).collect(), Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_tokens_write_nothing_but_count_in_the_hash() {
        let token = |bytes: &[u8], control| RawToken { bytes: bytes.to_vec(), control };
        let one = Vocabulary::new(vec![token(b"a", false), token(b"<end>", true)], vec![1]);
        let other = Vocabulary::new(vec![token(b"a", false), token(b"<stop>", true)], vec![1]);
        assert_eq!((one.bytes(0), one.bytes(1), one.bytes(9)), (&b"a"[..], &b""[..], &b""[..]));
        assert_ne!(one.sha256(), other.sha256());
    }

    #[test]
    fn characters_come_with_the_token_that_completes_them() {
        let mut decoder = TextDecoder::default();
        let smile = "🙂".as_bytes();
        assert_eq!(decoder.push(&smile[..2]), "");
        assert!(decoder.is_pending());
        assert_eq!(decoder.push(&smile[2..]), "🙂");
        assert_eq!(decoder.push(b"a\xffb"), "a\u{fffd}b");
        assert!(!decoder.is_pending());
    }
}
