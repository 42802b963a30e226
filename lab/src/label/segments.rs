//! The segments that get themes: from a collection's columns, or cut from plain texts.

use crate::{LabError, Result, Split, dataset::Document};
use serde::Deserialize;
use std::{collections::HashSet, fs, path::Path};
use themecast_forecast::segment::{Segmenter, SegmenterConfig};

/// A finished answer's last, unclosed segment stands alone from this length on, in characters.
const MIN_TAIL_CHARS: usize = 20;

/// One segment that is to be labelled.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// The document's id.
    pub document: String,
    /// The document's split.
    pub split: Split,
    /// Its number in the document, from 0.
    pub segment: u32,
    /// The index in the answer of its first token.
    pub first_token: u32,
    /// The index in the answer after its last token.
    pub end_token: u32,
    /// Its text.
    pub text: String,
}

/// One line of a file of plain texts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextLine {
    /// The text's id, unique in the file.
    pub id: String,
    /// The text.
    pub text: String,
}

/// Appends the segments of `document`, as its columns have them.
///
/// The unfinished tail of a truncated answer is left out; that of a finished answer stays, or
/// joins the segment before it where it is short.
pub(super) fn of_document(document: &Document, split: Split, into: &mut Vec<Segment>) {
    let first = into.len();
    let mut closed = true;
    for row in document.tokens.iter().filter(|row| row.index >= 0 && row.segment >= 0) {
        let (segment, index) = (row.segment as u32, row.index as u32);
        match into.last_mut().filter(|last| !closed && last.segment == segment) {
            Some(last) => {
                last.text.push_str(&row.text);
                last.end_token = index + 1;
            }
            None => into.push(Segment {
                document: document.id.clone(),
                split,
                segment,
                first_token: index,
                end_token: index + 1,
                text: row.text.clone(),
            }),
        }
        closed = row.segment_end;
    }
    if !closed {
        settle_tail(document.truncated(), first, into);
    }
}

/// Appends the segments of a plain text; the words stand for tokens.
pub(super) fn of_text(line: &TextLine, config: &SegmenterConfig, into: &mut Vec<Segment>) {
    let first = into.len();
    let mut segmenter = Segmenter::new(config);
    let mut closed = true;
    let mut number = 0;
    for (index, word) in line.text.split_inclusive(char::is_whitespace).enumerate() {
        let index = index as u32;
        match into.last_mut().filter(|_| !closed) {
            Some(last) => {
                last.text.push_str(word);
                last.end_token = index + 1;
            }
            None => {
                into.push(Segment {
                    document: line.id.clone(),
                    split: Split::of_prompt(&line.id),
                    segment: number,
                    first_token: index,
                    end_token: index + 1,
                    text: word.to_owned(),
                });
                number += 1;
            }
        }
        closed = segmenter.push(word);
    }
    if !closed {
        settle_tail(false, first, into);
    }
}

/// Reads a JSON-lines file of texts.
///
/// # Errors
/// [`LabError::Io`]; [`LabError::Format`] with the line's number, also where an id is there twice.
pub(super) fn read_texts(path: &Path) -> Result<Vec<TextLine>> {
    let content = fs::read_to_string(path).map_err(LabError::io("read", path))?;
    let lines = content.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let mut ids = HashSet::new();
    let read = |(number, line): (usize, &str)| {
        let wrong = |what: String| LabError::format(path, format!("line {}: {what}", number + 1));
        let text: TextLine =
            serde_json::from_str(line).map_err(|error| wrong(error.to_string()))?;
        match ids.insert(text.id.clone()) {
            true => Ok(text),
            false => Err(wrong(format!("the id {:?} is there twice", text.id))),
        }
    };
    lines.map(read).collect()
}

/// Decides on the unclosed last segment of the document whose segments start at `first`.
pub(super) fn settle_tail(truncated: bool, first: usize, into: &mut Vec<Segment>) {
    let Some(tail) = into.pop() else { return };
    if truncated {
        return;
    }
    if tail.text.trim().chars().count() >= MIN_TAIL_CHARS {
        into.push(tail);
    } else if let Some(last) = into.get_mut(first..).and_then(<[Segment]>::last_mut) {
        last.text.push_str(&tail.text);
        last.end_token = tail.end_token;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::TokenRow;

    fn document(finish_reason: &str, words: &[(&str, i32, bool)]) -> Document {
        let row = |(index, &(text, segment, segment_end)): (usize, &(&str, i32, bool))| TokenRow {
            index: index as i32,
            text: text.into(),
            segment,
            segment_end,
            ..TokenRow::default()
        };
        let start = TokenRow { index: -1, segment: -1, ..TokenRow::default() };
        Document {
            id: "a/0".into(),
            finish_reason: finish_reason.into(),
            tokens: std::iter::once(start).chain(words.iter().enumerate().map(row)).collect(),
            ..Document::default()
        }
    }

    fn texts(finish_reason: &str, words: &[(&str, i32, bool)]) -> Vec<(u32, u32, String)> {
        let mut segments = Vec::new();
        of_document(&document(finish_reason, words), Split::Train, &mut segments);
        segments.into_iter().map(|one| (one.first_token, one.end_token, one.text)).collect()
    }

    #[test]
    fn tails_are_dropped_kept_or_joined() {
        let long = " and a tail that is long enough";
        let start = [("One", 0, false), (" two.", 0, true)];
        let with = |tail| [start[0], start[1], (tail, 1, false)];
        let whole = (0, 2, "One two.".to_owned());
        assert_eq!(texts("length", &with(long)), std::slice::from_ref(&whole));
        assert_eq!(texts("stop", &with(long)), [whole, (2, 3, long.to_owned())]);
        assert_eq!(texts("stop", &with(" ok")), [(0, 3, "One two. ok".to_owned())]);
        assert_eq!(texts("stop", &[("Hi", 0, false)]), []);
    }

    #[test]
    fn texts_with_one_id_are_refused_by_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let line = |id: &str| format!(r#"{{"id":"{id}","text":"One."}}"#);
        fs::write(file.path(), [line("a"), line("b")].join("\n")).unwrap();
        assert_eq!(read_texts(file.path()).unwrap().len(), 2);
        fs::write(file.path(), [line("a"), line("b"), line("a")].join("\n")).unwrap();
        let error = read_texts(file.path()).unwrap_err().to_string();
        assert!(error.contains("line 3: the id \"a\" is there twice"), "{error}");
    }
}
