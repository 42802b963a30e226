//! Passages of the themes that moved most, for a person to see what the labels mean.

use super::{
    answers::Answers,
    report::{Passages, ThemeShift},
};

/// How many themes, and passages of each on either side.
const THEMES: usize = 6;
const PASSAGES: usize = 3;
/// The longest passage, in characters.
const LONGEST: usize = 300;

/// Passages of those of `themes` whose share surely moved, which come first.
pub(super) fn of(answers: &Answers, themes: &[ThemeShift]) -> Vec<Passages> {
    let sure = themes.iter().filter(|theme| theme.difference.interval.excludes_zero());
    let shown = |moved: &ThemeShift| {
        let theme = answers.themes.iter().position(|known| known.id == moved.theme)? as u32;
        let sides = [0, 1].map(|side| some(answers, side, theme));
        Some(Passages { theme: moved.theme.clone(), sides })
    };
    sure.take(THEMES).filter_map(shown).collect()
}

/// The first such passage of some answers, which lie evenly among those that have one.
fn some(answers: &Answers, side: usize, theme: u32) -> Vec<String> {
    let first = |chain: &super::answers::Chain| {
        let place = chain.themes.iter().position(|&one| one == theme)?;
        let text: String = chain.texts[place].chars().take(LONGEST).collect();
        Some(text)
    };
    let all: Vec<String> = answers.sides[side].chains.iter().filter_map(first).collect();
    let every = all.len().div_ceil(PASSAGES).max(1);
    all.into_iter().step_by(every).take(PASSAGES).collect()
}
