//! What judging alarms says: plain data, a table.

use crate::eval::{
    page,
    table::{Table, number},
};
use serde::{Deserialize, Serialize};

/// Every detector on clean and on spliced answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlarmReport {
    /// The bundle's folder.
    pub bundle: String,
    /// Clean answers, those of the test split.
    pub clean: usize,
    /// Answers that leave their path.
    pub spliced: usize,
    /// The held-out group that was judged too.
    pub group: String,
    /// How many answers it has.
    pub group_answers: usize,
    /// The detectors.
    pub detectors: Vec<DetectorReport>,
}

/// One detector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DetectorReport {
    /// Its name.
    pub name: String,
    /// How often its statistic rises higher after a splice than in a clean answer.
    pub auroc: f64,
    /// The same of the held-out group's answers.
    pub group_auroc: Option<f64>,
    /// Clean answers of a thousand that reach its own alarm level.
    pub false_alarms_per_thousand: f64,
    /// Splices of which it raises its alarm.
    pub detected_at_alarm_level: f64,
    /// Splices detected at given rates of false alarms.
    pub detected: Vec<AtRate>,
}

/// Detection at the threshold that a share of clean answers reaches.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AtRate {
    /// False alarms an answer.
    pub rate: f64,
    /// Share of splices detected.
    pub detected: f64,
    /// The median of the tokens from splice to alarm, misses counted as longer than any.
    pub median_delay_tokens: Option<usize>,
}

impl AlarmReport {
    fn table(&self) -> Table {
        let delay = |at: &AtRate| {
            at.median_delay_tokens.map_or_else(|| "missed".to_owned(), |tokens| tokens.to_string())
        };
        let row = |one: &DetectorReport| {
            let mut row = vec![
                one.name.clone(),
                number(Some(one.auroc)),
                number(one.group_auroc),
                format!("{:.1}", one.false_alarms_per_thousand),
                number(Some(one.detected_at_alarm_level)),
            ];
            for at in &one.detected {
                row.extend([number(Some(at.detected)), delay(at)]);
            }
            row
        };
        Table {
            title: format!(
                "Alarms: {} clean answers, {} spliced, {} of the group '{}'",
                self.clean, self.spliced, self.group_answers, self.group
            ),
            head: &[
                "detector",
                "AUROC on splices",
                "AUROC on the group",
                "false alarms per 1,000 at its own level",
                "detected at it",
                "detected at 1 %",
                "median delay, tokens",
                "detected at 0.1 %",
                "median delay, tokens",
            ],
            rows: self.detectors.iter().map(row).collect(),
        }
    }

    /// The report as Markdown.
    pub fn to_markdown(&self) -> String {
        let table = self.table();
        format!("## {}\n\n{}", table.title, table.to_markdown())
    }

    /// The report as one HTML page that needs nothing else.
    pub fn to_html(&self) -> String {
        let title = format!("Alarms of {}", self.bundle);
        page::start(&title, "Clean answers against planted divergences.")
            + &page::table_of(&self.table())
            + "</html>\n"
    }
}
