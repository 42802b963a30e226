//! Names for clusters: the words that set each one apart.

use std::collections::{HashMap, HashSet};

/// Words that say nothing of a theme.
const COMMON: &str = "a about above after again all almost also although always am among an and \
    another any anyone anything are around as at away back be became because become been before \
    being below best better between both but by came can cannot come could did different do does \
    doing done down during each either else enough etc even ever every example few find first for \
    from full further gave get give given go goes going gone good got great had has have having he \
    help helps her here hers herself him himself his how however i if important in include \
    including includes into is it its itself just keep know known last least less let like likely \
    long look made make makes making many may maybe me might more most much must my myself need \
    needs never new next no nor not now of off often on once one only onto or other others our \
    ours out over own part per perhaps put quite rather really right said same say see seem seems \
    several she should since small so some someone something sometimes still such sure take takes \
    than that the their theirs them themselves then there these they thing things this those \
    though three through throughout thus time to together too toward two under until up upon us \
    use used using usually various very want wants was way ways we well went were what when \
    where whether which while who whole whom whose why will with within without would yet you \
    your yours yourself don doesn didn isn wasn won can couldn shouldn wouldn ll ve re";

/// The words of a text: lower case, letters alone, at least three of them, no common ones.
pub(super) fn words(text: &str) -> HashSet<String> {
    let common: HashSet<&str> = COMMON.split_whitespace().collect();
    text.to_lowercase()
        .split(|c: char| !c.is_alphabetic())
        .filter(|word| word.chars().count() >= 3 && !common.contains(word))
        .map(str::to_owned)
        .collect()
}

/// For each of `clusters` the `count` words most typical of it, best first, by class-based TF-IDF
/// over the number of segments that have the word.
///
/// *Source* Grootendorst 2022 (BERTopic), c-TF-IDF.
pub(super) fn typical_words(
    texts: &[&str],
    assigned: &[u32],
    clusters: usize,
    count: usize,
) -> Vec<Vec<String>> {
    let mut per_cluster: Vec<HashMap<String, usize>> = vec![HashMap::new(); clusters];
    let mut overall: HashMap<String, usize> = HashMap::new();
    for (text, &cluster) in texts.iter().zip(assigned) {
        for word in words(text) {
            *overall.entry(word.clone()).or_default() += 1;
            *per_cluster[cluster as usize].entry(word).or_default() += 1;
        }
    }
    let total: usize = overall.values().sum();
    let average = total as f64 / clusters.max(1) as f64;
    let rank = |words: &HashMap<String, usize>| {
        let size = words.values().sum::<usize>().max(1) as f64;
        let weight = |(word, &n): (&String, &usize)| {
            let spread = overall.get(word).copied().unwrap_or(1) as f64;
            (n as f64 / size * (1.0 + average / spread).ln(), word.clone())
        };
        let mut ranked: Vec<(f64, String)> = words.iter().map(weight).collect();
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        ranked.into_iter().take(count).map(|(_, word)| word).collect()
    };
    per_cluster.iter().map(rank).collect()
}

/// A kebab-case id of these words that is not among `taken`, and takes it.
pub(super) fn unique_id(words: &[String], taken: &mut HashSet<String>) -> String {
    let ascii = |word: &String| -> String {
        word.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
    };
    let parts: Vec<String> = words.iter().map(ascii).filter(|word| !word.is_empty()).collect();
    let base = if parts.is_empty() { "theme".to_owned() } else { parts.join("-") };
    let numbered = (2..).map(|number| format!("{base}-{number}"));
    let id = std::iter::once(base.clone()).chain(numbered).find(|id| !taken.contains(id));
    let id = id.unwrap_or(base);
    taken.insert(id.clone());
    id
}

/// The text on one line, at most `most` characters.
pub(super) fn shorten(text: &str, most: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= most {
        return line;
    }
    line.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typical_words_set_clusters_apart() {
        let texts =
            ["Mix the flour and sugar", "flour, sugar, oven", "the ship and the sea", "Sea!"];
        let words = typical_words(&texts, &[0, 0, 1, 1], 2, 2);
        assert_eq!(words, [["flour", "sugar"], ["sea", "ship"]]);
    }

    #[test]
    fn ids_never_meet() {
        let mut taken = HashSet::new();
        let words = ["flour".to_owned(), "crème".to_owned()];
        assert_eq!(unique_id(&words, &mut taken), "flour-crme");
        assert_eq!(unique_id(&words, &mut taken), "flour-crme-2");
        assert_eq!(unique_id(&[], &mut taken), "theme");
    }

    #[test]
    fn what_is_shortened_is_as_long_as_it_may_be() {
        assert_eq!(shorten(" one\n two ", 7), "one two");
        assert_eq!(shorten("one two", 6), "one t…");
    }
}
