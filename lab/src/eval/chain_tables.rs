//! Tables of several segments at once: joint losses, chains as they are shown, watches.

use super::{
    EvalReport, Mean,
    more_reports::{JointReport, OtherJointReport, ServedChainsReport, WatchReport},
    table::{Table, number, with_interval},
};
use std::path::Path;

fn joint_cells(one: &JointReport) -> Vec<String> {
    let rival = |way: &str| {
        let Some(rival) = one.rivals.iter().find(|rival| rival.way == way) else {
            return ["–".to_owned(), "–".to_owned()];
        };
        let apart = with_interval(one.ours_nats - rival.nats, rival.ours_minus_interval, true);
        let power = rival.power.map_or_else(String::new, |power| format!(" ({power})"));
        [number(Some(rival.nats)) + &power, apart]
    };
    let ways = ["product", "Markov", "linked", "own linked", "own chain", "chain alone"];
    let rivals = ways.map(rival);
    let own = [one.segments.to_string(), one.cases.to_string(), number(Some(one.ours_nats))];
    own.into_iter().chain(rivals.into_iter().flatten()).collect()
}

/// Whole chains of other bundles, each beside its own linear heads.
pub(super) fn others(report: &EvalReport) -> Table {
    let row = |one: &OtherJointReport| {
        let name = Path::new(&one.bundle).file_name().map(|name| name.to_string_lossy());
        let mut row = vec![name.unwrap_or_default().into_owned()];
        row.extend(joint_cells(&one.joint));
        row
    };
    Table {
        title: "Whole chains of other bundles".to_owned(),
        head: &[
            "bundle",
            "segments",
            "cases",
            "its (nats)",
            "product of its linear heads",
            "its − product",
            "its first linear head, then Markov",
            "its − Markov",
            "its linear heads linked by Markov's ratios (their power)",
            "its − linked",
            "its own marginals linked (power)",
            "its − those",
            "the first of them, then its chain predictor",
            "its − that",
            "its chain predictor without heads",
            "its − that",
        ],
        rows: report.other_joint.iter().map(row).collect(),
    }
}

pub(super) fn joint(report: &EvalReport) -> Table {
    Table {
        title: "Whole chains at the end of a segment: joint loss of what came".to_owned(),
        head: &[
            "segments",
            "cases",
            "ours (nats)",
            "product of linear heads",
            "ours − product",
            "first linear head, then Markov",
            "ours − Markov",
            "linear heads linked by Markov's ratios (their power)",
            "ours − linked",
            "own marginals linked (power)",
            "ours − those",
            "the first of them, then the chain predictor",
            "ours − that",
            "chain predictor without heads",
            "ours − that",
        ],
        rows: report.joint.iter().map(joint_cells).collect(),
    }
}

pub(super) fn served(report: &EvalReport) -> Table {
    let row = |one: &ServedChainsReport| {
        let mean = |of: Mean, signed| with_interval(of.mean, Some(of.interval), signed);
        let own = one.way == "served";
        vec![
            one.place.clone(),
            one.way.clone(),
            one.cases.to_string(),
            number(Some(one.first_p)),
            mean(one.first_came, false),
            format!("{:.3} ({:.3})", one.first_ece, one.first_ece_by_chance),
            number(Some(one.any_p)),
            mean(one.any_came, false),
            number(Some(one.any_ece)),
            if own { "–".to_owned() } else { mean(one.served_minus, true) },
        ]
    };
    Table {
        title: "Chains as annotations show them, three of the whole horizon".to_owned(),
        head: &[
            "place",
            "segments",
            "cases",
            "first: told",
            "first: came",
            "first: ECE (by chance)",
            "any of three: told",
            "any of three: came",
            "any of three: ECE",
            "served − it: any came",
        ],
        rows: report.served_chains.iter().map(row).collect(),
    }
}

pub(super) fn watched(report: &EvalReport) -> Table {
    let served = |places: &str| {
        let found = report.watched.iter().find(|one| one.places == places && one.way == "served");
        found.map_or(f64::NAN, |served| served.nats)
    };
    let row = |one: &WatchReport| {
        let apart = one.served_minus.map_or_else(
            || "–".to_owned(),
            |interval| with_interval(served(&one.places) - one.nats, Some(interval), true),
        );
        vec![
            one.places.clone(),
            one.way.clone(),
            one.cases.to_string(),
            number(Some(one.mean_p)),
            number(Some(one.came)),
            number(Some(one.nats)),
            apart,
            number(Some(one.calibration_error)),
            number(one.auroc),
            number(one.precision),
            number(one.recall),
        ]
    };
    Table {
        title: "Watches: whether a theme comes within the horizon, every theme at every boundary"
            .to_owned(),
        head: &[
            "boundaries",
            "segments",
            "cases",
            "told, mean",
            "came",
            "loss (nats)",
            "served − it",
            "ECE",
            "AUROC",
            "came, of those told 0.5",
            "told 0.5, of those that came",
        ],
        rows: report.watched.iter().map(row).collect(),
    }
}
