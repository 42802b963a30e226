//! Tables of what is not a comparison at one horizon: groups, recognisers, themes, curves.

use super::{
    EvalReport, Interval, chain_tables,
    more_reports::{HeldOutReport, ThemeReport},
    other_tables, reader_table,
    table::{Table, difference_cells, number, score_cells, with_interval},
};

const GROUPS: &[&str] = &[
    "group",
    "place",
    "documents",
    "ahead",
    "model",
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
    "ours − it: top-1",
    "ours − it: NLL",
];

/// The tables that `report` has something for.
pub(super) fn of(report: &EvalReport) -> Vec<Table> {
    let mut tables = vec![
        chain_tables::joint(report),
        chain_tables::served(report),
        chain_tables::watched(report),
        doubt(report),
        resampled(report),
        reader_table::of(report),
    ];
    if let Some(held_out) = &report.held_out {
        tables.extend([groups(held_out), recognisers(held_out)]);
    }
    tables.extend([themes(&report.per_theme), mistakes(report), curves(report)]);
    tables.extend(other_tables::of(report));
    tables.push(chain_tables::others(report));
    tables.retain(|table| !table.rows.is_empty());
    tables
}

fn doubt(report: &EvalReport) -> Table {
    let row = |one: &super::more_reports::DoubtReport| {
        let wrong = one.wrong_auroc.map_or_else(String::new, |wrong| {
            with_interval(wrong.mean, Some(wrong.interval), false)
        });
        vec![
            one.ahead.to_string(),
            one.measure.clone(),
            one.cases.to_string(),
            number(Some(one.mean_nats)),
            wrong,
            number(one.strange_auroc),
        ]
    };
    Table {
        title: "Uncertainty at the end of a segment: what it tells".to_owned(),
        head: &[
            "ahead",
            "measure",
            "cases",
            "mean (nats)",
            "AUROC: wrong against right",
            "AUROC: held-out groups against the test split",
        ],
        rows: report.doubt.iter().map(row).collect(),
    }
}

fn resampled(report: &EvalReport) -> Table {
    let ours = |ahead: usize| report.resampled.iter().find(|one| one.ahead == ahead);
    let row = |one: &super::more_reports::ResampleReport| {
        let minus = |of: fn(&super::more_reports::ResampleReport) -> f64,
                     interval: Option<Interval>| {
            let difference = ours(one.ahead).map_or(f64::NAN, |ours| of(ours) - of(one));
            interval.map_or_else(String::new, |range| with_interval(difference, Some(range), true))
        };
        vec![
            one.ahead.to_string(),
            one.name.clone(),
            one.cases.to_string(),
            number(Some(one.nll_nats)),
            number(Some(one.top1)),
            number(Some(one.others_nll_nats)),
            number(Some(one.kl_nats)),
            minus(|one| one.nll_nats, one.ours_minus),
            minus(|one| one.kl_nats, one.ours_minus_kl),
            format!("{:.0}", one.tokens),
            format!("{:.1}", one.ways),
        ]
    };
    Table {
        title: "Ours and letting the model run ahead, at the end of a segment".to_owned(),
        head: &[
            "ahead",
            "forecast",
            "cases",
            "NLL (nats)",
            "top-1",
            "NLL over the other ways",
            "KL from the other ways",
            "ours − it: NLL",
            "ours − it: KL",
            "tokens written",
            "ways that got so far",
        ],
        rows: report.resampled.iter().map(row).collect(),
    }
}

fn groups(report: &HeldOutReport) -> Table {
    let row = |one: &super::more_reports::GroupReport| {
        let mut row = vec![one.group.clone(), one.place.clone(), one.documents.to_string()];
        row.extend([one.ahead.to_string(), one.model.clone(), one.scores.cases.to_string()]);
        row.extend(score_cells(&one.scores, one.intervals));
        row.extend(difference_cells(one.ours_minus.as_ref()));
        row
    };
    let title = "Groups that nothing was trained on, beside the test split".to_owned();
    Table { title, head: GROUPS, rows: report.groups.iter().map(row).collect() }
}

fn recognisers(report: &HeldOutReport) -> Table {
    let row = |one: &super::more_reports::RecogniserReport| {
        let groups: Vec<String> =
            one.by_group.iter().map(|(group, auroc)| format!("{group} {auroc:.3}")).collect();
        vec![one.name.clone(), with_interval(one.auroc, one.interval, false), groups.join(", ")]
    };
    Table {
        title: "Recognising documents of those groups among the test split's".to_owned(),
        head: &["measure", "AUROC", "by group"],
        rows: report.recognisers.iter().map(row).collect(),
    }
}

fn themes(themes: &[ThemeReport]) -> Table {
    let row = |one: &ThemeReport| {
        vec![
            one.theme.clone(),
            one.came.to_string(),
            one.forecast.to_string(),
            number(one.precision),
            number(one.recall),
            number(one.nll_nats),
            format!("{:+.3}", one.bias),
        ]
    };
    Table {
        title: "Theme by theme, 1 segment ahead, at the end of a segment".to_owned(),
        head: &["theme", "came", "forecast", "precision", "recall", "NLL (nats)", "bias"],
        rows: themes.iter().map(row).collect(),
    }
}

/// The commonest mistakes that a table has.
const MISTAKES: usize = 16;

fn mistakes(report: &EvalReport) -> Table {
    let ids: Vec<&str> = report.per_theme.iter().map(|one| one.theme.as_str()).collect();
    let mut all: Vec<(u32, usize, usize)> = Vec::new();
    for (came, row) in report.confusion.iter().enumerate() {
        let wrong = row.iter().enumerate().filter(|(likeliest, _)| *likeliest != came);
        all.extend(wrong.map(|(likeliest, &count)| (count, came, likeliest)));
    }
    all.retain(|(count, ..)| *count > 0);
    all.sort_by(|a, b| b.cmp(a));
    let row = |&(count, came, likeliest): &(u32, usize, usize)| {
        let times: u32 = report.confusion[came].iter().sum();
        let share = f64::from(count) / f64::from(times);
        let [came, likeliest] = [came, likeliest].map(|theme| ids[theme].to_owned());
        vec![came, likeliest, count.to_string(), number(Some(share))]
    };
    Table {
        title: "The commonest mistakes, 1 segment ahead, at the end of a segment".to_owned(),
        head: &["what came", "what was likeliest", "how often", "share of its comings"],
        rows: all.iter().take(MISTAKES).map(row).collect(),
    }
}

fn curves(report: &EvalReport) -> Table {
    let row = |one: &super::more_reports::CurveReport| {
        let [_, gain] = difference_cells(one.gain.as_ref());
        vec![
            format!("{:.0} %", 100.0 * one.share),
            one.documents.to_string(),
            one.ahead.to_string(),
            spread(&one.nll_nats),
            spread(&one.top1),
            gain,
        ]
    };
    Table {
        title: "Learning curve: activations with the true themes so far, at the end of a \
                segment; mean [least, most] over draws of prompts"
            .to_owned(),
        head: &[
            "training documents",
            "number",
            "ahead",
            "NLL (nats)",
            "top-1",
            "first draw − that of the share before: NLL",
        ],
        rows: report.curves.iter().map(row).collect(),
    }
}

/// The mean with the least and the most.
fn spread(values: &[f64]) -> String {
    let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if values.len() < 2 {
        return number(values.first().copied());
    }
    format!("{mean:.3} [{least:.3}, {most:.3}]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_needs_two() {
        assert_eq!(spread(&[0.5]), "0.500");
        assert_eq!(spread(&[0.5, 0.7]), "0.600 [0.500, 0.700]");
        assert_eq!(spread(&[]), "–");
    }
}
