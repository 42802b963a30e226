//! What judging found, and as Markdown.

use crate::eval::Mean;
use serde::{Deserialize, Serialize};

/// What judging found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpenReport {
    /// The collection's folder.
    pub collection: String,
    /// The bundle's folder.
    pub bundle: String,
    /// Answers of the test split.
    pub test_answers: usize,
    /// How many segments the one that came is hidden among, itself included.
    pub among: usize,
    /// Every guesser at every place and horizon, ours first.
    pub guesses: Vec<GuessReport>,
    /// Phrases for themes that nothing was trained on, at boundaries.
    pub unseen: UnseenReport,
    /// The same between boundaries; reports of before have none.
    #[serde(default)]
    pub unseen_between: Option<UnseenReport>,
    /// What the disagreement about phrases tells, where the bundle has it.
    #[serde(default)]
    pub doubts: Vec<PhraseDoubt>,
}

/// A quarter of the test moments of the catalogue's themes as phrases, by how far the halves of the
/// training prompts are apart there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PhraseDoubt {
    /// `at boundaries`, the prompt's end included, or `between boundaries`.
    pub place: String,
    /// Which quarter, 1 being that with the least disagreement.
    pub group: usize,
    /// Its moments, each once for every theme.
    pub cases: usize,
    /// Their mean disagreement, in nats.
    pub disagreement_nats: f64,
    /// Their mean probability.
    pub mean_probability: f64,
    /// How often the theme came.
    pub came: f64,
    /// The surprise at what happened minus the forecast's own entropy; above 0 where forecasts are surer
    /// than they may be.
    pub excess_nats: Option<Mean>,
}

/// One guesser of the embedding to come at one place and horizon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GuessReport {
    /// `prompt end` or `boundary`.
    pub place: String,
    /// Segments after that of the token read last.
    pub ahead: usize,
    /// The guesser.
    pub name: String,
    /// Moments that it made a guess at.
    pub cases: usize,
    /// Cosine to the embedding of what came.
    pub cosine: Mean,
    /// The bundle's cosine minus its own, over its own cases; none for the bundle itself.
    pub ours_above: Option<Mean>,
    /// Share of cases in which what came is nearest to the guess.
    pub top1: Mean,
    /// Share of cases in which it is among the nearest five.
    pub top5: Mean,
    /// Its mean rank.
    pub rank: Mean,
}

/// Phrases for themes that nothing was trained on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UnseenReport {
    /// Within how many segments.
    pub within: usize,
    /// Every theme that came at least five times and stayed away as often.
    pub themes: Vec<UnseenTheme>,
    /// Mean of the themes' AUROC.
    pub auroc: Option<Mean>,
    /// The same for a regression from the text so far, trained and calibrated as ours.
    pub text_auroc: Option<Mean>,
    /// Ours minus that.
    pub above_text: Option<Mean>,
    /// The same for the cosine of the phrase to the segment that was read last.
    pub continuation_auroc: Option<Mean>,
    /// Ours minus that.
    pub above_continuation: Option<Mean>,
    /// Over all themes and moments together.
    pub pooled_auroc: Option<Mean>,
    /// Expected calibration error of the probability, 15 bins of equal mass.
    pub ece: Option<Mean>,
    /// Brier score of the probability.
    pub brier: Option<Mean>,
    /// Brier score of the share of all themes, for every phrase alike.
    pub base_brier: Option<Mean>,
    /// Mean probability of phrases that no segment is like, each calibrated without itself.
    pub never: Option<Mean>,
    /// How often that is above one half.
    pub never_above_half: Option<Mean>,
}

/// One theme, by its name and description as the phrase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UnseenTheme {
    /// Its id.
    pub theme: String,
    /// What was left out of training: `answers` that have it, or, where that would be more than
    /// half of all, the `segments` of it as targets.
    pub left_out: String,
    /// Test moments.
    pub cases: usize,
    /// Those that it followed.
    pub came: usize,
    /// How well the probability tells which.
    pub auroc: f64,
    /// The same for the regression from the text so far.
    pub text_auroc: f64,
    /// The same for the cosine of the phrase to the segment that was read last.
    pub continuation_auroc: f64,
    /// Its mean probability.
    pub mean_probability: f64,
}

/// The published figures, one segment ahead at paragraph breaks of another model's texts: to
/// stand next to ours, not to be compared digit by digit.
///
/// *Source* ParaScopes (Pochinkov et al. 2025, arXiv 2511.00180).
pub const PUBLISHED: [(&str, f64); 6] = [
    ("linear", 0.50),
    ("continuation", 0.33),
    ("cheat-5", 0.44),
    ("cheat-10", 0.63),
    ("blind", 0.08),
    ("regenerated", 0.82),
];

impl OpenReport {
    /// The figures as Markdown tables.
    pub fn to_markdown(&self) -> String {
        let mut out = String::new();
        let mut last = None;
        for one in &self.guesses {
            if last.replace((&one.place, one.ahead)) != Some((&one.place, one.ahead)) {
                out.push_str(&format!(
                    "\n### {}, {} ahead\n\n| guess | cosine | ours above | top-1 of {among} | top-5 | \
                     mean rank | cases |\n|---|---|---|---|---|---|---|\n",
                    one.place,
                    one.ahead,
                    among = self.among
                ));
            }
            out.push_str(&one.line());
        }
        out.push_str("\n### Published (ParaScopes, another model and its texts)\n\n");
        out.push_str("| guess | cosine |\n|---|---|\n");
        for (name, cosine) in PUBLISHED {
            out.push_str(&format!("| {name} | {cosine:.2} |\n"));
        }
        let last = "the segment read last";
        out.push_str(&self.unseen.to_markdown("Phrases for themes left out of training", last));
        if let Some(between) = &self.unseen_between {
            let begun = "what was read of the running segment";
            out.push_str(
                &between.to_markdown("Between boundaries, phrases for such themes", begun),
            );
        }
        if !self.doubts.is_empty() {
            out.push_str(
                "\n### Disagreement about phrases\n\n| place | quarter by disagreement | cases | mean \
                 disagreement (nats) | mean p | came | surprise − entropy (nats) |\n\
                 |---|---|---|---|---|---|---|\n",
            );
        }
        for one in &self.doubts {
            let excess = one.excess_nats.as_ref().map_or("–".to_owned(), shown);
            let told = (one.disagreement_nats, one.mean_probability, one.came);
            out.push_str(&format!(
                "| {} | {} | {} | {:.4} | {:.3} | {:.3} | {excess} |\n",
                one.place, one.group, one.cases, told.0, told.1, told.2
            ));
        }
        out
    }

    /// The figures that go onto the bundle's card.
    pub fn summary_json(&self) -> serde_json::Value {
        let ours = self.guesses.iter().filter(|one| one.name == super::OURS);
        let figures = ours.map(|one| {
            serde_json::json!({
                "place": one.place, "ahead": one.ahead, "cosine": one.cosine,
                "top1": one.top1, "among": self.among,
            })
        });
        serde_json::json!({
            "test_answers": self.test_answers, "cosines": figures.collect::<Vec<_>>(),
            "unseen_auroc": self.unseen.auroc, "unseen_ece": self.unseen.ece,
            "unseen_between_auroc": self.unseen_between.as_ref().map(|one| one.auroc),
            "unseen_between_ece": self.unseen_between.as_ref().map(|one| one.ece),
        })
    }
}

impl GuessReport {
    fn line(&self) -> String {
        let above = self.ours_above.as_ref().map(shown).unwrap_or_default();
        format!(
            "| {} | {} | {above} | {} | {} | {:.1} | {} |\n",
            self.name,
            shown(&self.cosine),
            shown(&self.top1),
            shown(&self.top5),
            self.rank.mean,
            self.cases
        )
    }
}

impl UnseenReport {
    fn to_markdown(&self, title: &str, last: &str) -> String {
        let maybe = |mean: &Option<Mean>| mean.as_ref().map_or("–".to_owned(), shown);
        let mut out = format!("\n### {title}, within {}\n\n| | |\n|---|---|\n", self.within);
        for (what, mean) in [
            ("mean AUROC of themes", &self.auroc),
            ("the same of the text ridge", &self.text_auroc),
            ("ours above that", &self.above_text),
            (&*format!("the same of the cosine to {last}"), &self.continuation_auroc),
            ("ours above that", &self.above_continuation),
            ("AUROC, themes together", &self.pooled_auroc),
            ("ECE", &self.ece),
            ("Brier", &self.brier),
            ("Brier of the base rate", &self.base_brier),
            ("mean probability of phrases that never came", &self.never),
            ("the same above one half", &self.never_above_half),
        ] {
            out.push_str(&format!("| {what} | {} |\n", maybe(mean)));
        }
        out.push_str(
            "\n| theme | left out | came | AUROC | text | continuation | mean p | share |\n",
        );
        out.push_str("|---|---|---|---|---|---|---|---|\n");
        for one in &self.themes {
            out.push_str(&format!(
                "| {} | {} | {} of {} | {:.3} | {:.3} | {:.3} | {:.3} | {:.3} |\n",
                one.theme,
                one.left_out,
                one.came,
                one.cases,
                one.auroc,
                one.text_auroc,
                one.continuation_auroc,
                one.mean_probability,
                one.came as f64 / one.cases.max(1) as f64
            ));
        }
        out
    }
}

fn shown(mean: &Mean) -> String {
    format!("{:.3} ({:.3} to {:.3})", mean.mean, mean.interval.low, mean.interval.high)
}
