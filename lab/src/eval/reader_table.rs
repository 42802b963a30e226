//! The table of what was held against the reader.

use super::{
    EvalReport,
    reader::ReaderReport,
    report::Difference,
    table::{Table, number, with_interval},
};

/// The table; empty where no reader was asked.
pub(super) fn of(report: &EvalReport) -> Table {
    let nats = |difference: Option<&Difference>| match difference {
        None => "–".to_owned(),
        Some(one) => with_interval(one.nll_nats, one.nll_interval, true),
    };
    let top1 = |difference: Option<&Difference>| match difference {
        None => "–".to_owned(),
        Some(one) => with_interval(one.top1, one.top1_interval, true),
    };
    let row = |one: &ReaderReport| {
        let (labels, reader) = (one.labels_difference.as_ref(), one.reader_difference.as_ref());
        let mut row = vec![one.place.clone(), one.ahead.to_string(), one.model.clone()];
        row.push(one.cases.to_string());
        row.extend([number(Some(one.labels_nll_nats)), number(Some(one.labels_top1))]);
        row.push(nats(labels));
        row.extend([number(Some(one.reader_nll_nats)), number(Some(one.reader_top1))]);
        row.extend([number(Some(one.either_top1)), nats(reader), top1(reader)]);
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
        ],
        rows: report.reader.iter().map(row).collect(),
    }
}
