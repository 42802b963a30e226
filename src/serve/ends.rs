//! Beginning and end of a body that is handed on piece by piece: its id stands in the one, the tokens
//! that it took in the other.

use crate::host::Tokens;
use serde::Deserialize;

/// How much of the beginning is kept, in bytes.
const HEAD: usize = 4096;
/// How much of the end is kept at least, in bytes: what was asked for is said again behind `usage`.
const TAIL: usize = 64 << 10;

/// Both ends of a body so far.
#[derive(Default)]
pub(super) struct Ends {
    /// Its beginning.
    pub(super) head: Vec<u8>,
    tail: Vec<u8>,
}

/// What mistral.rs says of an answer, as routes of different kinds name it.
#[derive(Deserialize)]
struct Usage {
    #[serde(alias = "prompt_tokens")]
    input_tokens: u64,
    #[serde(alias = "completion_tokens")]
    output_tokens: u64,
}

impl Ends {
    /// Takes the next piece.
    pub(super) fn take(&mut self, piece: &[u8]) {
        self.head.extend(piece.iter().take(HEAD - self.head.len()));
        self.tail.extend_from_slice(piece);
        if self.tail.len() > 2 * TAIL {
            self.tail.drain(..self.tail.len() - TAIL);
        }
    }

    /// The tokens that the body's last `usage` tells, where it has one.
    pub(super) fn tokens(&self) -> Option<Tokens> {
        let tail = String::from_utf8_lossy(&self.tail);
        // Within a text its quotes would be escaped.
        let (_, usage) = tail.rsplit_once("\"usage\":{")?;
        let usage = format!("{{{usage}");
        let first = serde_json::Deserializer::from_str(&usage).into_iter::<Usage>().next()?;
        let Usage { input_tokens: prompt, output_tokens: completion } = first.ok()?;
        Some(Tokens { prompt, completion })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pieces: &[&str], wanted: Option<(u64, u64)>) {
        let mut ends = Ends::default();
        pieces.iter().for_each(|piece| ends.take(piece.as_bytes()));
        let found = ends.tokens().map(|tokens| (tokens.prompt, tokens.completion));
        assert_eq!(found, wanted, "{pieces:?}");
    }

    #[test]
    fn the_last_usage_counts_wherever_a_piece_ends() {
        let usage = r#""usage":{"input_tokens":7,"output_tokens":4,"total_tokens":11},"tools":[]}"#;
        check(&["{\"id\":\"resp_1\",", usage], Some((7, 4)));
        check(&["data: {\"usage\":null}\n\n", &usage[..20], &usage[20..]], Some((7, 4)));
        check(&["{\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":0}}"], Some((1, 0)));
        check(&["{\"text\":\"\\\"usage\\\":{\\\"input_tokens\\\":9}\"}"], None);
        check(&["{\"data\":[{\"url\":\"x\"}]}"], None);
    }

    #[test]
    fn of_a_long_body_both_ends_stay() {
        let mut ends = Ends::default();
        ends.take(b"{\"id\":\"resp_1\",\"output_text\":\"");
        (0..100).for_each(|_| ends.take(&[b'x'; 10_000]));
        ends.take(b"\",\"usage\":{\"input_tokens\":3,\"output_tokens\":5}}");
        assert!(ends.head.starts_with(b"{\"id\":\"resp_1\"") && ends.head.len() == HEAD);
        assert!(
            ends.tail.len() <= 2 * TAIL && ends.tokens().is_some_and(|all| all.completion == 5)
        );
    }
}
