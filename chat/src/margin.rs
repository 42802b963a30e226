//! One annotation as one line of the margin.

use crate::{
    note::{Likely, Note},
    plain::plain,
};
use console::{measure_text_width, truncate_str};

/// The drift statistic in eighths of its alarm level.
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Between the present theme and those after it.
const THEN: &str = " ▸ ";
/// The alarm that the mark shows already.
const STRANGE: &str = "out_of_distribution";
/// What stands where a line is too long.
const CUT: &str = "…";

/// What stands beside a line of the answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Margin {
    pub(crate) text: String,
    /// A detector of divergence has raised an alarm, or there is no forecast.
    pub(crate) alarming: bool,
}

impl Margin {
    /// What `note` says in `width` columns: phrases that are watched for, the present theme, as many
    /// of the coming ones as fit, and how near the drift statistic is to its alarm.
    pub(crate) fn of(note: &Note, width: usize) -> Self {
        if let Some(error) = &note.error {
            let text =
                truncate_str(&plain(&format!("no forecast: {error}")), width, CUT).into_owned();
            return Self { text, alarming: true };
        }
        let Some(now) = note.now.first() else { return Self::default() };
        let mark = if note.trust.out_of_distribution { "? " } else { "" };
        let watched: String = note.watch.iter().map(|phrase| shown(phrase) + " · ").collect();
        let mut text = format!("{mark}{watched}{}", shown(now));
        let room = width.saturating_sub(2); // for the level
        for likeliest in note.next.iter().filter_map(|ahead| ahead.top.first()) {
            let longer = format!("{text}{THEN}{}", shown(likeliest));
            if measure_text_width(&longer) > room {
                break;
            }
            text = longer;
        }
        let text = truncate_str(&text, room, CUT);
        let pad = " ".repeat(width.saturating_sub(measure_text_width(&text) + 1));
        let alarming = note.divergence.alarms.iter().any(|detector| detector != STRANGE);
        Self { text: format!("{text}{pad}{}", level(note.divergence.score)), alarming }
    }
}

fn shown(likely: &Likely) -> String {
    format!("{} {:.0}%", plain(&likely.theme), 100.0 * likely.p)
}

fn level(score: f64) -> char {
    LEVELS[((score.max(0.0) * 8.0) as usize).min(LEVELS.len() - 1)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(note: serde_json::Value, width: usize, text: &str, alarming: bool) {
        let margin = Margin::of(&serde_json::from_value(note).unwrap(), width);
        assert_eq!(margin, Margin { text: text.into(), alarming });
    }

    fn note(score: f64, alarms: &[&str]) -> serde_json::Value {
        let ahead = |theme, p| json!({"ahead": 1, "top": [{"theme": theme, "p": p}], "entropy": 1});
        json!({
            "token": 3,
            "now": [{"theme": "opening", "p": 0.714}, {"theme": "steps", "p": 0.1}],
            "next": [ahead("steps", 0.4494), ahead("advice", 0.31), ahead("closing", 0.296)],
            "divergence": {"score": score, "alarms": alarms},
        })
    }

    #[test]
    fn as_many_themes_as_fit_and_the_level_at_the_right() {
        let whole = "opening 71% ▸ steps 45% ▸ advice 31% ▸ closing 30%  ▁";
        check(note(0.1, &[]), 53, whole, false);
        check(note(0.5, &[]), 30, "opening 71% ▸ steps 45%      ▅", false);
        check(note(2.0, &["cusum"]), 15, "opening 71%   █", true);
        check(note(-1.0, &[]), 8, "openi… ▁", false);
    }

    #[test]
    fn phrases_come_first_and_strangeness_is_marked() {
        let mut asked = note(0.0, &[STRANGE]);
        asked["watch"] = json!([{"theme": "refund request", "p": 0.04, "within": 3}]);
        asked["trust"] = json!({"out_of_distribution": true});
        check(asked, 36, "? refund request 4% · opening 71%  ▁", false);
    }

    #[test]
    fn without_a_forecast_it_says_why() {
        check(json!({"error": "the session fell behind"}), 20, "no forecast: the se…", true);
        check(json!({"norm": 3.5}), 20, "", false);
    }
}
