//! What judging alarms says: plain data, a table for each way to leave the path.

use crate::eval::{
    Mean, page,
    table::{Table, number},
};
use serde::{Deserialize, Serialize};

/// Every detector on clean answers and on answers that leave their path.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlarmReport {
    /// The bundle's folder.
    pub bundle: String,
    /// Clean answers, those of the test split.
    pub clean: usize,
    /// The ways to leave the path: spliced, planted, the held-out group.
    pub kinds: Vec<KindReport>,
}

/// Answers that leave their path in one way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KindReport {
    /// What was done.
    pub name: String,
    /// How many answers there are.
    pub answers: usize,
    /// What each detector sees.
    pub detectors: Vec<DetectorReport>,
}

/// One detector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DetectorReport {
    /// Its name.
    pub name: String,
    /// How often its statistic rises higher, once the answer has turned, than in a clean answer from
    /// the same token on, over as many segments as both have there.
    pub auroc: Option<Mean>,
    /// The first detector's minus this one's.
    pub first_minus: Option<Mean>,
    /// At its own alarm level, where it has one.
    pub own: Option<AtRate>,
    /// At the thresholds that give these rates of false alarms on the clean answers.
    pub detected: Vec<AtRate>,
}

/// Detection at a threshold that a share of clean answers reaches.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AtRate {
    /// False alarms an answer.
    pub rate: f64,
    /// Share of the answers that are detected.
    pub detected: Option<Mean>,
    /// The median of the tokens from turn to alarm, misses counted as longer than any; from the
    /// answer's start where nothing says where it turned.
    pub median_delay_tokens: Option<usize>,
    /// The same in segments: 1 is the end of the first one after the turn.
    pub median_delay_segments: Option<usize>,
}

const HEAD: &[&str] = &[
    "detector",
    "AUROC",
    "martingale − it",
    "false alarms per 1,000 at its own level",
    "detected at it",
    "median delay, tokens (segments)",
    "detected at 1 %",
    "median delay, tokens (segments)",
    "detected at 0.1 %",
    "median delay, tokens (segments)",
];

impl KindReport {
    fn table(&self, clean: usize) -> Table {
        let row = |one: &DetectorReport| {
            let mut row = vec![one.name.clone(), share(one.auroc), change(one.first_minus)];
            row.extend(match &one.own {
                Some(own) => [format!("{:.1}", 1000.0 * own.rate), share(own.detected), delay(own)],
                None => std::array::from_fn(|_| number(None)),
            });
            row.extend(one.detected.iter().flat_map(|at| [share(at.detected), delay(at)]));
            row
        };
        Table {
            title: format!("{}: {} answers, {clean} clean ones", self.name, self.answers),
            head: HEAD,
            rows: self.detectors.iter().map(row).collect(),
        }
    }
}

fn share(mean: Option<Mean>) -> String {
    let shown = |mean: Mean| {
        format!("{:.3} [{:.3}, {:.3}]", mean.mean, mean.interval.low, mean.interval.high)
    };
    mean.map_or_else(|| number(None), shown)
}

fn change(mean: Option<Mean>) -> String {
    let shown = |mean: Mean| {
        format!("{:+.3} [{:+.3}, {:+.3}]", mean.mean, mean.interval.low, mean.interval.high)
    };
    mean.map_or_else(|| number(None), shown)
}

fn delay(at: &AtRate) -> String {
    let both = at.median_delay_tokens.zip(at.median_delay_segments);
    both.map_or_else(|| "missed".to_owned(), |(tokens, segments)| format!("{tokens} ({segments})"))
}

impl AlarmReport {
    fn tables(&self) -> impl Iterator<Item = Table> {
        self.kinds.iter().map(|kind| kind.table(self.clean))
    }

    /// The report as Markdown.
    pub fn to_markdown(&self) -> String {
        let shown = |table: Table| format!("## {}\n\n{}\n", table.title, table.to_markdown());
        self.tables().map(shown).collect()
    }

    /// The report as one HTML page that needs nothing else.
    pub fn to_html(&self) -> String {
        let title = format!("Alarms of {}", self.bundle);
        let tables: String = self.tables().map(|table| page::table_of(&table)).collect();
        let summary = "Clean answers against planted divergences. Intervals are 95 % over prompts.";
        page::start(&title, summary) + &tables + "</html>\n"
    }
}
