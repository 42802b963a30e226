//! The tables of other bundles beside ours: by the labels and, where a reader was asked, by it.

use super::{
    EvalReport, Scores,
    more_reports::OtherReport,
    report::{Difference, Intervals},
    table::{Table, calibration_cells, difference_cells, number, with_interval},
};
use std::path::Path;

/// The tables; empty where there are no other bundles, the second also where no reader was asked.
pub(super) fn of(report: &EvalReport) -> [Table; 2] {
    [by_labels(&report.others), by_reader(&report.others)]
}

fn by_labels(others: &[OtherReport]) -> Table {
    let row = |one: &OtherReport| {
        let mut row = named(one);
        row.push(one.scores.cases.to_string());
        row.push(number(Some(one.validation_nll_nats)));
        row.extend(scored(&one.scores, one.intervals, one.ours_minus.as_ref()));
        row
    };
    Table {
        title: "Other bundles beside ours, which is the first".to_owned(),
        head: &[
            "bundle",
            "place",
            "ahead",
            "cases",
            "validation NLL (nats)",
            "NLL (nats)",
            "top-1",
            "ECE (by chance, 95 % up to)",
            "coverage of 90 % sets, size",
            "ours − it: top-1",
            "ours − it: NLL",
        ],
        rows: others.iter().map(row).collect(),
    }
}

fn by_reader(others: &[OtherReport]) -> Table {
    let row = |one: &OtherReport| {
        let read = one.reader.as_ref()?;
        let mut row = named(one);
        row.push(read.scores.cases.to_string());
        row.extend(scored(&read.scores, read.intervals, read.ours_minus.as_ref()));
        Some(row)
    };
    Table {
        title: "By what a reader said: other bundles beside ours, which is the first".to_owned(),
        head: &[
            "bundle",
            "place",
            "ahead",
            "cases",
            "NLL (nats)",
            "top-1",
            "ECE (by chance, 95 % up to)",
            "coverage of 90 % sets, size",
            "ours − it: top-1",
            "ours − it: NLL",
        ],
        rows: others.iter().filter_map(row).collect(),
    }
}

fn named(one: &OtherReport) -> Vec<String> {
    let name = Path::new(&one.bundle).file_name().map(|name| name.to_string_lossy());
    vec![name.unwrap_or_default().into_owned(), one.place.clone(), one.ahead.to_string()]
}

fn scored(scores: &Scores, intervals: Intervals, ours_minus: Option<&Difference>) -> Vec<String> {
    let mut cells = vec![
        with_interval(scores.nll_nats, intervals.nll, false),
        with_interval(scores.top1, intervals.top1, false),
    ];
    cells.extend(calibration_cells(scores, intervals.coverage));
    cells.extend(difference_cells(ours_minus));
    cells
}
