//! What each method says of the texts.

use super::{
    at,
    pairs::{self, Labelled},
    paraphrase, places,
    report::MethodReport,
    resample,
};
use crate::{
    Result, Split,
    label::{
        Agreement, Labeler, Labeling, LevelFigures, Segment, agreement, checked,
        measures::{self, OTHER},
    },
};
use themecast_forecast::bundle::Theme;

/// The texts that every method labels.
pub(super) struct Texts<'a> {
    segments: &'a [Segment],
    /// The segments, then the test split's paraphrased.
    with_paraphrases: Vec<Segment>,
    /// With other training documents.
    resampled: Vec<Segment>,
}

/// What one method said.
pub(super) struct Found {
    pub(super) method: String,
    parameters: serde_json::Value,
    own: Option<Agreement>,
    pub(super) themes: Vec<Theme>,
    /// Of all segments.
    pub(super) labels: Vec<u32>,
    /// Of the test split's, paraphrased.
    paraphrased: Vec<u32>,
    /// The catalogue and the labels of the test split when fitted on other documents.
    refitted: (Vec<Theme>, Vec<u32>),
}

impl<'a> Texts<'a> {
    pub(super) fn new(segments: &'a [Segment], seed: u64) -> Self {
        let test = segments.iter().filter(|one| one.split == Split::Test);
        let paraphrased = test.map(|one| {
            let key = format!("{}#{}", one.document, one.segment);
            let text = paraphrase::paraphrase(&one.text, &key);
            Segment { document: format!("{}~paraphrased", one.document), text, ..one.clone() }
        });
        Self {
            segments,
            with_paraphrases: segments.iter().cloned().chain(paraphrased).collect(),
            resampled: resample::bootstrap(segments, seed),
        }
    }

    pub(super) fn label(&self, labeler: &dyn Labeler, progress: &dyn Fn(&str)) -> Result<Found> {
        let tell = |line: &str| progress(&format!("{}: {line}", labeler.method()));
        let Labeling { themes, assigned, agreement, .. } =
            checked(labeler, &self.with_paraphrases, &tell)?;
        let parameters = labeler.parameters();
        tell("again, fitted on other training documents");
        let again = checked(labeler, &self.resampled, &tell)?;
        let (labels, paraphrased) = assigned.split_at(self.segments.len());
        let test = places(&self.resampled, Split::Test);
        Ok(Found {
            method: labeler.method().to_owned(),
            parameters,
            own: agreement,
            themes,
            labels: labels.to_vec(),
            paraphrased: paraphrased.to_vec(),
            refitted: (again.themes, at(&again.assigned, &test)),
        })
    }
}

impl Found {
    /// Its labels of all segments.
    pub(super) fn labelled(&self) -> Labelled<'_> {
        Labelled { themes: &self.themes, labels: &self.labels }
    }

    /// How it is by itself, judged at `test`, and beside `topics`, where there are some.
    pub(super) fn report(
        &self,
        segments: &[Segment],
        test: &[usize],
        topics: Option<Labelled<'_>>,
    ) -> MethodReport {
        let counts = measures::counts(&self.labels, self.themes.len());
        let figures = LevelFigures::of(segments, &self.labels, self.themes.len());
        let shared = |topics: Labelled<'_>| {
            agreement::adjusted_mutual_information(&self.labels, topics.labels)
        };
        let other = self.themes.iter().position(|theme| theme.id == OTHER);
        let judged = at(&self.labels, test);
        let own = Labelled { themes: &self.themes, labels: &judged };
        let said = Labelled { labels: &self.paraphrased, ..own };
        let again = Labelled { themes: &self.refitted.0, labels: &self.refitted.1 };
        MethodReport {
            method: self.method.clone(),
            parameters: self.parameters.clone(),
            themes: figures.number,
            in_use: counts.iter().filter(|&&count| count > 0).count(),
            entropy_nats: figures.entropy_nats,
            persistence: figures.persistence,
            persistence_by_chance: figures.persistence_by_chance,
            with_topics: topics.map(shared),
            other: other.map(|place| counts[place] as f64 / segments.len() as f64),
            own: self.own.clone(),
            refitted: pairs::agreement("itself, fitted on other training documents", own, again),
            paraphrased: pairs::agreement("itself, on the texts paraphrased", own, said),
        }
    }
}
