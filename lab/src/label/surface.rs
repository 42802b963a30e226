//! What a passage looks like: layout that no sentence embedding sees.

use super::Segment;

/// How many numbers [`features`] gives.
pub(super) const COUNT: usize = 12;

/// Shares and marks of a segment's layout, and where it stands in its document.
pub(super) fn features(segment: &Segment) -> [f32; COUNT] {
    let text = segment.text.trim();
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let count = lines.len().max(1) as f32;
    let begins = |with: fn(&str) -> bool| {
        lines.iter().filter(|line| with(line.trim_start())).count() as f32 / count
    };
    let chars = text.chars().count().max(1) as f32;
    let share = |of: fn(char) -> bool| text.chars().filter(|&c| of(c)).count() as f32 / chars;
    let mark = |yes: bool| f32::from(u8::from(yes));
    [
        begins(|line| line.starts_with(['-', '*', '•'])),
        begins(|line| line.starts_with(|c: char| c.is_ascii_digit())),
        begins(|line| line.ends_with(':')),
        share(|c| c.is_ascii_digit()),
        share(|c| matches!(c, '"' | '“' | '”')),
        share(|c| matches!(c, '(' | ')' | '{' | '}' | '=' | ';' | '_' | '`')),
        share(char::is_uppercase),
        mark(text.contains("```")),
        mark(text.ends_with('?')),
        mark(text.ends_with('!')),
        mark(segment.segment == 0),
        (segment.segment as f32).ln_1p(),
    ]
}
