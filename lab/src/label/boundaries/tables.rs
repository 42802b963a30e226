//! The comparison as tables.

use super::report::{BoundaryAgreement, BoundaryReport, WayReport};
use crate::eval::table::{Table, number};
use std::fmt::Write;

/// What to know when reading the figures.
pub(super) const NOTES: [&str; 5] = [
    "Everything is measured on the test split; only the threshold was fitted, on the training \
     split, so that segments by layout and by the change of embedding are as long on average.",
    "Coherence is what the second way cuts by, so that it has more of it says little by itself; \
     chance shows how much the choice of boundaries matters at all. Short units are less like \
     anything, and longer segments have steadier means.",
    "The classifier learnt from passages as long as those by layout: of shorter or longer ones it \
     is less sure.",
    "Lag: a boundary by layout is known with the segment's last token, one by the change of \
     embedding with the last token of the unit after it.",
    "Units of a few characters are usual (list items, lines of code); one unit is little there, so \
     F1 within one unit is high by chance.",
];

const WAYS: &[&str] = &[
    "cut by",
    "segments",
    "chars: mean (p10, p90)",
    "in no segment",
    "theme persistence (by chance)",
    "theme entropy (nats)",
    "within",
    "with others",
    "across",
    "neighbours: within, across",
    "kept without 1 word in 20 (by chance)",
    "lag: tokens (p90), chars",
];
const AGREEMENT: &[&str] = &["boundaries", "F1", "F1 within one unit", "WindowDiff"];

impl BoundaryReport {
    /// The report as Markdown.
    pub fn to_markdown(&self) -> String {
        let Self { documents, units, train_documents, .. } = self;
        let mut out = format!(
            "# Boundaries compared on {}\n\n{documents} test documents, {units} units; threshold \
             {:.3}, chosen on {train_documents} training documents.\n",
            self.collection, self.change.threshold
        );
        let title = "Ways of cutting".to_owned();
        let ways = Table { title, head: WAYS, rows: self.ways.iter().map(way_row).collect() };
        let title = "Agreement with boundaries by layout".to_owned();
        let both =
            [("embedding change", &self.agreement), ("by chance", &self.agreement_by_chance)];
        let rows = both.map(|(name, of)| agreement_row(name, of)).into();
        for table in [ways, Table { title, head: AGREEMENT, rows }] {
            let _ = write!(out, "\n## {}\n\n{}", table.title, table.to_markdown());
        }
        out.push_str("\n## Notes\n\n");
        for note in &self.notes {
            let _ = writeln!(out, "- {note}");
        }
        out
    }
}

fn way_row(one: &WayReport) -> Vec<String> {
    let (chars, themes, near, lag) = (&one.chars, &one.themes, &one.coherence, &one.lag);
    let (persistence, chance) = (number(themes.persistence), number(themes.persistence_by_chance));
    vec![
        one.way.clone(),
        one.segments.to_string(),
        format!("{:.1} ({}, {})", chars.mean, chars.p10, chars.p90),
        format!("{:.1} %", 100.0 * one.uncovered),
        format!("{persistence} ({chance})"),
        number(Some(themes.entropy_nats)),
        number(near.within),
        number(near.with_others),
        number(near.across),
        format!("{}, {}", number(near.neighbours_within), number(near.neighbours_across)),
        format!("{} ({})", number(one.kept), number(Some(one.boundary_rate))),
        format!("{:.1} ({}), {:.1}", lag.mean_tokens, lag.p90_tokens, lag.mean_chars),
    ]
}

fn agreement_row(name: &str, of: &BoundaryAgreement) -> Vec<String> {
    let figures = [of.f1_exact, of.f1_within_one_unit, of.window_diff];
    std::iter::once(name.to_owned()).chain(figures.map(|one| number(Some(one)))).collect()
}
