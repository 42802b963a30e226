//! The same text with some words left out, to see whether boundaries hang on them.

use super::answers::Answer;
use crate::split::stable_hash;
use rand_xoshiro::{
    Xoshiro256PlusPlus,
    rand_core::{RngCore, SeedableRng},
};

/// One of so many words is left out.
const LEFT_OUT: u64 = 20;

/// `answer` without one random word in twenty, and for each of its tokens how many before it
/// stayed; one more for its end.
///
/// A word is left out with the space before it; what stands beside it, such as a full stop, stays.
pub(super) fn leave_out(answer: &Answer, seed: u64) -> (Answer, Vec<usize>) {
    let key = stable_hash(&format!("{seed}/{}", answer.document));
    let mut random = Xoshiro256PlusPlus::seed_from_u64(key);
    let (mut tokens, mut before, mut leaving) = (Vec::new(), vec![0], false);
    for (place, token) in answer.tokens.iter().enumerate() {
        let goes_on = place > 0 && goes_on(token);
        if !goes_on {
            let word = is_word(answer, place);
            leaving = word && random.next_u64().is_multiple_of(LEFT_OUT);
        }
        if !leaving {
            tokens.push(token.clone());
        }
        before.push(tokens.len());
    }
    (Answer { tokens, ..answer.clone() }, before)
}

/// Whether the token goes on with a word.
fn goes_on(token: &str) -> bool {
    !token.is_empty() && token.chars().all(|c| c.is_alphanumeric() || c == '\'')
}

/// Whether the token at `place` and those that go on with it are a word: a space and letters.
fn is_word(answer: &Answer, place: usize) -> bool {
    let first = &answer.tokens[place];
    let bare = first.trim_start_matches(' ');
    let rest = answer.tokens[place + 1..].iter().take_while(|token| goes_on(token));
    let mut letters = bare.chars().chain(rest.flat_map(|token| token.chars()));
    !bare.is_empty()
        && (place == 0 || first.starts_with(' '))
        && letters.all(|c| c.is_alphabetic() || c == '\'')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Split;

    #[test]
    fn one_word_in_twenty_goes_and_everything_else_stays() {
        let words = [" un", "told", ".", "\n", "- ", "fine", " 12", " go", " (", "x"];
        let tokens = words.repeat(1000).into_iter().map(str::to_owned).collect();
        let answer = Answer { document: "d".into(), split: Split::Test, truncated: false, tokens };
        let (left, before) = leave_out(&answer, 1);
        let gone = |text: &str| 1000 - left.tokens.iter().filter(|token| *token == text).count();
        for text in [" un", " go"] {
            assert!(gone(text).abs_diff(50) < 25, "{text}: {}", gone(text));
        }
        assert_eq!(gone(" un"), gone("told"), "a word goes whole");
        for text in [".", "\n", "- ", "fine", " 12", " ("] {
            assert_eq!(gone(text), 0, "{text:?}");
        }
        assert_eq!(before.len(), answer.tokens.len() + 1);
        for (place, token) in answer.tokens.iter().enumerate() {
            let stays = before[place + 1] > before[place];
            assert!(!stays || left.tokens[before[place]] == *token, "{place}");
        }
        assert_ne!(left.tokens, leave_out(&answer, 2).0.tokens);
    }
}
