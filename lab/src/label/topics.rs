//! What passages are about, beside what they do: the second level.

use super::{Agreement, Labeler, Labeling, Segment, agreement, checked, measures};
use crate::{LabError, Result};
use serde::{Deserialize, Serialize};

/// How topics came about and how they lie beside themes; `topics` in `labels.json`. Figures are
/// those of all segments, whatever their split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TopicCard {
    /// What gave them, as `cluster`.
    pub method: String,
    /// Its parameters.
    pub parameters: serde_json::Value,
    /// The topics by themselves.
    pub topics: LevelFigures,
    /// The themes by themselves.
    pub themes: LevelFigures,
    /// How much a theme tells of the topic: the adjusted mutual information, 0 by chance.
    /// *Source* Vinh et al. 2010.
    pub adjusted_mutual_information: f64,
    /// Agreement of the topics with a second run.
    pub agreement: Option<Agreement>,
}

/// One level of labels by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LevelFigures {
    /// How many the catalogue has.
    pub number: usize,
    /// The entropy of their shares. *Units* nats.
    pub entropy_nats: f64,
    /// The share of segments that have the one of the segment before in the same document.
    pub persistence: Option<f64>,
    /// That share if neighbours had nothing to do with each other.
    pub persistence_by_chance: Option<f64>,
}

impl LevelFigures {
    pub(super) fn of(segments: &[Segment], labels: &[u32], number: usize) -> Self {
        let persistence = measures::persistence(segments, labels);
        Self {
            number,
            entropy_nats: measures::entropy_nats(&measures::counts(labels, number)),
            persistence: persistence.map(|(persistence, _)| persistence),
            persistence_by_chance: persistence.map(|(_, chance)| chance),
        }
    }
}

/// The topics that `labeler` gives; `None`, and told, where the segments do not suffice.
///
/// # Errors
/// What it fails with otherwise.
pub(super) fn find(
    labeler: &dyn Labeler,
    segments: &[Segment],
    progress: &dyn Fn(&str),
) -> Result<Option<Labeling>> {
    let tell = |line: &str| progress(&format!("topics: {line}"));
    match checked(labeler, segments, &tell) {
        Ok(labeling) => Ok(Some(labeling)),
        Err(LabError::Data(message)) => {
            tell(&format!("none, for {message}"));
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// How the `topics` that `labeler` gave lie beside the `themes` of the same `segments`.
pub(super) fn card(
    labeler: &dyn Labeler,
    segments: &[Segment],
    topics: &Labeling,
    themes: &Labeling,
) -> TopicCard {
    let figures = |of: &Labeling| LevelFigures::of(segments, &of.assigned, of.themes.len());
    TopicCard {
        method: labeler.method().to_owned(),
        parameters: labeler.parameters(),
        topics: figures(topics),
        themes: figures(themes),
        adjusted_mutual_information: agreement::adjusted_mutual_information(
            &themes.assigned,
            &topics.assigned,
        ),
        agreement: topics.agreement.clone(),
    }
}
