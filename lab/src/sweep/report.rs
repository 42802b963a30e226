//! What a sweep says, as data, Markdown and a page.

use super::{DRAWS, NORMALISATIONS};
use crate::eval::{
    Difference, page,
    plots::{Series, lines},
    table::{Table, difference_cells},
};
use serde::{Deserialize, Serialize};
use std::fmt::Write;

const TITLE: &str = "Which layer, which normalisation";
const TRIED: &[&str] = &[
    "sites",
    "normalisation",
    "columns",
    "validation NLL",
    "minus the first (nats)",
    "validation top-1",
    "minus the first",
    "seconds",
];
const CLOSED: &[&str] = &[
    "method",
    "strength",
    "validation NLL",
    "test NLL",
    "minus L-BFGS (nats)",
    "test top-1",
    "minus L-BFGS",
    "seconds",
];

/// Which layer, which normalisation, and what comes of no gradients.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SweepReport {
    /// The collection's folder.
    pub collection: String,
    /// Training, validation and test rows one segment ahead.
    pub rows: [usize; 3],
    /// Every combination that was tried.
    pub tried: Vec<Tried>,
    /// The one that loses the least on the validation split.
    pub chosen: Option<Tried>,
    /// Its loss on the test split, in nats.
    pub test_nll_nats: f64,
    /// Its top-1 on the test split.
    pub test_top1: f64,
    /// Closed forms on the columns of the best single site, beside the same by L-BFGS.
    pub closed_form: Vec<ClosedForm>,
}

/// One combination.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// The sites.
    pub sites: Vec<String>,
    /// `z-score`, `LayerNorm`, one after the other, or `none`.
    pub normalisation: String,
    /// Columns.
    pub features: usize,
    /// Mean loss on the validation split, in nats.
    pub validation_nll_nats: f64,
    /// Top-1 on the validation split.
    pub validation_top1: f64,
    /// What it loses there minus what the chosen one does.
    pub minus_chosen: Option<Difference>,
    /// How long fitting took, all penalties together.
    pub seconds: f64,
}

/// One way of fitting the same columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClosedForm {
    /// The method.
    pub method: String,
    /// The penalty, shrinkage or ridge that was chosen; none for L-BFGS, which reports none.
    pub strength: Option<f64>,
    /// Mean loss on the validation split, in nats.
    pub validation_nll_nats: f64,
    /// Mean loss on the test split, in nats.
    pub test_nll_nats: f64,
    /// Top-1 on the test split.
    pub test_top1: f64,
    /// What it loses there minus what L-BFGS does.
    pub minus_gradients: Option<Difference>,
    /// How long fitting took, all strengths together.
    pub seconds: f64,
}

impl SweepReport {
    /// The report as Markdown.
    pub fn to_markdown(&self) -> String {
        let mut out = format!("# {TITLE}\n\n{}\n", self.summary());
        for table in self.tables() {
            let _ = write!(out, "\n## {}\n\n{}", table.title, table.to_markdown());
        }
        out
    }

    /// The report as one HTML page that needs nothing else.
    pub fn to_html(&self) -> String {
        let tables = self.tables().iter().map(page::table_of).collect::<String>();
        page::start(TITLE, &self.summary()) + &self.to_svg() + &tables + "</html>\n"
    }

    fn summary(&self) -> String {
        let [train, validation, test] = self.rows;
        let mut out = format!(
            "{}: 1 segment ahead at the prompt's end and at boundaries; {train} training, \
             {validation} validation, {test} test rows. Columns: last residual, means over segment \
             and answer, position, true themes so far. Brackets: 95 % intervals over {} resamples of \
             prompts; the first row is the best of many on the split that the others are held against \
             it on, so it looks a little better than it is.",
            self.collection, DRAWS.0
        );
        if let Some(chosen) = &self.chosen {
            let _ = write!(
                out,
                " Chosen on the validation split: {}, {}. On the test split: {:.3} nats, top-1 \
                 {:.3}.",
                chosen.sites.join(" + "),
                chosen.normalisation,
                self.test_nll_nats,
                self.test_top1
            );
        }
        out
    }

    fn tables(&self) -> [Table; 2] {
        let tried = |one: &Tried| {
            let [top1, nats] = difference_cells(one.minus_chosen.as_ref());
            vec![
                one.sites.join(" + "),
                one.normalisation.clone(),
                one.features.to_string(),
                format!("{:.3}", one.validation_nll_nats),
                nats,
                format!("{:.3}", one.validation_top1),
                top1,
                format!("{:.1}", one.seconds),
            ]
        };
        let closed = |one: &ClosedForm| {
            let [top1, nats] = difference_cells(one.minus_gradients.as_ref());
            vec![
                one.method.clone(),
                one.strength.map_or_else(|| "–".to_owned(), |strength| strength.to_string()),
                format!("{:.3}", one.validation_nll_nats),
                format!("{:.3}", one.test_nll_nats),
                nats,
                format!("{:.3}", one.test_top1),
                top1,
                format!("{:.1}", one.seconds),
            ]
        };
        [
            Table {
                title: "Sites and normalisations, best first".to_owned(),
                head: TRIED,
                rows: self.tried.iter().map(tried).collect(),
            },
            Table {
                title: "Without gradients, the same columns".to_owned(),
                head: CLOSED,
                rows: self.closed_form.iter().map(closed).collect(),
            },
        ]
    }

    /// The loss by site, a line for each normalisation, as one SVG figure.
    pub fn to_svg(&self) -> String {
        let mut sites: Vec<&str> = Vec::new();
        let single = || self.tried.iter().filter(|one| one.sites.len() == 1);
        for one in single() {
            if !sites.contains(&one.sites[0].as_str()) {
                sites.push(&one.sites[0]);
            }
        }
        let of = |name: &str| Series {
            name: name.to_owned(),
            points: single()
                .filter(|one| one.normalisation == name)
                .filter_map(|one| {
                    let place = sites.iter().position(|site| *site == one.sites[0])?;
                    Some((place as f64, one.validation_nll_nats))
                })
                .collect(),
        };
        let series: Vec<Series> = NORMALISATIONS.map(|one| of(one.name)).into();
        let series: Vec<_> = series.into_iter().filter(|one| !one.points.is_empty()).collect();
        if series.is_empty() {
            return String::new();
        }
        lines("Validation loss by site (nats)", &sites.join(", "), &series)
    }
}
