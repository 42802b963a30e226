//! Asking a language model for names of its own for what passages do, and merging them into a
//! catalogue that [`sample`](super::sample) can ask about.
//!
//! What was said is kept as it comes in `names-llm.jsonl` beside the collection, a line a segment.

use super::{
    Turn, drawn,
    merge::{Named, merge},
    prompt::shown,
    whole_lines,
};
use crate::{
    LabError, Result, Split,
    embed::Embed,
    label::{Segment, catalogue::Entry},
    pace::Pace,
};
use serde::{Deserialize, Serialize};
use std::{collections::HashMap, fs::OpenOptions, io::Write, path::Path};

/// The file's name in the collection's folder.
pub const NAMES: &str = "names-llm.jsonl";
/// The most words of a name.
const WORDS: usize = 3;

/// Whoever reaches a language model that answers in words.
pub trait Namer {
    /// A few words after `turns`.
    ///
    /// # Errors
    /// [`LabError::Data`] when the model can't be reached.
    fn say(&self, turns: &[Turn]) -> Result<String>;
}

/// How names are asked for and merged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NamesConfig {
    /// How many segments are named.
    pub segments: usize,
    /// The most themes of the catalogue.
    pub themes: usize,
    /// From which cosine on two names mean the same.
    pub alike: f32,
}

impl Default for NamesConfig {
    fn default() -> Self {
        Self { segments: 1000, themes: 18, alike: 0.6 }
    }
}

/// One line of the file.
#[derive(Serialize, Deserialize)]
struct Line {
    document: String,
    segment: u32,
    /// As it was said.
    said: String,
}

/// Has a sample of the training split's `segments` named, those not named in the folder `dir` yet,
/// and merges the names into a catalogue: what is judged later must not shape it.
///
/// # Errors
/// What the namer or the embedder fails with, [`LabError::Io`], or [`LabError::Data`] where the
/// names make fewer than two themes; the names so far stay.
pub fn propose(
    dir: &Path,
    segments: &[Segment],
    (namer, embedder): (&dyn Namer, &dyn Embed),
    (config, progress): (NamesConfig, &dyn Fn(&str)),
) -> Result<Vec<Entry>> {
    let path = dir.join(NAMES);
    let mut said = read(&path)?;
    let open = OpenOptions::new().create(true).append(true).open(&path);
    let mut file = open.map_err(LabError::io("write", &path))?;
    let wanted = drawn(segments, &[Split::Train], config.segments);
    let mut named = Vec::with_capacity(wanted.len());
    let key = |segment: &Segment| (segment.document.clone(), segment.segment);
    let all = wanted.iter().filter(|one| !said.contains_key(&key(one))).count();
    let (pace, mut done) = (Pace::new("passages named by the language model", progress), 0);
    for segment in &wanted {
        let key = key(segment);
        let words = match said.remove(&key) {
            Some(words) => words,
            None => {
                let words = namer.say(&turns(&segment.text))?;
                let (document, segment) = key;
                let line = serde_json::to_string(&Line { document, segment, said: words.clone() })
                    .map_err(|error| LabError::format(&path, error))?;
                writeln!(file, "{line}").map_err(LabError::io("write", &path))?;
                done += 1;
                pace.at(done, all);
                words
            }
        };
        if let Some(name) = tidy(&words) {
            named.push(Named { name, passage: segment.text.trim().to_owned() });
        }
    }
    let entries = merge(&named, embedder, (config.themes, config.alike))?;
    match entries.len() {
        0 | 1 => Err(LabError::data(format!(
            "the names of {} passages make {} theme: a catalogue needs two or more, so ask about \
             more passages or another model",
            named.len(),
            entries.len()
        ))),
        _ => Ok(entries),
    }
}

/// What was said so far.
fn read(path: &Path) -> Result<HashMap<(String, u32), String>> {
    let line = |(number, line): (usize, &str)| {
        let line: Line = serde_json::from_str(line)
            .map_err(|error| LabError::format(path, format!("line {}: {error}", number + 1)))?;
        Ok(((line.document, line.segment), line.said))
    };
    whole_lines(path)?.lines().enumerate().map(line).collect()
}

/// The conversation that asks for a name: what a passage does, not what it is about.
fn turns(passage: &str) -> Vec<Turn> {
    let say = |role, content: &str| Turn { role, content: content.to_owned() };
    let task = "Say in one to three words what the passage does in its text, such as: list of \
                ingredients, opening scene, dialogue, historical background, advice, closing. Do \
                not say what it is about. Answer with those words alone.";
    let mut turns = vec![say("system", task)];
    for (passage, name) in [
        ("Preheat the oven to 350 degrees. Grease the pan.", "cooking steps"),
        ("\"Where were you?\" she asked. He looked away.", "dialogue"),
        ("I look forward to hearing from you.\nSincerely, Ann", "closing"),
    ] {
        turns.extend([say("user", passage), say("assistant", name)]);
    }
    turns.push(say("user", &shown(passage)));
    turns
}

/// A name of letters and at most three words, in lower case; none where nothing is left.
fn tidy(said: &str) -> Option<String> {
    let line = said.lines().find(|line| !line.trim().is_empty())?;
    let letters: String = line
        .chars()
        .map(|c| if c.is_alphabetic() { c.to_ascii_lowercase() } else { ' ' })
        .collect();
    let words: Vec<&str> = letters.split_whitespace().take(WORDS).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn names_are_a_few_plain_words() {
        assert_eq!(tidy("  \n**Cooking Steps.**\nmore").as_deref(), Some("cooking steps"));
        assert_eq!(tidy("a list of all ingredients").as_deref(), Some("a list of"));
        assert_eq!(tidy(" 1) \n"), None);
    }

    #[test]
    fn the_passage_comes_last_and_is_cut() {
        let turns = turns(&"x".repeat(1_000));
        let last = turns.last().unwrap();
        assert_eq!((last.role, last.content.len()), ("user", 300));
    }

    #[test]
    fn a_line_that_was_cut_off_is_asked_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAMES);
        let line = r#"{"document":"a","segment":1,"said":"advice"}"#;
        fs::write(&path, format!("{line}\n{{\"docu")).unwrap();
        let said = read(&path).unwrap();
        assert_eq!(said.get(&("a".to_owned(), 1)).map(String::as_str), Some("advice"));
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{line}\n"));
    }
}
