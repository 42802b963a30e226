//! The comparison as tables in Markdown and as a page with passages.

use super::{Apart, ShiftReport, SideReport};
use crate::eval::{
    Mean, page,
    table::{Table, number, with_interval},
};
use std::fmt::Write;

/// More transitions than this are left to the JSON.
const TRANSITIONS: usize = 15;
/// Resamples of fewer prompts say too little of others.
const FEW: usize = 20;

/// How many of the intervals exclude 0 where nothing moved.
const BY_CHANCE: f64 = 0.05;

const SIDES: &[&str] = &[
    "side",
    "model",
    "done to it",
    "temperature, most tokens",
    "answers",
    "looping",
    "segments an answer",
    "tokens",
];
const THEMES: &[&str] = &["theme", "share in a", "in b", "b − a"];
const APART: &[&str] =
    &["where", "cases", "divergence (bits)", "by chance", "p", "moved most", "b − a"];
const PAIRS: &[&str] = &["theme", "then", "share of pairs in a", "in b", "b − a"];

impl ShiftReport {
    /// What was found, in a few lines.
    pub fn summary(&self) -> String {
        let [a, b] = &self.sides;
        let mut out = format!(
            "a: {}; b: {}. {} prompts that both answer ({} are left out). ",
            called(a),
            called(b),
            self.prompts,
            self.left_out
        );
        if let Some(Apart { divergence, by_chance, p }) = self.apart {
            let _ = write!(
                out,
                "Their themes are {divergence:.4} bits apart (Jensen–Shannon), where answers \
                 dealt to both at random are {by_chance:.4}: p {p:.4}. "
            );
        }
        let more = |what: &str, more: Option<Mean>| {
            more.map(|more| format!("{} {what}", signed(&more))).unwrap_or_default()
        };
        let _ = write!(
            out,
            "An answer of b has {} and {}. Brackets: 95 % intervals over {} resamples of prompts.",
            more("segments more", self.more_segments),
            more("tokens more", self.more_tokens),
            self.resamples
        );
        if self.prompts < FEW {
            let _ = write!(out, " Of fewer than {FEW} prompts intervals are too narrow.");
        }
        let [a, b] = [a, b].map(|side| (side.max_tokens, side.temperature));
        if a != b {
            out.push_str(" Both were made with other settings, which may be what moved them.");
        }
        out
    }

    fn tables(&self) -> Vec<Table> {
        let mut tables = vec![self.sides_table(), self.themes_table(), self.places_table()];
        tables.extend((!self.groups.is_empty()).then(|| self.groups_table()));
        tables.extend((!self.transitions.is_empty()).then(|| self.transitions_table()));
        tables
    }

    fn sides_table(&self) -> Table {
        let row = |(letter, side): (&str, &SideReport)| {
            vec![
                format!("{letter}: {}", side.name),
                side.model.clone(),
                side.intervention.clone().unwrap_or_else(|| "–".into()),
                format!("{}, {}", side.temperature, side.max_tokens),
                side.answers.to_string(),
                side.looping.to_string(),
                format!("{:.1}", side.segments),
                format!("{:.0}", side.tokens),
            ]
        };
        let rows = ["a", "b"].into_iter().zip(&self.sides).map(row).collect();
        Table { title: "Both sides".into(), head: SIDES, rows }
    }

    fn themes_table(&self) -> Table {
        let row = |one: &super::ThemeShift| {
            let [a, b] = one.shares.map(|share| number(Some(share.into())));
            vec![one.theme.clone(), a, b, signed(&one.difference)]
        };
        let rows = self.themes.iter().map(row).collect();
        Table { title: "Themes, as shares of segments".into(), head: THEMES, rows }
    }

    fn places_table(&self) -> Table {
        let row = |one: &super::PlaceShift| {
            let [a, b] = one.segments;
            let cases = format!("{a} and {b}");
            apart_row(&one.place, cases, one.apart, &one.theme, one.difference)
        };
        let rows = self.places.iter().map(row).collect();
        Table { title: "Along the answer".into(), head: APART, rows }
    }

    fn groups_table(&self) -> Table {
        let row = |one: &super::GroupShift| {
            let cases = format!("{} prompts", one.prompts);
            apart_row(&one.group, cases, one.apart, &one.theme, one.difference)
        };
        let rows = self.groups.iter().map(row).collect();
        Table { title: "By group of prompts".into(), head: APART, rows }
    }

    fn transitions_table(&self) -> Table {
        let row = |one: &super::TransitionShift| {
            let [a, b] = one.shares.map(|share| number(Some(share.into())));
            vec![one.from.clone(), one.to.clone(), a, b, signed(&one.difference)]
        };
        let sure = self.transitions.iter().filter(|one| one.difference.interval.excludes_zero());
        Table {
            title: format!(
                "Pairs of themes in a row: {} of {} moved surely, {:.0} would by chance",
                sure.count(),
                self.transitions.len(),
                BY_CHANCE * self.transitions.len() as f64
            ),
            head: PAIRS,
            rows: self.transitions.iter().take(TRANSITIONS).map(row).collect(),
        }
    }

    /// The report as Markdown.
    pub fn to_markdown(&self) -> String {
        let mut out = format!("# How themes shift\n\n{}\n", self.summary());
        for table in self.tables() {
            let _ = write!(out, "\n## {}\n\n{}", table.title, table.to_markdown());
        }
        out
    }

    /// The report as one HTML page, with passages of the themes that moved most.
    pub fn to_html(&self) -> String {
        let mut out = page::start("How themes shift", &self.summary());
        for table in self.tables() {
            out.push_str(&page::table_of(&table));
        }
        for passages in &self.passages {
            let _ = writeln!(out, "<h2>Passages: {}</h2>", page::escape(&passages.theme));
            for (letter, texts) in ["a", "b"].into_iter().zip(&passages.sides) {
                let item = |text: &String| format!("<li>{}</li>", page::escape(text));
                let items: String = texts.iter().map(item).collect();
                let none = "<li>none</li>".to_owned();
                let items = if items.is_empty() { none } else { items };
                let _ = writeln!(out, "<p>In {letter}:</p>\n<ul>{items}</ul>");
            }
        }
        out + "</html>\n"
    }
}

/// A side's name, and whether something was done to it: the table says what.
fn called(side: &SideReport) -> String {
    let done = side.intervention.as_ref().map_or("", |_| " with something done to it");
    format!("{}{done}", side.name)
}

fn apart_row(
    place: &str,
    cases: String,
    apart: Apart,
    theme: &str,
    difference: f64,
) -> Vec<String> {
    vec![
        place.to_owned(),
        cases,
        format!("{:.4}", apart.divergence),
        format!("{:.4}", apart.by_chance),
        format!("{:.4}", apart.p),
        theme.to_owned(),
        format!("{difference:+.3}"),
    ]
}

fn signed(mean: &Mean) -> String {
    with_interval(mean.mean, Some(mean.interval), true)
}
