//! Answers that leave their path: the beginning of one, then the rest of another.
//!
//! What alarms are judged on. The texts are made here; the model reads them as [`super::read`]
//! reads any collected answer, as if it had written them itself.

use super::record;
use anyhow::{Result, ensure};
use themecast_lab::{
    Split,
    dataset::{Document, TokenRow},
};

/// The group of such answers.
pub const GROUP: &str = "splice";
/// Segments that stand before the splice at least, and after it.
const LEAST: usize = 2;

/// `count` answers of the test split, each with the rest of an answer to a prompt of another group
/// from one of its segments' ends on. Ids say what was joined: `story-3/0@2+recipe-7/1@4`, the
/// numbers being the last segment before the splice and the one that the other answer is left out
/// up to.
///
/// # Errors
/// When there are too few answers.
pub fn splices(documents: &[Document], count: usize) -> Result<Vec<Document>> {
    let mut own: Vec<(u64, &Document)> = Vec::new();
    for document in documents {
        if !document.looping
            && Split::of(document)? == Split::Test
            && ends(document).len() >= 2 * LEAST
        {
            own.push((record::seed(1, &document.id), document));
        }
    }
    own.sort_by_key(|(order, _)| *order);
    let joined = own.iter().enumerate().filter_map(|(place, (order, first))| {
        let later = own.iter().cycle().skip(place + 1).take(own.len() - 1);
        let (_, second) = later.into_iter().find(|(_, other)| other.group != first.group)?;
        Some(join(first, second, *order))
    });
    let joined: Vec<Document> = joined.take(count).collect();
    let have = joined.len();
    ensure!(have == count, "{have} answers of the test split can be spliced, not {count}");
    Ok(joined)
}

/// The rows that end segments.
fn ends(document: &Document) -> Vec<usize> {
    (0..document.tokens.len()).filter(|&row| document.tokens[row].segment_end).collect()
}

/// `first` up to one of its ends, `second` from one of its ends on, drawn by `order`.
fn join(first: &Document, second: &Document, order: u64) -> Document {
    let cut = |document: &Document, draw: u64| {
        let ends = ends(document);
        let choices = ends.len() - 2 * LEAST + 1;
        ends[LEAST - 1 + (draw % choices as u64) as usize]
    };
    let (own, other) = (cut(first, order), cut(second, order >> 16));
    let (before, after) = (first.tokens[own].segment, second.tokens[other].segment);
    let mut tokens: Vec<TokenRow> = first.tokens[..=own].to_vec();
    for row in &second.tokens[other + 1..] {
        let index = tokens.last().map_or(0, |last| last.index + 1);
        let segment = row.segment - after + before;
        tokens.push(TokenRow { index, segment, ..row.clone() });
    }
    Document {
        id: format!("{}@{before}+{}@{after}", first.id, second.id),
        group: Some(GROUP.to_owned()),
        text: tokens.iter().map(|row| row.text.as_str()).collect(),
        tokens,
        ..first.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(id: &str, group: &str, words: [&str; 6]) -> Document {
        let row = |(index, word): (usize, &&str)| TokenRow {
            index: index as i32,
            segment: index as i32,
            segment_end: true,
            text: (*word).to_owned(),
            ..TokenRow::default()
        };
        Document {
            id: id.to_owned(),
            group: Some(group.to_owned()),
            split: Some("test".to_owned()),
            tokens: words.iter().enumerate().map(row).collect(),
            ..Document::default()
        }
    }

    #[test]
    fn one_begins_and_one_of_another_group_goes_on() {
        let all = [
            answer("a/0", "x", ["a", "b", "c", "d", "e", "f"]),
            answer("b/0", "x", ["g", "h", "i", "j", "k", "l"]),
            answer("c/0", "y", ["1", "2", "3", "4", "5", "6"]),
        ];
        let found = splices(&all, 3).unwrap();
        for document in &found {
            let letters = document.text.chars().filter(char::is_ascii_digit).count();
            assert!(letters >= LEAST && document.text.len() - letters >= LEAST, "{document:?}");
            let segments: Vec<i32> = document.tokens.iter().map(|row| row.segment).collect();
            assert_eq!(segments, (0..segments.len() as i32).collect::<Vec<_>>());
            let (own, _) = document.id.split_once('+').unwrap();
            let before: usize = own.rsplit_once('@').unwrap().1.parse().unwrap();
            let digit = |at: usize| document.text.as_bytes()[at].is_ascii_digit();
            assert_ne!(digit(before), digit(before + 1), "the splice is where the id says");
        }
        assert!(splices(&all, 4).unwrap_err().to_string().contains("3 answers"));
    }
}
