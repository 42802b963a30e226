//! The written catalogue: what a passage can do, in people's words, with examples.

use crate::{LabError, Result};
use serde::{Deserialize, Serialize};
use std::{collections::HashSet, fs, path::Path};
use themecast_forecast::bundle::{Theme, is_kebab_case};

/// The catalogue that is shipped.
const SHIPPED: &str = include_str!("../../../data/catalogue.json");

/// One theme as people wrote it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its id, in kebab-case.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What a passage of it does.
    pub description: String,
    /// Passages of it.
    pub examples: Vec<String>,
}

/// The shipped catalogue, or the one in the file `path`.
///
/// # Errors
/// [`LabError::Io`]; [`LabError::Format`] where it is no list of themes with examples, or an id is
/// none that a bundle takes.
pub fn read(path: Option<&Path>) -> Result<Vec<Entry>> {
    let (text, shown) = match path {
        Some(path) => (fs::read_to_string(path).map_err(LabError::io("read", path))?, path),
        None => (SHIPPED.to_owned(), Path::new("data/catalogue.json")),
    };
    let entries: Vec<Entry> =
        serde_json::from_str(&text).map_err(|error| LabError::format(shown, error))?;
    if entries.len() < 2 {
        return Err(LabError::format(shown, "a catalogue needs two themes or more"));
    }
    let mut ids = HashSet::new();
    for Entry { id, examples, .. } in &entries {
        let wrong = |what: &str| Err(LabError::format(shown, format!("the theme '{id}' {what}")));
        if !is_kebab_case(id) {
            return wrong("has an id that is not lower-case words and dashes (kebab-case)");
        }
        if !ids.insert(id) {
            return wrong("is there twice");
        }
        if examples.is_empty() {
            return wrong("has no example");
        }
    }
    Ok(entries)
}

/// The themes of `entries` with the shares that `counts` give.
pub(super) fn themes(entries: &[Entry], counts: &[usize]) -> Vec<Theme> {
    let total = counts.iter().sum::<usize>().max(1) as f32;
    let theme = |(entry, &count): (&Entry, &usize)| Theme {
        id: entry.id.clone(),
        name: entry.name.clone(),
        description: entry.description.clone(),
        share: count as f32 / total,
    };
    entries.iter().zip(counts).map(theme).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_catalogue_is_whole() {
        let entries = read(None).unwrap();
        let ids: HashSet<&str> = entries.iter().map(|entry| entry.id.as_str()).collect();
        assert_eq!(ids.len(), entries.len());
        assert!(entries.len() <= 20, "endpoints give 20 alternatives");
        let themes = themes(&entries, &vec![1; entries.len()]);
        assert!((themes.iter().map(|theme| theme.share).sum::<f32>() - 1.0).abs() < 1e-5);
    }

    #[test]
    fn a_catalogue_that_no_bundle_could_have_is_refused_at_once() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let entry = |id: &str, examples: &str| {
            format!(r#"{{"id":"{id}","name":"A","description":"a","examples":[{examples}]}}"#)
        };
        for (second, wrong) in [
            (entry("b", ""), "'b' has no example"),
            (entry("a", "\"x\""), "'a' is there twice"),
            (entry("r\u{e9}sum\u{e9}", "\"x\""), "kebab-case"),
        ] {
            fs::write(file.path(), format!("[{},{second}]", entry("a", "\"x\""))).unwrap();
            let error = read(Some(file.path())).unwrap_err().to_string();
            assert!(error.contains(wrong), "{error}");
        }
    }
}
