//! The table of what was held against the reader.

use super::{
    EvalReport,
    reader::ReaderReport,
    table::{Table, calibration_cells, difference_cells, number},
};

/// The table; empty where no reader was asked.
pub(super) fn of(report: &EvalReport) -> Table {
    let row = |one: &ReaderReport| {
        let [_, labels] = difference_cells(one.labels_difference.as_ref());
        let [top1, nats] = difference_cells(one.reader_difference.as_ref());
        let mut row = vec![one.place.clone(), one.ahead.to_string(), one.model.clone()];
        row.push(one.cases.to_string());
        row.extend([number(Some(one.labels_nll_nats)), number(Some(one.labels_top1))]);
        row.push(labels);
        row.extend([number(Some(one.reader_nll_nats)), number(Some(one.reader_top1))]);
        row.extend([number(Some(one.either_top1)), nats, top1]);
        row.extend(one.reader_scores.as_ref().map_or_else(Default::default, |scores| {
            calibration_cells(scores, one.reader_coverage_interval)
        }));
        row
    };
    Table {
        title: "Against what a reader said of the segment".to_owned(),
        head: &[
            "place",
            "ahead",
            "model",
            "cases",
            "labels: NLL (nats)",
            "labels: top-1",
            "labels: ours − it",
            "reader: NLL (nats)",
            "reader: top-1",
            "reader's theme or alternate",
            "reader: ours − it: NLL",
            "reader: ours − it: top-1",
            "reader: ECE (by chance, 95 % up to)",
            "reader: coverage of 90 % sets, size",
        ],
        rows: report.reader.iter().map(row).collect(),
    }
}
