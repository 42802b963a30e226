//! What a reader chose for single segments, in files such as `data/answers.jsonl`.

use super::{Answer, Answers};
use crate::{LabError, Result, label::catalogue::Entry, split::stable_hash};
use serde::{Deserialize, Serialize};
use std::{fs, path::Path};

/// The theme that a reader chose for one segment; a line may have more keys, such as who it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// The document's id.
    pub document: String,
    /// The segment's number in it.
    pub segment: u32,
    /// The id of its theme.
    pub theme: String,
    /// That of another one, nearly as good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alternate: Option<String>,
    /// The hash of the passage that was read, as [`passage`] gives it: an answer to another text
    /// does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passage: Option<String>,
}

impl Choice {
    /// Whether it is about the passage `text`, as far as it says.
    pub fn is_of(&self, text: &str) -> bool {
        self.passage.as_ref().is_none_or(|read| *read == passage(text))
    }
}

/// The themes that a reader chose, of the file `path`, a line each.
///
/// # Errors
/// [`LabError::Io`]; [`LabError::Format`] with the line's number.
pub fn choices(path: &Path) -> Result<Vec<Choice>> {
    let text = fs::read_to_string(path).map_err(LabError::io("read", path))?;
    let choice = |(number, line): (usize, &str)| {
        serde_json::from_str(line)
            .map_err(|error| LabError::format(path, format!("line {}: {error}", number + 1)))
    };
    text.lines().enumerate().filter(|(_, line)| !line.is_empty()).map(choice).collect()
}

/// The same of a file as [`Answers`] keeps it too: of each passage the likeliest theme.
///
/// # Errors
/// As [`choices`] and [`Answers::read`].
pub fn choices_or_answers(path: &Path, catalogue: &[Entry]) -> Result<Vec<Choice>> {
    let text = fs::read_to_string(path).map_err(LabError::io("read", path))?;
    match text.lines().next().is_some_and(|line| serde_json::from_str::<Answer>(line).is_ok()) {
        true => Ok(Answers::read(path.to_owned(), catalogue)?.likeliest()),
        false => choices(path),
    }
}

/// The hash of a passage's text, 16 hexadecimal digits.
pub(in crate::label) fn passage(text: &str) -> String {
    format!("{:016x}", stable_hash(text.trim()))
}
