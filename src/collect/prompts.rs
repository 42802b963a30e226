//! The prompts to collect answers for: JSON lines.

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::{collections::HashSet, path::Path};
use themecast_lab::Split;

/// One prompt.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prompt {
    /// Its id, unique in the file.
    pub id: String,
    /// What is asked.
    pub prompt: String,
    /// What the model is told before it, if anything: a system prompt.
    #[serde(default)]
    pub system: Option<String>,
    /// The group it belongs to: a genre, a source.
    #[serde(default)]
    pub group: Option<String>,
    /// Which split it belongs to; by a hash of its id where this is not given.
    #[serde(default)]
    pub split: Option<String>,
}

impl Prompt {
    /// Reads a file of prompts.
    ///
    /// # Errors
    /// One line that names the file and the line of what can't be read.
    pub fn read(path: &Path) -> Result<Vec<Self>> {
        let shown = path.display();
        let text =
            std::fs::read_to_string(path).with_context(|| format!("{shown}: cannot read"))?;
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let parse = |(number, line): (usize, &str)| {
            serde_json::from_str(line).with_context(|| {
                format!(
                    "{shown}:{}: want {{\"id\", \"prompt\", \"system\"?, \"group\"?, \"split\"?}}",
                    number + 1
                )
            })
        };
        let prompts: Vec<Self> = lines.map(parse).collect::<Result<_>>()?;
        ensure!(!prompts.is_empty(), "{shown}: holds no prompt");
        let mut ids = HashSet::new();
        for prompt in &prompts {
            ensure!(ids.insert(&prompt.id), "{shown}: the id '{}' comes twice", prompt.id);
            ensure!(
                !prompt.id.contains(['@', '+']),
                "{shown}: the id '{}' has an '@' or a '+', which tell where an answer is cut: use others",
                prompt.id
            );
            let split = prompt.split.as_deref().map_or(Ok(Split::Train), str::parse);
            split.with_context(|| format!("{shown}: the prompt '{}'", prompt.id))?;
        }
        Ok(prompts)
    }
}

/// SHA-256 (hex) over the system prompts and whose they are, or over the one that is given to `all`;
/// none where no prompt has one.
pub(super) fn systems(prompts: &[Prompt], all: Option<&str>) -> Option<String> {
    let own = || prompts.iter().filter_map(|one| Some((&*one.id, one.system.as_deref()?)));
    let told: Vec<(&str, &str)> = match all {
        Some(system) => vec![("", system)],
        None => own().collect(),
    };
    let digest = told.iter().fold(Sha256::new(), |hash, (id, system)| {
        hash.chain_update(id).chain_update([0]).chain_update(system).chain_update([0])
    });
    (!told.is_empty()).then(|| digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<Vec<Prompt>, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Prompt::read(file.path()).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn lines_are_read_and_mistakes_are_placed() {
        let two =
            "{\"id\":\"a\",\"prompt\":\"x\",\"group\":\"g\"}\n\n{\"id\":\"b\",\"prompt\":\"y\"}\n";
        assert_eq!(check(two).unwrap().len(), 2);
        assert!(check("{\"id\":\"a\"}").unwrap_err().contains(":1: want"));
        let split = two.replace("\"group\":\"g\"", "\"split\":\"dev\"");
        assert!(check(&split).unwrap_err().contains("'a': 'dev' is no split"));
        let told =
            |system: &str| systems(&check(&two.replace("\"group\":\"g\"", system)).unwrap(), None);
        assert_eq!(told("\"group\":\"h\""), None);
        assert_ne!(told("\"system\":\"Be brief.\""), told("\"system\":\"Be kind.\""));
        assert!(systems(&[], Some("Be brief.")).is_some());
        assert!(check("").unwrap_err().contains("no prompt"));
        assert!(check(&two.replace("\"b\"", "\"a\"")).unwrap_err().contains("twice"));
        assert!(check(&two.replace("\"b\"", "\"b@3\"")).unwrap_err().contains("'b@3' has"));
        assert!(check(&two.replace("\"b\"", "\"faq/3\"")).is_ok());
    }
}
