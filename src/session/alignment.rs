//! Which token of the answer a chunk ends with.

use crate::host::{TextDecoder, Vocabulary};

/// Follows a stream of chunks and counts the tokens in them.
///
/// mistral.rs sends one chunk a token, except that a token which leaves a character incomplete is
/// held back and goes out with the next. The tokens that the model has read are known at the
/// moment the following token is sampled, so: a token that has not been revealed yet is the chunk
/// itself; one that has been revealed is the chunk's last exactly if it left nothing incomplete.
#[derive(Debug, Default)]
pub(super) struct Alignment {
    next: usize,
    pending: TextDecoder,
}

impl Alignment {
    /// The first token that no chunk has carried yet.
    pub(super) fn next(&self) -> usize {
        self.next
    }

    /// The index of the last token in the next chunk; `revealed` are the tokens from
    /// [`Alignment::next`] on that the model has read.
    pub(super) fn chunk(&mut self, revealed: &[u32], vocabulary: &Vocabulary) -> usize {
        for &token in revealed {
            self.pending.push(vocabulary.bytes(token));
            self.next += 1;
            if !self.pending.is_pending() {
                return self.next - 1;
            }
        }
        self.pending = TextDecoder::default();
        self.next += 1;
        self.next - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::vocabulary_for_tests;

    fn check(tokens: &[u32], chunks: &[(usize, usize)]) {
        let vocabulary = vocabulary_for_tests(&[b"a", &[0xF0, 0x9F], &[0x99, 0x82], b""]);
        let mut alignment = Alignment::default();
        for &(read, expected) in chunks {
            let revealed = tokens.get(alignment.next()..read).unwrap_or_default();
            assert_eq!(alignment.chunk(revealed, &vocabulary), expected, "{tokens:?} {read}");
        }
    }

    #[test]
    fn one_chunk_a_token_whether_the_engine_is_ahead_or_not() {
        check(&[0, 0, 0], &[(0, 0), (1, 1), (2, 2)]);
        check(&[0, 0, 0], &[(3, 0), (3, 1), (3, 2)]);
        check(&[0, 3, 0], &[(1, 0), (3, 1), (3, 2)]);
    }

    #[test]
    fn an_incomplete_character_goes_out_with_the_token_that_completes_it() {
        check(&[0, 1, 2, 0], &[(0, 0), (2, 2), (3, 3)]);
        check(&[0, 1, 2, 0], &[(4, 0), (4, 2), (4, 3)]);
    }
}
