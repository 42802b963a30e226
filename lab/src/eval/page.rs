//! The report as one HTML page that needs nothing else: plots, then every table.

use super::{EvalReport, plots, table::Table};
use std::fmt::Write;

impl EvalReport {
    /// The report as one HTML page that needs nothing else.
    pub fn to_html(&self) -> String {
        let mut out = start(&format!("Evaluation of {}", self.bundle), &self.summary());
        out.push_str(&plots::of(self));
        for table in self.tables() {
            out.push_str(&table_of(&table));
        }
        out.push_str("<h2>Notes</h2>\n<ul>\n");
        for note in &self.notes {
            let _ = writeln!(out, "<li>{}</li>", escape(note));
        }
        out.push_str("</ul>\n</html>\n");
        out
    }
}

/// The start of a page.
pub(crate) fn start(title: &str, summary: &str) -> String {
    let title = escape(title);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n\
         <style>{STYLE}</style>\n<h1>{title}</h1>\n<p>{}</p>\n",
        escape(summary)
    )
}

/// A table with its title.
pub(crate) fn table_of(table: &Table) -> String {
    let cells = |row: &[String], tag: &str| -> String {
        row.iter().map(|cell| format!("<{tag}>{}</{tag}>", escape(cell))).collect()
    };
    let head: Vec<String> = table.head.iter().map(|&name| name.to_owned()).collect();
    let mut out = format!(
        "<h2>{}</h2>\n<div><table>\n<thead><tr>{}</tr></thead>\n<tbody>\n",
        escape(&table.title),
        cells(&head, "th")
    );
    for row in &table.rows {
        let _ = writeln!(out, "<tr>{}</tr>", cells(row, "td"));
    }
    out + "</tbody></table></div>\n"
}

/// The text as HTML shows it.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:80rem;margin:2rem auto;\
padding:0 1rem;color:#1c1c1e;background:#fff}h1{font-size:1.4rem;overflow-wrap:anywhere}\
h2{font-size:1.1rem;margin-top:2rem}div{overflow-x:auto}table{border-collapse:collapse;\
font-variant-numeric:tabular-nums;white-space:nowrap}th,td{padding:.3rem .7rem;text-align:left;\
border-bottom:1px solid #ddd}tbody tr:first-child{font-weight:600}figure{display:inline-block;\
margin:.5rem}figcaption{font-size:.9rem}svg{color:inherit;max-width:100%}\
svg text{font-size:11px;fill:currentColor}\
@media(prefers-color-scheme:dark){body{color:#eee;background:#1c1c1e}th,td{border-color:#444}}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_is_escaped() {
        assert_eq!(escape("<a & \"b\">"), "&lt;a &amp; &quot;b&quot;&gt;");
    }
}
