//! The report as tables: the same rows for Markdown and for HTML.

use super::{
    bootstrap::Interval,
    metrics::Scores,
    report::{Difference, EvalReport, HorizonReport, ModelReport, PlaceReport},
};
use std::fmt::Write;

struct Table {
    title: String,
    head: &'static [&'static str],
    rows: Vec<Vec<String>>,
}

const COMPARED: &[&str] = &[
    "model",
    "top-1",
    "top-3",
    "macro-F1",
    "NLL (nats)",
    "Brier",
    "ECE",
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
    "Brier",
    "ECE",
    "top-1 on changes",
];

impl EvalReport {
    /// The report as Markdown.
    pub fn to_markdown(&self) -> String {
        let mut out = format!("# Evaluation of {}\n\n{}\n", self.bundle, self.summary());
        for table in self.tables() {
            let _ = write!(out, "\n## {}\n\n| {} |\n", table.title, table.head.join(" | "));
            let _ = writeln!(out, "|{}", "---|".repeat(table.head.len()));
            for row in &table.rows {
                let _ = writeln!(out, "| {} |", row.join(" | "));
            }
        }
        out.push_str("\n## Notes\n\n");
        for note in &self.notes {
            let _ = writeln!(out, "- {note}");
        }
        out
    }

    /// The report as one HTML page that needs nothing else.
    pub fn to_html(&self) -> String {
        let title = escape(&format!("Evaluation of {}", self.bundle));
        let mut out = format!(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n\
             <style>{STYLE}</style>\n<h1>{title}</h1>\n<p>{}</p>\n",
            escape(&self.summary())
        );
        for table in self.tables() {
            let cells = |row: &[String], tag: &str| -> String {
                row.iter().map(|cell| format!("<{tag}>{}</{tag}>", escape(cell))).collect()
            };
            let head: Vec<String> = table.head.iter().map(|&name| name.to_owned()).collect();
            let _ = write!(
                out,
                "<h2>{}</h2>\n<div><table>\n<thead><tr>{}</tr></thead>\n<tbody>\n",
                escape(&table.title),
                cells(&head, "th")
            );
            for row in &table.rows {
                let _ = writeln!(out, "<tr>{}</tr>", cells(row, "td"));
            }
            out.push_str("</tbody></table></div>\n");
        }
        out.push_str("<h2>Notes</h2>\n<ul>\n");
        for note in &self.notes {
            let _ = writeln!(out, "<li>{}</li>", escape(note));
        }
        out.push_str("</ul>\n</html>\n");
        out
    }

    fn summary(&self) -> String {
        format!(
            "{} on {} test documents of {}; {} themes ({}). Brackets: 95 % intervals over {} \
             resamples of documents.",
            self.model_name,
            self.test_documents,
            self.collection,
            self.themes,
            self.labels,
            self.resamples
        )
    }

    fn tables(&self) -> Vec<Table> {
        let mut tables: Vec<Table> = self.horizons.iter().map(horizon_table).collect();
        if let Some(now) = &self.now {
            tables.push(alone_table("The segment that just ended, classified", [now]));
        }
        if !self.mid.is_empty() {
            let title = "From within a segment (0: the segment being written)";
            tables.push(alone_table(title, &self.mid));
        }
        tables
    }
}

fn horizon_table(horizon: &HorizonReport) -> Table {
    let plural = if horizon.ahead == 1 { "" } else { "s" };
    let title = format!(
        "{} segment{plural} ahead, at the {} ({} cases)",
        horizon.ahead,
        if horizon.place == "boundary" { "end of a segment" } else { "end of the prompt" },
        horizon.cases
    );
    let row = |model: &ModelReport| {
        let mut row = vec![model.name.clone()];
        row.extend(score_cells(&model.scores, model.top1_interval, model.nll_interval));
        row.extend(difference_cells(model.difference.as_ref()));
        row
    };
    Table { title, head: COMPARED, rows: horizon.models.iter().map(row).collect() }
}

fn alone_table<'a>(title: &str, places: impl IntoIterator<Item = &'a PlaceReport>) -> Table {
    let row = |place: &PlaceReport| {
        let mut row = vec![place.offset.to_string(), place.cases.to_string()];
        row.extend(score_cells(&place.scores, place.top1_interval, place.nll_interval));
        row
    };
    Table { title: title.to_owned(), head: ALONE, rows: places.into_iter().map(row).collect() }
}

fn score_cells(scores: &Scores, top1: Option<Interval>, nll: Option<Interval>) -> Vec<String> {
    vec![
        with_interval(scores.top1, top1, false),
        format!("{:.3}", scores.top3),
        format!("{:.3}", scores.macro_f1),
        with_interval(scores.nll_nats, nll, false),
        format!("{:.3}", scores.brier),
        format!("{:.3}", scores.ece),
        scores.transitions_top1.map_or_else(|| "–".to_owned(), |top1| format!("{top1:.3}")),
    ]
}

fn difference_cells(difference: Option<&Difference>) -> [String; 2] {
    match difference {
        None => ["–".to_owned(), "–".to_owned()],
        Some(difference) => [
            with_interval(difference.top1, difference.top1_interval, true),
            with_interval(difference.nll_nats, difference.nll_interval, true),
        ],
    }
}

fn with_interval(value: f64, interval: Option<Interval>, signed: bool) -> String {
    let number = |x: f64| if signed { format!("{x:+.3}") } else { format!("{x:.3}") };
    match interval {
        None => number(value),
        Some(Interval { low, high }) => {
            format!("{} [{}, {}]", number(value), number(low), number(high))
        }
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:80rem;margin:2rem auto;\
padding:0 1rem;color:#1c1c1e;background:#fff}h1{font-size:1.4rem;overflow-wrap:anywhere}\
h2{font-size:1.1rem;margin-top:2rem}div{overflow-x:auto}table{border-collapse:collapse;\
font-variant-numeric:tabular-nums;white-space:nowrap}th,td{padding:.3rem .7rem;text-align:left;\
border-bottom:1px solid #ddd}tbody tr:first-child{font-weight:600}\
@media(prefers-color-scheme:dark){body{color:#eee;background:#1c1c1e}th,td{border-color:#444}}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_carry_their_sign_only_where_it_tells() {
        let interval = Some(Interval { low: -0.25, high: 0.0625 });
        assert_eq!(with_interval(-0.1, interval, true), "-0.100 [-0.250, +0.062]");
        assert_eq!(with_interval(0.5, None, false), "0.500");
    }

    #[test]
    fn html_is_escaped() {
        assert_eq!(escape("<a & \"b\">"), "&lt;a &amp; &quot;b&quot;&gt;");
    }
}
