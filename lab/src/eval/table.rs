//! The report as tables: the same rows for Markdown and for HTML, which [`super::page`] makes.

use super::{
    bootstrap::Interval,
    metrics::Scores,
    report::{Difference, EvalReport, HorizonReport, Intervals, ModelReport, PlaceReport},
};
use std::fmt::Write;

/// A table of text.
pub(crate) struct Table {
    pub(crate) title: String,
    pub(crate) head: &'static [&'static str],
    pub(crate) rows: Vec<Vec<String>>,
}

impl Table {
    /// The table as Markdown, without its title.
    pub(crate) fn to_markdown(&self) -> String {
        let head = self.head.join(" | ");
        let mut out = format!("| {head} |\n|{}\n", "---|".repeat(self.head.len()));
        for row in &self.rows {
            let cells: Vec<String> = row.iter().map(|cell| in_a_cell(cell)).collect();
            let _ = writeln!(out, "| {} |", cells.join(" | "));
        }
        out
    }
}

/// A text as a cell of Markdown: on one line, its bars no borders.
fn in_a_cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}

const HEADLINE: &[&str] = &[
    "place",
    "ahead",
    "cases",
    "ours: NLL",
    "ours: top-1",
    "best text",
    "its NLL",
    "its top-1",
    "ours − it: top-1",
    "ours − it: NLL",
    "on changes: top-1",
    "on changes: NLL",
    "text + activations − best text: top-1",
    "text + activations − best text: NLL",
    "ours: ECE (by chance, 95 % up to)",
    "ours: coverage of 90 % sets, size",
];
const COMPARED: &[&str] = &[
    "model",
    "top-1",
    "top-3",
    "macro-F1",
    "NLL (nats)",
    "marginal entropy removed",
    "Brier",
    "ECE before → after temperature (by chance, 95 % up to)",
    "coverage of 90 % sets",
    "set size",
    "top-1 on changes",
    "ours − it: top-1",
    "ours − it: NLL",
];
const ALONE: &[&str] = &[
    "segments ahead",
    "cases",
    "top-1",
    "top-3",
    "macro-F1",
    "NLL (nats)",
    "marginal entropy removed",
    "Brier",
    "ECE before → after temperature (by chance, 95 % up to)",
    "coverage of 90 % sets",
    "set size",
    "top-1 on changes",
];

impl EvalReport {
    /// The report as Markdown.
    pub fn to_markdown(&self) -> String {
        let mut out = format!("# Evaluation of {}\n\n{}\n", self.bundle, self.summary());
        for table in self.tables() {
            let _ = write!(out, "\n## {}\n\n{}", table.title, table.to_markdown());
        }
        out.push_str("\n## Notes\n\n");
        for note in &self.notes {
            let _ = writeln!(out, "- {note}");
        }
        out
    }

    /// What was judged, in one line.
    pub(super) fn summary(&self) -> String {
        format!(
            "{} on {} test documents of {}; {} themes ({}). Brackets: 95 % intervals over {} \
             resamples of prompts.",
            self.model_name,
            self.test_documents,
            self.collection,
            self.themes,
            self.labels,
            self.resamples
        )
    }

    /// Every table, in the order of reading.
    pub(super) fn tables(&self) -> Vec<Table> {
        let mut tables = vec![headline(self), told(self)];
        tables.retain(|table| !table.rows.is_empty());
        tables.extend(self.horizons.iter().map(horizon_table));
        tables.extend(self.horizons.iter().filter(|one| one.changes > 0).map(changes_table));
        if let Some(now) = &self.now {
            tables.push(alone_table("The segment that just ended, classified", [now]));
        }
        if !self.mid.is_empty() {
            let title = "From every token within a segment (0: the segment being written)";
            tables.push(alone_table(title, &self.mid));
        }
        tables.extend(super::more_tables::of(self));
        tables
    }
}

/// Ours against the best text baseline everywhere.
fn headline(report: &EvalReport) -> Table {
    let row = |one: &HorizonReport| {
        let own = one.models.first();
        let text = one.models.iter().find(|model| model.name == one.best_text);
        let nll = |model: &ModelReport| model.scores.nll_nats;
        let top1 = |model: &ModelReport| model.scores.top1;
        let mut row = vec![one.place.clone(), one.ahead.to_string(), one.cases.to_string()];
        row.extend([number(own.map(nll)), number(own.map(top1)), one.best_text.clone()]);
        row.extend([number(text.map(nll)), number(text.map(top1))]);
        row.extend(difference_cells(text.and_then(|model| model.difference.as_ref())));
        let changes = text.and_then(|model| model.changes_difference.as_ref());
        row.extend(difference_cells(changes));
        row.extend(difference_cells(one.increment.as_ref()));
        row.extend(own.map_or_else(Default::default, |own| {
            calibration_cells(&own.scores, own.intervals.coverage)
        }));
        row
    };
    let title = "Ours minus the best text baseline".to_owned();
    Table { title, head: HEADLINE, rows: report.horizons.iter().map(row).collect() }
}

/// Activations and text that are told the same.
fn told(report: &EvalReport) -> Table {
    let row = |one: &HorizonReport| {
        let mut row = vec![one.place.clone(), one.ahead.to_string(), one.cases.to_string()];
        row.extend(difference_cells(Some(one.told.as_ref()?)));
        row.push(one.changes.to_string());
        row.extend(difference_cells(one.told_changes.as_ref()));
        Some(row)
    };
    Table {
        title: "Both told the true themes so far: activations minus the best text".to_owned(),
        head: &[
            "place",
            "ahead",
            "cases",
            "top-1",
            "NLL (nats)",
            "changes",
            "on changes: top-1",
            "on changes: NLL",
        ],
        rows: report.horizons.iter().filter_map(row).collect(),
    }
}

/// The calibration error, then coverage and size of the conformal sets.
pub(super) fn calibration_cells(scores: &Scores, coverage: Option<Interval>) -> [String; 2] {
    let [ece, chance, most] =
        [scores.ece, scores.ece_by_chance, scores.ece_by_chance_most].map(|x| number(Some(x)));
    let size = scores.set_size.map_or_else(|| "–".to_owned(), |size| format!("{size:.1}"));
    [format!("{ece} ({chance}, {most})"), format!("{}, {size}", covered(scores, coverage))]
}

fn covered(scores: &Scores, interval: Option<Interval>) -> String {
    scores.coverage.map_or_else(|| "–".to_owned(), |share| with_interval(share, interval, false))
}

fn where_it_is(horizon: &HorizonReport) -> String {
    let plural = if horizon.ahead == 1 { "" } else { "s" };
    let place = match horizon.place.as_str() {
        "boundary" => "at the end of a segment".to_owned(),
        "prompt end" => "at the end of the prompt".to_owned(),
        within => format!("{within} a segment").replace("in a", "into a"),
    };
    match horizon.ahead {
        0 => format!("The segment being written, {place}"),
        ahead => format!("{ahead} segment{plural} ahead, {place}"),
    }
}

fn horizon_table(horizon: &HorizonReport) -> Table {
    let title = format!(
        "{} ({} cases; best text: {})",
        where_it_is(horizon),
        horizon.cases,
        horizon.best_text
    );
    let row = |model: &ModelReport| {
        let mut row = vec![model.name.clone()];
        row.extend(score_cells(&model.scores, model.intervals));
        row.extend(difference_cells(model.difference.as_ref()));
        row
    };
    Table { title, head: COMPARED, rows: horizon.models.iter().map(row).collect() }
}

fn changes_table(horizon: &HorizonReport) -> Table {
    let title = format!("On changes alone: {} ({} cases)", where_it_is(horizon), horizon.changes);
    let row = |model: &ModelReport| {
        let mut row = vec![model.name.clone()];
        row.extend(score_cells(model.changes.as_ref()?, Intervals::default()));
        row.extend(difference_cells(model.changes_difference.as_ref()));
        Some(row)
    };
    Table { title, head: COMPARED, rows: horizon.models.iter().filter_map(row).collect() }
}

fn alone_table<'a>(title: &str, places: impl IntoIterator<Item = &'a PlaceReport>) -> Table {
    let row = |place: &PlaceReport| {
        let mut row = vec![place.offset.to_string(), place.cases.to_string()];
        row.extend(score_cells(&place.scores, place.intervals));
        row
    };
    Table { title: title.to_owned(), head: ALONE, rows: places.into_iter().map(row).collect() }
}

/// The cells from `top-1` to `top-1 on changes`.
pub(super) fn score_cells(scores: &Scores, intervals: Intervals) -> Vec<String> {
    vec![
        with_interval(scores.top1, intervals.top1, false),
        number(Some(scores.top3)),
        number(Some(scores.macro_f1)),
        with_interval(scores.nll_nats, intervals.nll, false),
        number(scores.entropy_removed),
        number(Some(scores.brier)),
        format!(
            "{} → {} ({}, {})",
            number(scores.ece_before),
            number(Some(scores.ece)),
            number(Some(scores.ece_by_chance)),
            number(Some(scores.ece_by_chance_most))
        ),
        covered(scores, intervals.coverage),
        scores.set_size.map_or_else(|| "–".to_owned(), |size| format!("{size:.1}")),
        number(scores.transitions_top1),
    ]
}

/// Three places, or a dash where there is no number.
pub(crate) fn number(value: Option<f64>) -> String {
    let value = value.filter(|value| value.is_finite());
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"))
}

/// Top-1, then nats.
pub(crate) fn difference_cells(difference: Option<&Difference>) -> [String; 2] {
    match difference {
        None => ["–".to_owned(), "–".to_owned()],
        Some(difference) => [
            with_interval(difference.top1, difference.top1_interval, true),
            with_interval(difference.nll_nats, difference.nll_interval, true),
        ],
    }
}

/// A value with its interval in brackets.
pub(crate) fn with_interval(value: f64, interval: Option<Interval>, signed: bool) -> String {
    let number = |x: f64| if signed { format!("{x:+.3}") } else { format!("{x:.3}") };
    match interval {
        None => number(value),
        Some(Interval { low, high }) => {
            format!("{} [{}, {}]", number(value), number(low), number(high))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_stay_cells() {
        let rows = vec![vec!["a|b\nc".to_owned()]];
        let table = Table { title: String::new(), head: &["x"], rows };
        assert!(table.to_markdown().ends_with("| a\\|b c |\n"), "{}", table.to_markdown());
    }

    #[test]
    fn numbers_carry_their_sign_only_where_it_tells() {
        let interval = Some(Interval { low: -0.25, high: 0.0625 });
        assert_eq!(with_interval(-0.1, interval, true), "-0.100 [-0.250, +0.062]");
        assert_eq!(with_interval(0.5, None, false), "0.500");
    }
}
