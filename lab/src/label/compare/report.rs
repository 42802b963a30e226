//! What a comparison found.

use crate::{eval::Interval, label::Agreement};
use serde::Serialize;

/// Labellers on the same segments, beside each other.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ComparisonReport {
    /// The collection.
    pub collection: String,
    /// Segments labelled.
    pub segments: usize,
    /// Of them in the test split, on which agreement is measured.
    pub test_segments: usize,
    /// The seed of whatever was drawn.
    pub seed: u64,
    /// Each method by itself.
    pub methods: Vec<MethodReport>,
    /// Each pair of methods.
    pub pairs: Vec<PairReport>,
    /// Each file of answers with each method.
    pub answers: Vec<AnswersReport>,
    /// Whose passages the sheet shows.
    pub sheet_of: String,
    /// Whose labels are the topics.
    pub topics_of: Option<String>,
    /// Passages of each theme.
    pub sheet: Vec<ThemeExamples>,
    /// What to know when reading the figures.
    pub notes: Vec<String>,
}

/// One method by itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MethodReport {
    /// Its name.
    pub method: String,
    /// Its parameters, as in `labels.json`.
    pub parameters: serde_json::Value,
    /// Themes of its catalogue.
    pub themes: usize,
    /// Of them given to a segment at least.
    pub in_use: usize,
    /// The entropy of the themes' shares. *Units* nats.
    pub entropy_nats: f64,
    /// The share of segments whose theme is that of the one before in the same document.
    pub persistence: Option<f64>,
    /// That share if neighbours had nothing to do with each other.
    pub persistence_by_chance: Option<f64>,
    /// The adjusted mutual information of its labels with the topics, where there are topics.
    pub with_topics: Option<f64>,
    /// The share of "other", where there is one.
    pub other: Option<f64>,
    /// Agreement that the labelling measured itself.
    pub own: Option<Agreement>,
    /// Agreement on the test split with the method fitted on a bootstrap of the training documents.
    pub refitted: Option<Agreement>,
    /// Agreement on the test split with its labels of the same segments paraphrased.
    pub paraphrased: Option<Agreement>,
}

/// Two methods on the test split.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PairReport {
    /// The first method.
    pub first: String,
    /// The second method.
    pub second: String,
    /// How far they agree.
    pub agreement: Option<Agreement>,
}

/// A method and a file of answers, on the test split.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AnswersReport {
    /// The file.
    pub answers: String,
    /// The method.
    pub method: String,
    /// Answers in the file, whatever their split.
    pub in_all: usize,
    /// The share of segments whose label is the answer or its alternate, where the catalogues are
    /// the same.
    pub either: Option<f64>,
    /// How far they agree; `None` where no answer is about the test split.
    pub agreement: Option<Agreement>,
    /// The 95 % interval of kappa over draws of prompts.
    pub kappa_interval: Option<Interval>,
}

/// A theme and passages of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ThemeExamples {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: String,
    /// Its share of the training segments.
    pub share: f32,
    /// Random passages of the test split.
    pub passages: Vec<Passage>,
}

/// One passage of a theme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Passage {
    /// Its text, shortened.
    pub text: String,
    /// The name of its topic, where there are topics.
    pub topic: Option<String>,
}

impl std::fmt::Display for Passage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.topic {
            Some(topic) => write!(f, "[{topic}] {}", self.text),
            None => f.write_str(&self.text),
        }
    }
}
