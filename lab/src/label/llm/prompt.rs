//! The question: which letter stands for what this passage does?
//!
//! What is the same for every passage comes first, so that a server with a prefix cache reads it
//! once; the passage comes last. Every theme has one example, in an order of their own: letters
//! that come early or late must not be likelier for that.

use crate::label::catalogue::Entry;
use rand_xoshiro::{
    Xoshiro256PlusPlus,
    rand_core::{RngCore, SeedableRng},
};

/// A passage's first characters that are shown.
const SHOWN: usize = 300;

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// `system`, `user` or `assistant`.
    pub role: &'static str,
    /// What is said.
    pub content: String,
}

/// Which letter stands for which theme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letters {
    all: Vec<char>,
    /// The theme of each letter.
    themes: Vec<usize>,
    /// The order of the examples.
    examples: Vec<usize>,
}

impl Letters {
    /// Letters for the themes of `catalogue` in an order drawn from `seed`.
    pub fn shuffled(catalogue: &[Entry], seed: u64) -> Self {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut order = || {
            let mut order: Vec<usize> = (0..catalogue.len()).collect();
            for place in (1..order.len()).rev() {
                order.swap(place, (random.next_u64() % (place as u64 + 1)) as usize);
            }
            order
        };
        let (themes, examples) = (order(), order());
        Self { all: ('A'..='Z').take(themes.len()).collect(), themes, examples }
    }

    /// The letters.
    pub fn all(&self) -> &[char] {
        &self.all
    }

    /// Probabilities of letters as probabilities of themes.
    pub fn by_theme(&self, letters: &[f32]) -> Vec<f32> {
        let mut themes = vec![0.0; self.themes.len()];
        for (&theme, &p) in self.themes.iter().zip(letters) {
            themes[theme] = p;
        }
        themes
    }

    /// The conversation that asks for the letter of `passage`.
    pub fn turns(&self, catalogue: &[Entry], passage: &str) -> Vec<Turn> {
        let lettered = self.all.iter().zip(&self.themes);
        let lines: Vec<String> = lettered
            .clone()
            .map(|(letter, &theme)| {
                let Entry { name, description, .. } = &catalogue[theme];
                format!("{letter}: {name} ({description})")
            })
            .collect();
        let task = "You label passages of texts by what they do. Answer with the letter of the \
                    best label.";
        let say = |role, content| Turn { role, content };
        let mut turns = vec![say("system", format!("{task}\n{}", lines.join("\n")))];
        for &theme in &self.examples {
            let letter = lettered.clone().find(|(_, of)| **of == theme).map(|(letter, _)| letter);
            let examples = &catalogue[theme].examples;
            let example = examples.get(1).or(examples.first());
            if let (Some(letter), Some(example)) = (letter, example) {
                turns.push(say("user", example.clone()));
                turns.push(say("assistant", letter.to_string()));
            }
        }
        turns.push(say("user", shown(passage)));
        turns
    }
}

/// What is shown of a passage.
pub(super) fn shown(passage: &str) -> String {
    passage.trim().chars().take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::catalogue;

    #[test]
    fn every_theme_has_a_letter_and_an_example_that_fit() {
        let catalogue = catalogue::read(None).unwrap();
        let letters = Letters::shuffled(&catalogue, 5);
        let turns = letters.turns(&catalogue, " What now? ");
        assert_eq!(turns.len(), 2 + 2 * catalogue.len());
        assert_eq!(turns.last().unwrap().content, "What now?");
        let code = turns.iter().position(|turn| turn.content.starts_with("for i in")).unwrap();
        let letter = turns[code + 1].content.chars().next().unwrap();
        let mut given = vec![0.0; catalogue.len()];
        given[letters.all().iter().position(|&one| one == letter).unwrap()] = 1.0;
        let theme = letters.by_theme(&given).iter().position(|&p| p == 1.0).unwrap();
        assert_eq!(catalogue[theme].id, "code");
        assert_ne!(letters, Letters::shuffled(&catalogue, !5));
    }
}
