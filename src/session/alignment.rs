//! Which token of the answer a chunk ends with.

use crate::host::{TextDecoder, Vocabulary};

/// Follows a stream of chunks and counts the tokens in them.
///
/// mistral.rs sends one chunk a token, except that tokens are held back, and go out with a later
/// one, where they leave a character incomplete or, in a request with tools, could begin a call.
/// The tokens that the model has read are known at the moment the following token is sampled, so: a
/// token that has not been revealed yet is the chunk's last; one that has been revealed is its last
/// exactly if it completes what was held back and leaves nothing incomplete.
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
    /// [`Alignment::next`] on that the model has read, `held` the chunk's text where some may have
    /// been held back for it. A vocabulary that writes less than that text (special tokens) makes
    /// the index too large by as much, so it is empty in requests without tools.
    pub(super) fn chunk(&mut self, revealed: &[u32], held: &str, vocabulary: &Vocabulary) -> usize {
        let (mut carried, mut broken) = (0, false);
        for &token in revealed {
            let text = self.pending.push(vocabulary.bytes(token));
            carried += text.len();
            self.next += 1;
            // mistral.rs takes whatever ends in U+FFFD for a character that is not complete.
            broken = text.ends_with(char::REPLACEMENT_CHARACTER) || (broken && text.is_empty());
            if !broken && !self.pending.is_pending() && carried >= held.len() {
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

    /// Of each chunk: how many tokens have been read, its text, its last token.
    fn check(tokens: &[u32], chunks: &[(usize, &str, usize)]) {
        let replacement = "\u{FFFD}".as_bytes();
        let vocabulary =
            vocabulary_for_tests(&[b"a", &[0xF0, 0x9F], &[0x99, 0x82], b"", replacement, &[0x80]]);
        let mut alignment = Alignment::default();
        for &(read, text, expected) in chunks {
            let revealed = tokens.get(alignment.next()..read).unwrap_or_default();
            let found = alignment.chunk(revealed, text, &vocabulary);
            assert_eq!(found, expected, "{tokens:?} {read} {text}");
        }
    }

    #[test]
    fn one_chunk_a_token_whether_the_engine_is_ahead_or_not() {
        check(&[0, 0, 0], &[(0, "a", 0), (1, "a", 1), (2, "a", 2)]);
        check(&[0, 0, 0], &[(3, "a", 0), (3, "a", 1), (3, "a", 2)]);
        check(&[0, 3, 0], &[(1, "a", 0), (3, "", 1), (3, "a", 2)]);
    }

    #[test]
    fn an_incomplete_character_goes_out_with_the_token_that_completes_it() {
        check(&[0, 1, 2, 0], &[(0, "a", 0), (2, "🙂", 2), (3, "a", 3)]);
        check(&[0, 1, 2, 0], &[(4, "a", 0), (4, "🙂", 2), (4, "a", 3)]);
    }

    #[test]
    fn what_looks_incomplete_goes_out_with_the_token_after_it() {
        check(&[4, 0, 0], &[(2, "\u{FFFD}a", 1), (3, "a", 2)]);
        check(&[5, 3, 0, 0], &[(4, "\u{FFFD}a", 2), (4, "a", 3)]);
        check(&[4, 4, 0, 0], &[(3, "\u{FFFD}\u{FFFD}a", 2), (4, "a", 3)]);
    }

    #[test]
    fn what_could_have_been_a_call_goes_out_with_the_token_that_is_none() {
        check(&[0, 0, 0, 0], &[(0, "a", 0), (2, "aa", 2), (3, "a", 3)]);
        check(&[0, 1, 2, 0, 0], &[(5, "a🙂a", 3), (5, "a", 4)]);
    }
}
