//! What others wrote, made fit to be shown: it must not steer the terminal.

/// Whether a terminal shows `character` and is not steered by it: neither a control character nor
/// one that turns the direction of writing (Unicode's bidirectional controls).
pub(crate) fn is_shown(character: char) -> bool {
    let turns = matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !character.is_control() && !turns
}

/// `text` on one line, without what is not shown.
pub(crate) fn plain(text: &str) -> String {
    let lines = text.split_whitespace().collect::<Vec<_>>().join(" ");
    lines.chars().filter(|&character| is_shown(character)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_is_dropped() {
        assert_eq!(plain("a\u{1b}[2J\n b\u{202e}c\u{9b}"), "a[2J bc");
        assert_eq!(plain("héllo 日本"), "héllo 日本");
    }
}
