//! What an answer of another route says of itself while it is handed on: how it begins, where its id
//! stands, and which tokens it took.

use crate::host::Tokens;
use serde::Deserialize;

/// How much of the beginning is kept, in bytes.
const HEAD: usize = 4096;
/// The longest body or event whose tokens are looked for, in bytes.
const LONGEST: usize = 16 << 20;

/// What was said so far.
#[derive(Default)]
pub(super) struct Said {
    /// The beginning.
    pub(super) head: Vec<u8>,
    /// The line that has begun: a body is one, an event has one.
    line: Vec<u8>,
    tokens: Option<Usage>,
}

/// A whole answer, or an event that has one.
#[derive(Deserialize)]
struct Answer {
    usage: Option<Usage>,
    response: Option<Box<Answer>>,
}

#[derive(Deserialize)]
struct Usage {
    input_tokens: u64,
    output_tokens: u64,
}

impl Said {
    /// Takes the next piece.
    pub(super) fn take(&mut self, piece: &[u8]) {
        self.head.extend(piece.iter().take(HEAD - self.head.len()));
        for part in piece.split_inclusive(|&byte| byte == b'\n') {
            if self.line.len() + part.len() <= LONGEST {
                self.line.extend_from_slice(part);
            }
            if part.ends_with(b"\n") {
                self.line_ended();
            }
        }
    }

    /// The tokens that the answer says it took, once its body has ended.
    pub(super) fn tokens(&mut self) -> Option<Tokens> {
        self.line_ended();
        let Usage { input_tokens: prompt, output_tokens: completion } = self.tokens.take()?;
        Some(Tokens { prompt, completion })
    }

    fn line_ended(&mut self) {
        let line = std::mem::take(&mut self.line);
        let json = line.strip_prefix(b"data:").unwrap_or(&line);
        let mut found = serde_json::from_slice::<Answer>(json).ok();
        while let Some(answer) = found {
            self.tokens = answer.usage.or(self.tokens.take());
            found = answer.response.map(|inner| *inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pieces: &[&str], wanted: Option<(u64, u64)>) {
        let mut said = Said::default();
        pieces.iter().for_each(|piece| said.take(piece.as_bytes()));
        let found = said.tokens().map(|tokens| (tokens.prompt, tokens.completion));
        assert_eq!(found, wanted, "{pieces:?}");
    }

    const USAGE: &str = r#""usage":{"input_tokens":7,"output_tokens":4,"total_tokens":11}"#;

    #[test]
    fn tokens_are_told_by_a_body_and_by_the_last_event_wherever_a_piece_ends() {
        check(&["{\"id\":\"resp_1\",", &format!("{USAGE},\"tools\":[]}}")], Some((7, 4)));
        let (a, b) = USAGE.split_at(20);
        let begun = "event: response.created\ndata: {\"response\":{\"usage\":null}}\n\n";
        check(&[begun, "data: {\"response\":{", a, b, "}}\n\ndata: [DONE]\n\n"], Some((7, 4)));
        check(&["{\"data\":[{\"url\":\"x\"}]}"], None);
    }

    #[test]
    fn what_the_client_sent_along_counts_nothing() {
        let metadata = r#""metadata":{"usage":{"input_tokens":9,"output_tokens":9}}"#;
        check(&[&format!("{{{USAGE},{metadata}}}")], Some((7, 4)));
        check(&[&format!("{{{metadata}}}")], None);
        check(&["{\"output_text\":\"\\\"usage\\\":{\\\"input_tokens\\\":9}\"}"], None);
    }

    #[test]
    fn of_a_long_body_the_beginning_stays() {
        let mut said = Said::default();
        said.take(b"{\"id\":\"resp_1\",\"output_text\":\"");
        (0..100).for_each(|_| said.take(&[b'x'; 10_000]));
        said.take(format!("\",{USAGE}}}").as_bytes());
        assert!(said.head.starts_with(b"{\"id\":\"resp_1\"") && said.head.len() == HEAD);
        assert!(said.tokens().is_some_and(|all| all.completion == 4));
    }
}
