//! Free names become a catalogue: such as mean the same, by their embeddings, are one theme.
//!
//! The commonest names lead; a name joins the leader nearest to it, from a cosine on, or leads
//! itself. The largest groups are themes, and what is in no large group joins the nearest.
//!
//! *Source* leader clustering, Hartigan 1975.

use crate::{Result, embed::Embed, label::catalogue::Entry};
use std::collections::HashMap;

/// Examples of a theme, and how many other names its description tells.
const EXAMPLES: usize = 2;
const TOLD: usize = 5;

/// A name that was given to a passage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) passage: String,
}

/// The names of one theme, by places in the list of different names.
struct Group {
    names: Vec<usize>,
    passages: usize,
}

/// The catalogue of `named`: at most `themes` of them, names alike from a cosine of `alike` on.
///
/// # Errors
/// What the embedder fails with.
pub(super) fn merge(
    named: &[Named],
    embedder: &dyn Embed,
    (themes, alike): (usize, f32),
) -> Result<Vec<Entry>> {
    let counted = counted(named);
    let texts: Vec<String> = counted.iter().map(|(name, _)| name.clone()).collect();
    let vectors = embedder.embed(&texts, &|_, _| {})?;
    let cosine = |a: usize, b: usize| -> f32 {
        vectors[a].iter().zip(&vectors[b]).map(|(a, b)| a * b).sum()
    };
    let nearest = |groups: &[Group], name: usize| {
        let each = groups.iter().enumerate();
        let cosines = each.map(|(place, group)| (place, cosine(group.names[0], name)));
        cosines.max_by(|a, b| a.1.total_cmp(&b.1))
    };
    let mut groups: Vec<Group> = Vec::new();
    for (name, &(_, passages)) in counted.iter().enumerate() {
        match nearest(&groups, name).filter(|(_, cosine)| *cosine >= alike) {
            Some((place, _)) => groups[place].take(name, passages),
            None => groups.push(Group { names: vec![name], passages }),
        }
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.passages));
    let rest = groups.split_off(themes.min(groups.len()));
    for group in rest {
        for name in group.names {
            if let Some((place, _)) = nearest(&groups, name) {
                groups[place].take(name, counted[name].1);
            }
        }
    }
    let mut entries: Vec<Entry> = Vec::with_capacity(groups.len());
    for group in &groups {
        entries.push(entry(group, (&counted, named), &entries));
    }
    Ok(entries)
}

/// A name in kebab-case, numbered where one of `before` has it; letters that are not ASCII part words.
fn id_of(name: &str, before: &[Entry]) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { ' ' };
    let name: String = name.chars().map(letter).collect();
    let words: Vec<&str> = name.split_whitespace().collect();
    let plain = if words.is_empty() { "theme".to_owned() } else { words.join("-") };
    let (mut id, mut number) = (plain.clone(), 2);
    while before.iter().any(|entry| entry.id == id) {
        id = format!("{plain}-{number}");
        number += 1;
    }
    id
}

impl Group {
    fn take(&mut self, name: usize, passages: usize) {
        self.names.push(name);
        self.passages += passages;
    }
}

/// The different names and how many passages have each, the commonest first.
fn counted(named: &[Named]) -> Vec<(String, usize)> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for one in named {
        *counts.entry(&one.name).or_default() += 1;
    }
    let mut counted: Vec<(String, usize)> =
        counts.into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
    counted.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counted
}

fn entry(
    group: &Group,
    (counted, named): (&[(String, usize)], &[Named]),
    before: &[Entry],
) -> Entry {
    let names: Vec<&str> = group.names.iter().map(|&name| counted[name].0.as_str()).collect();
    let examples = named.iter().filter(|one| names.contains(&one.name.as_str()));
    let told = &names[..names.len().min(TOLD)];
    Entry {
        id: id_of(names[0], before),
        name: names[0].to_owned(),
        description: format!("passages that were called: {}", told.join(", ")),
        examples: examples.take(EXAMPLES).map(|one| one.passage.clone()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts with the same first letter point the same way.
    struct Letters;

    impl Embed for Letters {
        fn embed(&self, texts: &[String], _: &dyn Fn(usize, usize)) -> Result<Vec<Vec<f32>>> {
            let vector = |text: &String| {
                let first = text.bytes().next().unwrap_or_default();
                (b'a'..=b'z').map(|letter| f32::from(u8::from(letter == first))).collect()
            };
            Ok(texts.iter().map(vector).collect())
        }
    }

    fn named(names: &[&str]) -> Vec<Named> {
        let each = names.iter().enumerate();
        each.map(|(n, &name)| Named { name: name.into(), passage: format!("passage {n}") })
            .collect()
    }

    #[test]
    fn names_that_mean_the_same_are_one_theme_called_by_the_commonest() {
        let named = named(&["tips", "advice", "a hint", "advice", "cooking", "tips", "advice"]);
        let entries = merge(&named, &Letters, (18, 0.6)).unwrap();
        let ids: Vec<&str> = entries.iter().map(|entry| entry.id.as_str()).collect();
        assert_eq!(ids, ["advice", "tips", "cooking"]);
        assert_eq!(entries[0].description, "passages that were called: advice, a hint");
        assert_eq!(entries[0].examples, ["passage 1", "passage 2"]);
    }

    #[test]
    fn ids_are_kebab_case_and_there_once() {
        let named = named(&["résumé", "配料", "dialogue", "列", "theme 2"]);
        let entries = merge(&named, &Apart, (18, 0.6)).unwrap();
        let mut ids: Vec<&str> = entries.iter().map(|entry| entry.id.as_str()).collect();
        ids.sort_unstable();
        assert_eq!(ids, ["dialogue", "r-sum", "theme", "theme-2", "theme-3"]);
    }

    /// No two texts are alike.
    struct Apart;

    impl Embed for Apart {
        fn embed(&self, texts: &[String], _: &dyn Fn(usize, usize)) -> Result<Vec<Vec<f32>>> {
            let vector =
                |place| (0..texts.len()).map(|at| f32::from(u8::from(at == place))).collect();
            Ok((0..texts.len()).map(vector).collect())
        }
    }

    #[test]
    fn small_groups_join_the_large_ones() {
        let entries = merge(&named(&["a", "a", "b", "b", "c"]), &Letters, (2, 0.6)).unwrap();
        let joined = entries.iter().filter(|entry| entry.description.ends_with(", c"));
        assert_eq!((entries.len(), joined.count()), (2, 1));
    }
}
