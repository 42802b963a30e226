//! The answer at the left, wrapped as it comes, and beside each line what was forecast then.

use crate::{margin::Margin, plain::is_shown};
use console::{Style, Term, measure_text_width};
use std::io::{self, IsTerminal, Write};

/// Between the answer and its margin.
const RULE: &str = " │ ";
/// The width of what is written to a file or a pipe.
const PAGE: usize = 120;
/// Narrower than this, a terminal has no margin.
const NARROW: usize = 64;
/// Of which the answer gets no less than this.
const TEXT_LEAST: usize = 36;
/// More than this is hard to read.
const TEXT_MOST: usize = 88;
/// The widest margin: four themes with their probabilities.
const MARGIN_MOST: usize = 62;

/// How wide the answer and its margin are, in columns of the terminal, and what it can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    text: usize,
    margin: usize,
    live: bool,
    colours: bool,
}

impl Layout {
    /// For a terminal of `width` columns. Where `live`, the line that is being written is drawn
    /// again with every token, and with colours; otherwise each line is written once.
    pub fn new(width: usize, live: bool) -> Self {
        if width < NARROW {
            return Self { text: width.saturating_sub(1).max(1), margin: 0, live, colours: live };
        }
        let both = width - RULE.chars().count() - 1; // a full last column would wrap
        let text = (both * 11 / 20).clamp(TEXT_LEAST, TEXT_MOST);
        Self { text, margin: (both - text).min(MARGIN_MOST), live, colours: live }
    }

    /// For the process's own terminal; where a person does not both ask and read there, for a page.
    pub fn of_terminal() -> Self {
        let terminal = Term::stdout();
        match terminal.is_term() && io::stdin().is_terminal() {
            true => Self {
                colours: console::colors_enabled(),
                ..Self::new(terminal.size().1.into(), true)
            },
            false => Self::new(PAGE, false),
        }
    }

    /// The margin's columns; 0 where there is none.
    pub(crate) fn margin(self) -> usize {
        self.margin
    }

    /// `style` where colours are wanted.
    pub(crate) fn styled(self, style: Style) -> Style {
        style.force_styling(self.colours)
    }

    /// Whether a person watches.
    pub(crate) fn live(self) -> bool {
        self.live
    }
}

/// Draws one answer.
pub(crate) struct Columns<W: Write> {
    out: W,
    layout: Layout,
    line: String,
    margin: Margin,
}

impl<W: Write> Columns<W> {
    pub(crate) fn new(out: W, layout: Layout) -> Self {
        Self { out, layout, line: String::new(), margin: Margin::default() }
    }

    /// Takes a piece of the answer, and what is said beside it where anything is.
    pub(crate) fn piece(&mut self, text: &str, margin: Option<Margin>) -> io::Result<()> {
        self.margin = margin.unwrap_or(std::mem::take(&mut self.margin));
        for character in text.chars() {
            match character {
                '\n' => self.finish("")?,
                '\t' => self.push(' ')?,
                other if is_shown(other) => self.push(other)?,
                _ => {}
            }
        }
        if self.layout.live && !self.line.is_empty() {
            self.draw()?;
        }
        self.out.flush()
    }

    /// Ends the answer's last line.
    pub(crate) fn end(&mut self) -> io::Result<()> {
        if !self.line.is_empty() {
            self.finish("")?;
        }
        self.out.flush()
    }

    fn push(&mut self, character: char) -> io::Result<()> {
        self.line.push(character);
        if measure_text_width(self.line.trim_end()) <= self.layout.text {
            return Ok(());
        }
        let at = match self.line.rfind(' ') {
            Some(space) if !self.line[..space].trim().is_empty() => space,
            _ => self.line.len() - character.len_utf8(),
        };
        let rest = self.line.split_off(at);
        self.finish(rest.trim_start())
    }

    /// Writes the line as it is to stay and goes on with `rest`.
    fn finish(&mut self, rest: &str) -> io::Result<()> {
        self.draw()?;
        self.line = rest.to_owned();
        writeln!(self.out)
    }

    fn draw(&mut self) -> io::Result<()> {
        if self.layout.live {
            write!(self.out, "\r\x1b[K")?;
        }
        let line = self.line.trim_end();
        if self.margin.text.is_empty() || self.layout.margin == 0 {
            return write!(self.out, "{line}");
        }
        let pad = " ".repeat(self.layout.text.saturating_sub(measure_text_width(line)));
        let style =
            if self.margin.alarming { Style::new().red().bold() } else { Style::new().dim() };
        let margin = format!("{RULE}{}", self.margin.text);
        write!(self.out, "{line}{pad}{}", self.layout.styled(style).apply_to(margin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn margin(text: &str, alarming: bool) -> Option<Margin> {
        Some(Margin { text: text.into(), alarming })
    }

    fn drawn(layout: Layout, pieces: &[(&str, Option<Margin>)]) -> String {
        let mut out = Vec::new();
        let mut columns = Columns::new(&mut out, layout);
        for (text, margin) in pieces {
            columns.piece(text, margin.clone()).unwrap();
        }
        columns.end().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn lines_wrap_at_words_and_keep_what_was_said_when_they_ended() {
        let layout = Layout { text: 10, margin: 8, live: false, colours: false };
        let pieces =
            [("One two", margin("first", false)), (" three\n\nfour", margin("second", false))];
        let wanted =
            "One two    │ second\nthree      │ second\n           │ second\nfour       │ second\n";
        assert_eq!(drawn(layout, &pieces), wanted);
    }

    #[test]
    fn words_that_are_too_long_and_wide_characters_are_cut() {
        let layout = Layout { text: 4, margin: 0, live: false, colours: false };
        assert_eq!(drawn(layout, &[("abcdefghij", None)]), "abcd\nefgh\nij\n");
        assert_eq!(drawn(layout, &[("日本語", None)]), "日本\n語\n");
        assert_eq!(drawn(layout, &[("ab  cd", None)]), "ab\ncd\n");
        assert_eq!(
            drawn(layout, &[("abcd ef gh", None)]),
            "abcd\nef\ngh\n",
            "a word may end at the edge"
        );
        assert_eq!(drawn(layout, &[("  abcdef", None)]), "  ab\ncdef\n", "indentation is no word");
    }

    #[test]
    fn the_models_text_does_not_steer_the_terminal() {
        let layout = Layout { text: 20, margin: 0, live: false, colours: false };
        assert_eq!(drawn(layout, &[("a\x1b[2Jb\r\u{9b}1mc\td", None)]), "a[2Jb1mc d\n");
    }

    #[test]
    fn on_a_terminal_the_line_is_drawn_again_and_alarms_are_red() {
        let layout = Layout { text: 4, margin: 3, live: true, colours: true };
        let seen = drawn(layout, &[("a", margin("x", false)), ("b", margin("y", true))]);
        let redraws: Vec<&str> = seen.split("\r\x1b[K").collect();
        assert_eq!(redraws.len(), 4, "{seen:?}");
        assert!(redraws[1].starts_with("a   \x1b[2m │ x"), "{seen:?}");
        assert!(redraws[2].contains("\x1b[31m") && redraws[3].ends_with("\n"), "{seen:?}");
    }

    #[test]
    fn both_columns_fit_and_narrow_terminals_have_one() {
        for width in [64, 80, 100, 120, 400] {
            let Layout { text, margin, .. } = Layout::new(width, true);
            assert!(text + margin + 3 < width && text >= TEXT_LEAST && margin > 20, "{width}");
        }
        assert_eq!(
            Layout::new(40, false),
            Layout { text: 39, margin: 0, live: false, colours: false }
        );
        assert_eq!(Layout::new(0, false).text, 1);
    }
}
