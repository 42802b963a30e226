//! Words that tell what a passage does, whatever it is about: learnt from the answers.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How many words are kept.
const MOST: usize = 300;
/// In how many passages a word stands at least.
const LEAST: u32 = 10;

/// Words, marks, and beginnings of sentences (`^for`, `^for example`) that are looked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Words(Vec<String>);

impl Words {
    /// The words that depend most on the theme of the passage they stand in, by χ².
    ///
    /// *Source* Yang and Pedersen 1997.
    pub(super) fn learn<'a>(passages: impl Iterator<Item = (&'a str, u32)>) -> Self {
        let mut themes: BTreeMap<u32, f64> = BTreeMap::new();
        let mut found: BTreeMap<String, (u32, BTreeMap<u32, f64>)> = BTreeMap::new();
        for (text, theme) in passages {
            *themes.entry(theme).or_default() += 1.0;
            for (word, count) in counts(text) {
                let (passages, sums) = found.entry(word).or_default();
                *passages += 1;
                *sums.entry(theme).or_default() += f64::from(count).sqrt();
            }
        }
        found.retain(|_, (passages, _)| *passages >= LEAST);
        let mut ranked: Vec<(f64, String)> = found
            .into_iter()
            .map(|(word, (_, sums))| (chi_squared(&sums, &themes), word))
            .collect();
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        let mut words: Vec<String> = ranked.into_iter().take(MOST).map(|(_, word)| word).collect();
        words.sort_unstable();
        Self(words)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// For each word the square root of how often `text` has it.
    pub(super) fn features(&self, text: &str) -> Vec<f32> {
        let mut found = vec![0f32; self.0.len()];
        for (word, count) in counts(text) {
            if let Ok(place) = self.0.binary_search(&word) {
                found[place] = (count as f32).sqrt();
            }
        }
        found
    }
}

/// How unevenly a word's `sums` by theme are shared out, beside the `themes`' own shares.
fn chi_squared(sums: &BTreeMap<u32, f64>, themes: &BTreeMap<u32, f64>) -> f64 {
    let (word, all) = (sums.values().sum::<f64>(), themes.values().sum::<f64>());
    let of = |(theme, count): (&u32, &f64)| {
        let expected = word * count / all;
        (sums.get(theme).copied().unwrap_or(0.0) - expected).powi(2) / expected
    };
    themes.iter().map(of).sum()
}

/// How often each word, mark and beginning of a sentence stands in `text`.
fn counts(text: &str) -> BTreeMap<String, u32> {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    let text = text.trim().to_lowercase();
    for sentence in sentences(&text) {
        let words = words(sentence);
        let first: BTreeSet<String> = words.iter().take(2).map(|word| format!("^{word}")).collect();
        let pair = words.get(..2).map(|pair| format!("^{} {}", pair[0], pair[1]));
        let all = words.iter().map(|&word| word.to_owned()).chain(first).chain(pair);
        all.for_each(|word| *counts.entry(word).or_default() += 1);
    }
    counts
}

/// The parts of `text` that end with a mark or a line.
fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(['\n', '!', '?', ':'])
        .flat_map(|part| part.split_inclusive(". "))
        .map(str::trim)
        .filter(|part| !part.is_empty())
}

/// Words and single marks.
fn words(text: &str) -> Vec<&str> {
    let (mut words, mut start) = (Vec::new(), None);
    for (place, c) in text.char_indices() {
        if c.is_alphanumeric() || c == '_' {
            start.get_or_insert(place);
            continue;
        }
        words.extend(start.take().map(|start| &text[start..place]));
        if !c.is_whitespace() {
            words.push(&text[place..place + c.len_utf8()]);
        }
    }
    words.extend(start.map(|start| &text[start..]));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_marks_are_parted_and_beginnings_marked() {
        assert_eq!(words("don't stop – now"), ["don", "'", "t", "stop", "–", "now"]);
        let counts = counts("For example, you can.\nFor once! Go");
        let of = |word: &str| counts.get(word).copied().unwrap_or(0);
        assert_eq!((of("for"), of("^for"), of("^for example"), of("^for once")), (2, 2, 1, 1));
        assert_eq!((of("^can"), of("^go"), of(",")), (0, 1, 1));
    }

    #[test]
    fn what_depends_on_the_theme_is_kept_and_counted() {
        let passages = |n: u32| match n % 2 {
            0 => ("Add salt. Add flour to the bowl, then add milk.", 0),
            _ => ("The king spoke to the queen.", 1),
        };
        let words = Words::learn((0..40).map(passages));
        let place = |word: &str| words.0.iter().position(|one| one == word);
        let found = words.features("First, add this and add that.");
        assert_eq!(found[place("add").unwrap()], 2f32.sqrt());
        assert_eq!(found[place("^the king").unwrap()], 0.0);
        assert!(Words::learn((0..8).map(passages)).0.is_empty(), "eight passages are too few");
    }

    #[test]
    fn a_word_that_is_everywhere_tells_nothing() {
        let themes = BTreeMap::from([(0, 30.0), (1, 10.0)]);
        assert_eq!(chi_squared(&BTreeMap::from([(0, 3.0), (1, 1.0)]), &themes), 0.0);
        assert_eq!(chi_squared(&BTreeMap::from([(0, 4.0)]), &themes), 1.0 / 3.0 + 1.0);
    }
}
