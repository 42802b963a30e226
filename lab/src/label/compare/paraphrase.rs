//! The same said a little differently, to see whether a label hangs on the wording.
//!
//! Made without a language model, so that it is the same everywhere: contractions are written out
//! and long forms contracted, half of the words that have a synonym here change for it, list marks
//! change (`-` and `*`, `1.` and `1)`), one of twenty function words is left out. Code is left
//! alone. It is lighter than what a person would write, so it bounds stability from above.

use super::words::{CONTRACTIONS, FUNCTION_WORDS, SYNONYMS};
use crate::split::stable_hash;
use rand_xoshiro::{
    Xoshiro256PlusPlus,
    rand_core::{RngCore, SeedableRng},
};

/// One of so many function words is left out.
const DROPPED: u64 = 20;
/// One of so many words that have a synonym changes for it.
const CHANGED: u64 = 2;

/// `text` said differently; the same for the same `key`.
pub(super) fn paraphrase(text: &str, key: &str) -> String {
    if text.contains("```") {
        return text.to_owned();
    }
    let mut random = Xoshiro256PlusPlus::seed_from_u64(stable_hash(key));
    let mut out = String::with_capacity(text.len() + 16);
    for line in text.split_inclusive('\n') {
        let (mark, rest) = other_mark(line);
        out.push_str(&mark);
        say(rest, &mut random, &mut out);
    }
    out
}

/// The line's list mark, changed, and the rest of the line.
fn other_mark(line: &str) -> (String, &str) {
    let text = line.trim_start_matches([' ', '\t']);
    let space = &line[..line.len() - text.len()];
    for (mark, other) in [("- ", "* "), ("* ", "- "), ("• ", "- ")] {
        if let Some(rest) = text.strip_prefix(mark) {
            return (format!("{space}{other}"), rest);
        }
    }
    let after = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let number = &text[..text.len() - after.len()];
    for (mark, other) in [(". ", ") "), (") ", ". ")] {
        if let Some(rest) = after.strip_prefix(mark).filter(|_| !number.is_empty()) {
            return (format!("{space}{number}{other}"), rest);
        }
    }
    (String::new(), line)
}

/// A word with what is around it: `“`, `don’t`, `, `.
struct Word<'a> {
    before: &'a str,
    core: &'a str,
    after: &'a str,
    lower: String,
}

impl<'a> Word<'a> {
    fn new(chunk: &'a str) -> Self {
        let rest = chunk.trim_start_matches(|c: char| !c.is_alphanumeric());
        let core = rest.trim_end_matches(|c: char| !c.is_alphanumeric());
        Self {
            before: &chunk[..chunk.len() - rest.len()],
            core,
            after: &rest[core.len()..],
            lower: core.to_lowercase().replace('’', "'"),
        }
    }

    /// Whether nothing but white space stands between this word and `next`.
    fn leads_to(&self, next: &Word<'_>) -> bool {
        self.after.trim().is_empty() && next.before.is_empty() && next.after.starts_with(' ')
    }

    /// `other` with a capital where this word has one; `None` where it is all capitals.
    fn cased(&self, other: &str) -> Option<String> {
        let mut own = self.core.chars();
        let capital = own.next().is_some_and(char::is_uppercase);
        if capital && own.next().is_some_and(char::is_uppercase) {
            return None;
        }
        let mut chars = other.chars();
        match chars.next().filter(|_| capital) {
            Some(first) => Some(first.to_uppercase().chain(chars).collect()),
            None => Some(other.to_owned()),
        }
    }
}

/// Appends the words of `line`, said differently.
fn say(line: &str, random: &mut Xoshiro256PlusPlus, out: &mut String) {
    let words: Vec<Word<'_>> = line.split_inclusive(char::is_whitespace).map(Word::new).collect();
    let mut place = 0;
    while let Some(word) = words.get(place) {
        place += 1;
        let next = words.get(place).filter(|next| word.leads_to(next));
        let short = next.and_then(|next| contracted(&format!("{} {}", word.lower, next.lower)));
        if let (Some(next), Some(said)) = (next, short.and_then(|short| word.cased(short))) {
            out.extend([word.before, &said, next.after]);
            place += 1;
        } else if let Some(said) = other_form(word, random) {
            out.extend([word.before, &said, word.after]);
        } else if !left_out(word, random) {
            out.extend([word.before, word.core, word.after]);
        }
    }
}

fn contracted(long: &str) -> Option<&'static str> {
    CONTRACTIONS.iter().find(|(_, of)| *of == long).map(|(short, _)| *short)
}

/// The word's other form: written out, contracted or, half of the time, a synonym.
fn other_form(word: &Word<'_>, random: &mut Xoshiro256PlusPlus) -> Option<String> {
    let long = CONTRACTIONS.iter().find(|(short, _)| *short == word.lower).map(|(_, long)| *long);
    if let Some(form) = long.or_else(|| contracted(&word.lower)) {
        return word.cased(form);
    }
    let pair = SYNONYMS.iter().find(|(a, b)| *a == word.lower || *b == word.lower)?;
    let other = if pair.0 == word.lower { pair.1 } else { pair.0 };
    if random.next_u64().is_multiple_of(CHANGED) { word.cased(other) } else { None }
}

fn left_out(word: &Word<'_>, random: &mut Xoshiro256PlusPlus) -> bool {
    let may = word.before.is_empty() && word.after == " ";
    may && FUNCTION_WORDS.contains(&word.lower.as_str())
        && random.next_u64().is_multiple_of(DROPPED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn check(text: &str, expected: &str) {
        assert_eq!(paraphrase(text, "a/0#1"), expected);
    }

    #[test]
    fn forms_and_marks_change_and_the_rest_stays() {
        check("Don’t touch “it’s” here.", "Do not touch “it is” here.");
        check("I am sure you cannot, I am.\n", "I'm sure you can't, I am.\n");
        check("DON'T run; do not\nwalk", "DON'T run; do not\nwalk");
        check("- flour\n  * sugar\n1. Stir\n12) Bake", "* flour\n  - sugar\n1) Stir\n12. Bake");
        check("```\nlet x = \"do not\";\n```", "```\nlet x = \"do not\";\n```");
        check(" *bold* 3.5 %", " *bold* 3.5 %");
    }

    #[test]
    fn half_of_the_synonyms_change_and_keep_their_capitals() {
        let said = paraphrase(&"Big, ".repeat(400), "k");
        let changed = said.matches("Large, ").count();
        assert_eq!(changed + said.matches("Big, ").count(), 400);
        assert!(changed.abs_diff(200) < 50, "{changed}");
        assert_eq!(said, paraphrase(&"Big, ".repeat(400), "k"));
        assert_ne!(said, paraphrase(&"Big, ".repeat(400), "l"));
    }

    #[test]
    fn one_of_twenty_function_words_is_left_out() {
        let said = paraphrase(&"the violin ".repeat(2000), "k");
        assert_eq!(said.matches("violin").count(), 2000);
        let left = 2000 - said.matches("the ").count();
        assert!(left.abs_diff(100) < 40, "{left}");
    }

    #[test]
    fn no_word_has_two_synonyms() {
        let mut seen = HashSet::new();
        assert!(SYNONYMS.iter().all(|(a, b)| seen.insert(a) && seen.insert(b)));
        let vowel = |word: &str| word.starts_with(['a', 'e', 'i', 'o', 'u']);
        let odd = SYNONYMS.iter().find(|(a, b)| vowel(a) != vowel(b));
        let adverbs = [("often", "frequently"), ("usually", "typically"), ("almost", "nearly")];
        assert!(odd.is_none_or(|pair| adverbs.contains(pair)), "{odd:?}");
    }
}
