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
    /// What they see of answers that leave their path in other ways.
    #[serde(default)]
    pub planted: Vec<KindReport>,
}

/// Answers that leave their path in one way from their first token on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KindReport {
    /// What was done.
    pub name: String,
    /// How many answers there are.
    pub answers: usize,
    /// What each detector sees.
    pub detectors: Vec<SeenReport>,
}

/// What one detector sees of a kind of divergence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeenReport {
    /// Its name.
    pub detector: String,
    /// How often its statistic rises higher than in a clean answer.
    pub auroc: Option<f64>,
    /// Share of the answers that reach its own alarm level.
    pub detected_at_alarm_level: f64,
    /// Share that reaches the threshold of one false alarm in a hundred clean answers.
    pub detected_at_one_percent: f64,
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
    /// At its own alarm level.
    pub own: AtRate,
    /// At the thresholds that give these rates of false alarms on the clean answers.
    pub detected: Vec<AtRate>,
}

/// Detection at a threshold that a share of clean answers reaches.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AtRate {
    /// False alarms an answer.
    pub rate: f64,
    /// Share of splices detected.
    pub detected: f64,
    /// The median of the tokens from splice to alarm, misses counted as longer than any.
    pub median_delay_tokens: Option<usize>,
    /// The same in segments: 1 is the end of the first one after the splice.
    pub median_delay_segments: Option<usize>,
}

impl AlarmReport {
    fn table(&self) -> Table {
        let delay = |at: &AtRate| {
            let both = at.median_delay_tokens.zip(at.median_delay_segments);
            both.map_or_else(|| "missed".to_owned(), |(tokens, n)| format!("{tokens} ({n})"))
        };
        let row = |one: &DetectorReport| {
            let mut row = vec![
                one.name.clone(),
                number(Some(one.auroc)),
                number(one.group_auroc),
                format!("{:.1}", 1000.0 * one.own.rate),
                number(Some(one.own.detected)),
                delay(&one.own),
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
                "median delay, tokens (segments)",
                "detected at 1 %",
                "median delay, tokens (segments)",
                "detected at 0.1 %",
                "median delay, tokens (segments)",
            ],
            rows: self.detectors.iter().map(row).collect(),
        }
    }

    /// One row a kind and detector.
    fn kinds(&self) -> Option<Table> {
        let row = |kind: &KindReport, one: &SeenReport| {
            vec![
                format!("{} ({} answers)", kind.name, kind.answers),
                one.detector.clone(),
                number(one.auroc),
                number(Some(one.detected_at_alarm_level)),
                number(Some(one.detected_at_one_percent)),
            ]
        };
        let of = |kind: &KindReport| -> Vec<Vec<String>> {
            kind.detectors.iter().map(|one| row(kind, one)).collect()
        };
        (!self.planted.is_empty()).then(|| Table {
            title: "Other ways to leave the path".to_owned(),
            head: &["kind", "detector", "AUROC", "detected at its own level", "detected at 1 %"],
            rows: self.planted.iter().flat_map(of).collect(),
        })
    }

    /// The report as Markdown.
    pub fn to_markdown(&self) -> String {
        let tables = [Some(self.table()), self.kinds()];
        let shown = tables.into_iter().flatten();
        shown.map(|table| format!("## {}\n\n{}\n", table.title, table.to_markdown())).collect()
    }

    /// The report as one HTML page that needs nothing else.
    pub fn to_html(&self) -> String {
        let title = format!("Alarms of {}", self.bundle);
        page::start(&title, "Clean answers against planted divergences.")
            + &page::table_of(&self.table())
            + &self.kinds().map_or_else(String::new, |table| page::table_of(&table))
            + "</html>\n"
    }
}
