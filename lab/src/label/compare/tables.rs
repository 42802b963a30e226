//! A comparison as tables and lists, for Markdown and for a page.

use super::report::{AnswersReport, ComparisonReport, MethodReport, PairReport, ThemeExamples};
use crate::eval::Interval;
use crate::{
    eval::{
        page::{escape, start, table_of},
        table::{Table, number},
    },
    label::Agreement,
};
use std::fmt::Write;

const ALONE: &[&str] = &[
    "method",
    "themes",
    "in use",
    "entropy of shares (nats)",
    "persistence",
    "by chance",
    "share of “other”",
];
const LEVELS: &[&str] =
    &["level", "number", "entropy (nats)", "persistence", "by chance", "AMI with topics"];
const STABLE: &[&str] = &["method", "against", "segments", "kappa", "AMI", "ARI"];
const PAIRS: &[&str] = &["first", "second", "segments", "kappa", "AMI", "ARI"];
const ANSWERS: &[&str] =
    &["answers", "method", "segments", "kappa", "AMI", "ARI", "label is answer or alternate"];
const RESOLUTIONS: &[&str] = &["method", "themes", "stability", "chosen"];

impl ComparisonReport {
    /// The comparison as Markdown.
    pub fn to_markdown(&self) -> String {
        let mut out = format!("# {}\n\n{}\n", self.title(), self.summary());
        for table in self.tables() {
            let _ = write!(out, "\n## {}\n\n{}", table.title, table.to_markdown());
        }
        let _ = writeln!(out, "\n## {}", self.sheet_title());
        for theme in &self.sheet {
            let _ = writeln!(out, "\n### {}\n\n{}\n", heading(theme), theme.description);
            for passage in &theme.passages {
                let _ = writeln!(out, "- {passage}");
            }
        }
        out.push_str("\n## Notes\n\n");
        for note in &self.notes {
            let _ = writeln!(out, "- {note}");
        }
        out
    }

    /// The comparison as one HTML page that needs nothing else.
    pub fn to_html(&self) -> String {
        let mut out = start(&self.title(), &self.summary());
        for table in self.tables() {
            out.push_str(&table_of(&table));
        }
        let _ = writeln!(out, "<h2>{}</h2>", escape(&self.sheet_title()));
        for theme in &self.sheet {
            let (heading, said) = (escape(&heading(theme)), escape(&theme.description));
            let _ = writeln!(out, "<h3>{heading}</h3>\n<p>{said}</p>\n{}", list(&theme.passages));
        }
        let _ = writeln!(out, "<h2>Notes</h2>\n{}\n</html>", list(&self.notes));
        out
    }

    fn title(&self) -> String {
        format!("Labellers compared on {}", self.collection)
    }

    fn summary(&self) -> String {
        format!(
            "{} segments, of them {} in the test split, on which agreement is measured. Seed {}.",
            self.segments, self.test_segments, self.seed
        )
    }

    fn sheet_title(&self) -> String {
        format!("Passages of the test split by theme ({})", self.sheet_of)
    }

    fn tables(&self) -> Vec<Table> {
        let table = |title: &str, head, rows| Table { title: title.to_owned(), head, rows };
        let stable = self.methods.iter().flat_map(stable_rows).collect();
        let tried = self.methods.iter().flat_map(resolution_rows).collect();
        let levels = self.topics_of.iter().flat_map(|topics| level_rows(topics, &self.methods));
        let all = [
            table("Each method by itself", ALONE, self.methods.iter().map(alone_row).collect()),
            table("Themes and topics", LEVELS, levels.collect()),
            table("Stability: each method with itself", STABLE, stable),
            table("Methods with each other", PAIRS, self.pairs.iter().map(pair_row).collect()),
            table("With answers from elsewhere", ANSWERS, self.answers.iter().map(said).collect()),
            table("How many themes: stability of each number tried", RESOLUTIONS, tried),
        ];
        all.into_iter().filter(|table| !table.rows.is_empty()).collect()
    }
}

fn list(lines: &[impl ToString]) -> String {
    let line = |line: &_| format!("<li>{}</li>\n", escape(&ToString::to_string(line)));
    format!("<ul>\n{}</ul>", lines.iter().map(line).collect::<String>())
}

fn heading(theme: &ThemeExamples) -> String {
    format!("{} ({:.1} %)", theme.name, 100.0 * theme.share)
}

fn alone_row(one: &MethodReport) -> Vec<String> {
    vec![
        one.method.clone(),
        one.themes.to_string(),
        one.in_use.to_string(),
        number(Some(one.entropy_nats)),
        number(one.persistence),
        number(one.persistence_by_chance),
        number(one.other),
    ]
}

/// The topics, then the themes of every other method beside them.
fn level_rows(topics: &str, methods: &[MethodReport]) -> Vec<Vec<String>> {
    let row = |level: &str, one: &MethodReport, shared| {
        vec![
            format!("{level} ({})", one.method),
            one.themes.to_string(),
            number(Some(one.entropy_nats)),
            number(one.persistence),
            number(one.persistence_by_chance),
            number(shared),
        ]
    };
    let own = methods.iter().filter(|one| one.method == topics);
    let others = methods.iter().filter(|one| one.method != topics);
    let own = own.map(|one| row("topics", one, None));
    own.chain(others.map(|one| row("themes", one, one.with_topics))).collect()
}

fn stable_rows(one: &MethodReport) -> Vec<Vec<String>> {
    let row = |what: &str, agreement: &Agreement| {
        let mut row = vec![one.method.clone(), what.to_owned()];
        row.extend(cells(Some(agreement)));
        row
    };
    let all = [&one.refitted, &one.paraphrased, &one.own];
    all.into_iter().flatten().map(|agreement| row(&agreement.with, agreement)).collect()
}

fn pair_row(pair: &PairReport) -> Vec<String> {
    let mut row = vec![pair.first.clone(), pair.second.clone()];
    row.extend(cells(pair.agreement.as_ref()));
    row
}

fn said(one: &AnswersReport) -> Vec<String> {
    let mut row = vec![one.answers.clone(), one.method.clone()];
    let mut figures = cells(one.agreement.as_ref());
    if let Some(Interval { low, high }) = one.kappa_interval {
        figures[1].push_str(&format!(" [{low:.3}, {high:.3}]"));
    }
    row.extend(figures);
    row.push(number(one.either));
    row
}

/// The rows of what the clustering says under `resolutions` of its parameters.
fn resolution_rows(one: &MethodReport) -> Vec<Vec<String>> {
    let tried = one.parameters["resolutions"].as_array().map_or(&[][..], Vec::as_slice);
    let row = |figure: &serde_json::Value| {
        let chosen = figure["themes"] == one.parameters["themes"];
        vec![
            one.method.clone(),
            figure["themes"].to_string(),
            number(figure["stability"].as_f64()),
            if chosen { "yes".to_owned() } else { String::new() },
        ]
    };
    tried.iter().map(row).collect()
}

/// Segments, kappa, AMI, ARI.
fn cells(agreement: Option<&Agreement>) -> [String; 4] {
    [
        agreement.map_or(0, |one| one.segments).to_string(),
        number(agreement.and_then(|one| one.kappa)),
        number(agreement.map(|one| one.adjusted_mutual_information)),
        number(agreement.map(|one| one.adjusted_rand_index)),
    ]
}
