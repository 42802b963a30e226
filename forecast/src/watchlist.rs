//! Themes and phrases that an operator does not want: an alarm before one of them comes.
//!
//! Whether one of them comes within the horizon is forecast (themes by `chains::Course::comes`,
//! phrases by [`open`](crate::open)) at a segment's first two tokens and every eighth, averaged over all
//! tokens in log space so that a single token raises nothing but at the very start, and compared with
//! two levels: the alarm is raised at the upper one and can be raised again only once the lower one was
//! passed. Phrases that a client watches for raise nothing and are not here.

use crate::{bundle::Theme, options};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// How much the newest forecast counts in the average.
const WEIGHT: f32 = 0.3;
/// The least probability that is told apart from none.
const LEAST: f32 = 1e-6;

/// Themes and phrases that must not come; any of them counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watched {
    /// Its name, in metrics and alarms; unique.
    pub name: String,
    /// The ids of themes.
    #[serde(default)]
    pub themes: Vec<String>,
    /// Phrases, such as "refund request", for a bundle that scores them.
    #[serde(default)]
    pub phrases: Vec<String>,
    /// The probability at which the alarm is raised, above 0 and at most 1.
    pub raise: f32,
    /// The probability below which it can be raised again; half of `raise` where not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<f32>,
}

/// A watch that does not fit the bundle, in one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("watch '{name}': {problem}")]
pub struct WatchError {
    name: String,
    problem: String,
}

impl WatchError {
    /// Nothing scores the phrases of the watch `name`.
    pub(crate) fn unscored(name: &str, problem: String) -> Self {
        Self { name: name.to_owned(), problem }
    }

    /// Two watches have one name, under which both would be counted.
    pub(crate) fn twice(name: &str) -> Self {
        let problem = "the name is there twice: give each watch its own".to_owned();
        Self { name: name.to_owned(), problem }
    }
}

/// One watch along one answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Watching {
    name: String,
    themes: Vec<usize>,
    phrases: Range<usize>,
    raise: f32,
    release: f32,
    told: f32,
    log: Option<f32>,
    raised: bool,
}

impl Watching {
    /// Before the first token; `first` phrases of other watches come before its own.
    ///
    /// # Errors
    /// [`WatchError`] for an unknown theme, an empty or endless phrase, or levels out of order.
    pub fn new(watched: &Watched, catalogue: &[Theme], first: usize) -> Result<Self, WatchError> {
        let wrong = |problem: String| WatchError { name: watched.name.clone(), problem };
        let place = |id: &String| {
            let found = catalogue.iter().position(|theme| theme.id == *id);
            let known = || catalogue.iter().map(|theme| theme.id.as_str()).collect::<Vec<_>>();
            found.ok_or_else(|| {
                wrong(format!("the bundle has no theme '{id}': it has {}", known().join(", ")))
            })
        };
        let themes = watched.themes.iter().map(place).collect::<Result<Vec<_>, _>>()?;
        watched.phrases.iter().try_for_each(|one| options::check_phrase(one)).map_err(wrong)?;
        let phrases = first..first + watched.phrases.len();
        let raise = watched.raise;
        let release = watched.release.unwrap_or(raise / 2.0);
        if themes.is_empty() && phrases.is_empty() {
            return Err(wrong("names nothing: want ids of themes, or phrases".to_owned()));
        }
        if !(raise > 0.0 && raise <= 1.0 && release > 0.0 && release <= raise) {
            return Err(wrong(format!(
                "raise {raise} and release {release}: want 0 < release ≤ raise ≤ 1"
            )));
        }
        let name = watched.name.clone();
        Ok(Self { name, themes, phrases, raise, release, told: 0.0, log: None, raised: false })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The themes' places in the catalogue.
    pub fn themes(&self) -> &[usize] {
        &self.themes
    }

    /// Its phrases' places among those of all watches.
    pub fn phrases(&self) -> Range<usize> {
        self.phrases.clone()
    }

    /// The probability that was told last.
    pub fn told(&self) -> f32 {
        self.told
    }

    /// Takes the probability `p` of one moment that one of them comes within the horizon. Whether
    /// the alarm is raised now.
    pub fn push(&mut self, p: f32) -> bool {
        self.told = p;
        let newest = p.max(LEAST).ln();
        let log = self.log.map_or(newest, |log| log + WEIGHT * (newest - log));
        self.log = Some(log);
        let before = self.raised;
        self.raised = self.p() >= if before { self.release } else { self.raise };
        self.raised && !before
    }

    /// The averaged probability that one of them comes within the horizon.
    pub fn p(&self) -> f32 {
        self.log.map_or(0.0, f32::exp)
    }

    /// That probability as a fraction of the level at which the alarm is raised.
    pub fn score(&self) -> f32 {
        self.p() / self.raise
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalogue() -> Vec<Theme> {
        let theme = |id: &str| Theme {
            id: id.to_owned(),
            name: id.to_owned(),
            description: String::new(),
            share: 0.5,
        };
        ["tips", "refund", "closing"].map(theme).into()
    }

    fn watched(themes: &[&str], raise: f32, release: Option<f32>) -> Watched {
        let themes = themes.iter().map(|&id| id.to_owned()).collect();
        Watched { name: "money".to_owned(), themes, phrases: Vec::new(), raise, release }
    }

    #[test]
    fn it_is_raised_once_and_again_only_after_it_was_released() {
        let watched = watched(&["refund", "closing"], 0.5, Some(0.2));
        let mut watch = Watching::new(&watched, &catalogue(), 0).unwrap();
        let mut told = |p: f32, times: usize| (0..times).filter(|_| watch.push(p)).count();
        assert_eq!(told(0.1, 10), 0);
        assert_eq!(told(0.9, 1), 0, "one token is not enough");
        assert_eq!(told(0.9, 20), 1);
        assert_eq!(told(0.3, 20) + told(0.9, 20), 0, "it was not released");
        assert_eq!(told(0.05, 20) + told(0.9, 20), 1);
    }

    #[test]
    fn the_first_moment_counts_whole() {
        let mut watch = Watching::new(&watched(&["refund"], 1.0, None), &catalogue(), 0).unwrap();
        watch.push(0.75);
        assert_eq!((watch.themes(), watch.told()), (&[1][..], 0.75));
        assert!((watch.p() - 0.75).abs() < 1e-6 && (watch.score() - 0.75).abs() < 1e-6);
    }

    #[test]
    fn what_does_not_fit_is_said() {
        let problem = |watched| Watching::new(&watched, &catalogue(), 0).unwrap_err().to_string();
        assert!(problem(watched(&["shoes"], 0.5, None)).contains("tips, refund, closing"));
        assert!(problem(watched(&[], 0.5, None)).contains("names nothing"));
        let endless = Watched { phrases: vec!["x".repeat(201)], ..watched(&[], 0.5, None) };
        assert!(problem(endless).contains("1 to 200 characters, had 201"));
        assert!(problem(watched(&["tips"], 0.5, Some(0.6))).contains("release ≤ raise"));
        assert!(problem(watched(&["tips"], f32::NAN, None)).contains("raise"));
    }
}
