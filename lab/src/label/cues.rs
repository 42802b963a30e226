//! Words that tell what a passage does, whatever it is about.

/// The words that are looked for.
const WORDS: &str = "i you your we he she they it is are was were had said will can could should \
    would may must please thank thanks for example instance imagine conclusion overall finally in \
    summary however because therefore as if important help helps benefits first second then next \
    add mix use make sure need let know question called known means refers defined century year \
    years history born founded feel felt love hope think happy remember tips try consider avoid \
    best great good bad beautiful cup cups teaspoon tablespoon grams recipe here welcome dear \
    sincerely regards title def return function print import suddenly once one day my me her his \
    our their this these some many such also another including like type types";
/// How many words count as the passage's beginning.
const BEGINNING: usize = 3;

/// For each word: the square root of how often `text` has it; then whether it is among the first.
pub(super) fn features(text: &str) -> Vec<f32> {
    let known: Vec<&str> = WORDS.split_whitespace().collect();
    let mut found = vec![0f32; 2 * known.len()];
    let text = text.to_lowercase();
    let words =
        text.split(|c: char| !c.is_alphabetic() && c != '\'').filter(|word| !word.is_empty());
    for (place, word) in words.enumerate() {
        let Some(of) = known.iter().position(|one| *one == word) else { continue };
        found[of] += 1.0;
        if place < BEGINNING {
            found[known.len() + of] = 1.0;
        }
    }
    found[..known.len()].iter_mut().for_each(|count| *count = count.sqrt());
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_counted_and_the_first_ones_marked() {
        let found = features("For example, you can add one. You can, can you? For once!");
        let known: Vec<&str> = WORDS.split_whitespace().collect();
        let of = |word: &str| known.iter().position(|one| *one == word).unwrap();
        assert_eq!(found[of("can")], 3f32.sqrt());
        assert_eq!(found[of("example")], 1.0);
        assert_eq!(found[known.len() + of("for")], 1.0);
        assert_eq!(found[known.len() + of("can")], 0.0, "the fourth word");
    }
}
