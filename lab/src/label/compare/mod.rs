//! Labellers beside each other, on the same segments of a collection.
//!
//! Each one labels twice: once as it would, with the test split's segments paraphrased appended
//! (as documents of the test split, so that nothing is fitted on them), and once fitted on a
//! bootstrap of the training documents. Agreement is measured on the test split alone. In the
//! order of the data: `resample` and `paraphrase` make the other texts, `measures`, `pairs` and
//! `against` judge, `report` holds, `sheet` and `tables` show. Nothing here writes labels.

mod against;
mod measures;
mod pairs;
mod paraphrase;
mod report;
mod resample;
mod sheet;
mod tables;
#[cfg(test)]
mod tests;
mod words;

pub use against::Judged;
pub use report::{AnswersReport, ComparisonReport, MethodReport, PairReport, ThemeExamples};

use super::{Labeler, Labeling, Segment};
use crate::{LabError, Result, Split};
use measures::OTHER;
use pairs::Labelled;
use std::path::Path;
use themecast_forecast::bundle::Theme;

/// How to compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompareConfig {
    /// The method whose passages are shown.
    pub sheet_of: String,
    /// The seed of the bootstrap and of the passages.
    pub seed: u64,
}

/// Compares `labelers` on the collection in the folder `dir`, with each other and with what is
/// `judged` elsewhere.
///
/// # Errors
/// [`LabError`] of reading and labelling; [`LabError::Data`] where there is no labeller or no test
/// split, where none of them is the one whose passages are to be shown, or where answers name
/// themes that none of them has.
pub fn run(
    dir: &Path,
    labelers: &[&dyn Labeler],
    judged: &[Judged],
    config: &CompareConfig,
    progress: &dyn Fn(&str),
) -> Result<ComparisonReport> {
    let segments = super::segments_of(dir, progress)?;
    let mut report = of_segments(&segments, labelers, judged, config, progress)?;
    report.collection = dir.display().to_string();
    Ok(report)
}

/// The same of segments that are read already; the report's collection has no name.
///
/// # Errors
/// As [`run`].
pub fn of_segments(
    segments: &[Segment],
    labelers: &[&dyn Labeler],
    judged: &[Judged],
    config: &CompareConfig,
    progress: &dyn Fn(&str),
) -> Result<ComparisonReport> {
    let test = places(segments, Split::Test);
    if test.is_empty() {
        return Err(LabError::data("no segment is in the test split: there is nothing to compare"));
    }
    let Some(shown) = labelers.iter().position(|one| one.method() == config.sheet_of) else {
        let message = format!("the method '{}' is not among those compared", config.sheet_of);
        return Err(LabError::Data(message));
    };
    let texts = Texts::new(segments, config.seed);
    let found: Vec<Found> =
        labelers.iter().map(|one| texts.label(*one, progress)).collect::<Result<_>>()?;
    let catalogues: Vec<&[Theme]> = found.iter().map(|one| &one.themes[..]).collect();
    judged.iter().try_for_each(|one| one.check(&catalogues))?;
    let answers = judged.iter().flat_map(|file| {
        let of = |one: &Found| file.compare(&one.method, segments, (&one.themes, &one.labels));
        found.iter().map(of).collect::<Vec<_>>()
    });
    let sheet = sheet::draw(segments, &found[shown].themes, &found[shown].labels, config.seed);
    Ok(ComparisonReport {
        collection: String::new(),
        segments: segments.len(),
        test_segments: test.len(),
        seed: config.seed,
        pairs: each_pair(&found, &test),
        answers: answers.collect(),
        sheet_of: config.sheet_of.clone(),
        sheet,
        notes: NOTES.map(str::to_owned).into(),
        methods: found.iter().map(|one| one.report(segments, &test)).collect(),
    })
}

const NOTES: [&str; 6] = [
    "Shares, entropy and persistence are those of all segments; by chance: if the themes of two \
     neighbours were drawn by their shares.",
    "Kappa needs the same catalogue; “other” is set apart: where one method alone has it, each of \
     its uses disagrees. AMI and ARI compare partitions and need none.",
    "Refitted: the whole method again, with its choice of how many themes, on as many training \
     documents drawn with replacement; the labels of the test split are compared.",
    "Paraphrased: contractions, some synonyms, list marks and left-out function words, without a \
     language model. It is lighter than what a person would write, so it bounds stability from \
     above.",
    "How many themes: AMI of the labels of all training segments between clusterings fitted on \
     disjoint halves of the training documents, three draws; within 0.01 of the best the larger \
     number is taken.",
    "A method that was learnt from answers about other splits may have seen the same annotator: \
     agreement with answers is that of the test split alone.",
];

/// The texts that every method labels.
struct Texts<'a> {
    segments: &'a [Segment],
    /// The segments, then the test split's paraphrased.
    with_paraphrases: Vec<Segment>,
    /// With other training documents.
    resampled: Vec<Segment>,
}

/// What one method said.
struct Found {
    method: String,
    parameters: serde_json::Value,
    own: Option<super::Agreement>,
    themes: Vec<Theme>,
    /// Of all segments.
    labels: Vec<u32>,
    /// Of the test split's, paraphrased.
    paraphrased: Vec<u32>,
    /// The catalogue and the labels of the test split when fitted on other documents.
    refitted: (Vec<Theme>, Vec<u32>),
}

impl<'a> Texts<'a> {
    fn new(segments: &'a [Segment], seed: u64) -> Self {
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

    fn label(&self, labeler: &dyn Labeler, progress: &dyn Fn(&str)) -> Result<Found> {
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
    fn report(&self, segments: &[Segment], test: &[usize]) -> MethodReport {
        let counts = measures::counts(&self.labels, self.themes.len());
        let persistence = measures::persistence(segments, &self.labels);
        let other = self.themes.iter().position(|theme| theme.id == OTHER);
        let judged = at(&self.labels, test);
        let own = Labelled { themes: &self.themes, labels: &judged };
        let said = Labelled { labels: &self.paraphrased, ..own };
        let again = Labelled { themes: &self.refitted.0, labels: &self.refitted.1 };
        MethodReport {
            method: self.method.clone(),
            parameters: self.parameters.clone(),
            themes: self.themes.len(),
            in_use: counts.iter().filter(|&&count| count > 0).count(),
            entropy_nats: measures::entropy_nats(&counts),
            persistence: persistence.map(|(persistence, _)| persistence),
            persistence_by_chance: persistence.map(|(_, chance)| chance),
            other: other.map(|place| counts[place] as f64 / segments.len() as f64),
            own: self.own.clone(),
            refitted: pairs::agreement("itself, fitted on other training documents", own, again),
            paraphrased: pairs::agreement("itself, on the texts paraphrased", own, said),
        }
    }
}

fn checked(
    labeler: &dyn Labeler,
    segments: &[Segment],
    progress: &dyn Fn(&str),
) -> Result<Labeling> {
    let labeling = labeler.label(segments, progress)?;
    super::check(&labeling, segments.len())?;
    Ok(labeling)
}

fn each_pair(found: &[Found], test: &[usize]) -> Vec<PairReport> {
    let mut pairs = Vec::new();
    for (place, first) in found.iter().enumerate() {
        for second in &found[place + 1..] {
            let (own, theirs) = (at(&first.labels, test), at(&second.labels, test));
            let one = Labelled { themes: &first.themes, labels: &own };
            let other = Labelled { themes: &second.themes, labels: &theirs };
            pairs.push(PairReport {
                first: first.method.clone(),
                second: second.method.clone(),
                agreement: pairs::agreement(&second.method, one, other),
            });
        }
    }
    pairs
}

/// Where the segments of `split` are.
fn places(segments: &[Segment], split: Split) -> Vec<usize> {
    (0..segments.len()).filter(|&place| segments[place].split == split).collect()
}

fn at(labels: &[u32], places: &[usize]) -> Vec<u32> {
    places.iter().map(|&place| labels[place]).collect()
}
