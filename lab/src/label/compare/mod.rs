//! Labellers beside each other, on the same segments of a collection.
//!
//! Each one labels twice: once as it would, with the test split's segments paraphrased appended
//! (as documents of the test split, so that nothing is fitted on them), and once fitted on a
//! bootstrap of the training documents. Agreement is measured on the test split alone. In the
//! order of the data: `resample` and `paraphrase` make the other texts, `found` has each
//! method label them, `pairs` and `against` judge, `report` holds, `sheet` and `tables` show. Nothing here writes labels.

mod against;
mod found;
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
pub use report::{
    AnswersReport, ComparisonReport, MethodReport, PairReport, Passage, ThemeExamples,
};

use super::{Labeler, Segment};
use crate::{LabError, Result, Split};
use found::{Found, Texts};
use pairs::Labelled;
use std::path::Path;
use themecast_forecast::bundle::Theme;

/// How to compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompareConfig {
    /// The method whose passages are shown.
    pub sheet_of: String,
    /// The method whose labels are the topics beside all others' themes; `None`: no topics.
    pub topics_of: Option<String>,
    /// The seed of the bootstrap and of the passages.
    pub seed: u64,
}

/// Compares `labelers` on the collection in the folder `dir`, with each other and with what is
/// `judged` elsewhere.
///
/// # Errors
/// [`LabError`] of reading and labelling; [`LabError::Data`] where there is no labeller or no test
/// split, where none of them is the one whose passages or topics are to be shown, or where answers
/// name themes that none of them has.
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
    let shown = place_of(&config.sheet_of, labelers)?;
    let topics_of = config.topics_of.as_deref();
    let topics_of = topics_of.map(|name| place_of(name, labelers)).transpose()?;
    let texts = Texts::new(segments, config.seed);
    let found: Vec<Found> =
        labelers.iter().map(|one| texts.label(*one, progress)).collect::<Result<_>>()?;
    let catalogues: Vec<&[Theme]> = found.iter().map(|one| &one.themes[..]).collect();
    judged.iter().try_for_each(|one| one.check(&catalogues))?;
    let answers = judged.iter().flat_map(|file| {
        let of = |one: &Found| file.compare(&one.method, segments, (&one.themes, &one.labels));
        found.iter().map(of).collect::<Vec<_>>()
    });
    let readers = judged.iter().enumerate().flat_map(|(number, file)| {
        let further = judged[number + 1..].iter();
        further.filter_map(|other| file.with(other, segments, &catalogues)).collect::<Vec<_>>()
    });
    let answers = answers.chain(readers);
    let topics = topics_of.map(|place| found[place].labelled());
    let sheet = sheet::draw(segments, found[shown].labelled(), topics, config.seed);
    Ok(ComparisonReport {
        collection: String::new(),
        segments: segments.len(),
        test_segments: test.len(),
        seed: config.seed,
        pairs: each_pair(&found, &test),
        answers: answers.collect(),
        sheet_of: config.sheet_of.clone(),
        topics_of: config.topics_of.clone(),
        sheet,
        notes: NOTES.map(str::to_owned).into(),
        methods: found.iter().map(|one| one.report(segments, &test, topics)).collect(),
    })
}

/// Where the method `name` is.
///
/// # Errors
/// [`LabError::Data`] where it is not there.
fn place_of(name: &str, labelers: &[&dyn Labeler]) -> Result<usize> {
    let found = labelers.iter().position(|one| one.method() == name);
    let message = || LabError::Data(format!("the method '{name}' is not among those compared"));
    found.ok_or_else(message)
}

const NOTES: [&str; 7] = [
    "Shares, entropy and persistence are those of all segments; by chance: if the themes of two \
     neighbours were drawn by their shares.",
    "Themes and topics: AMI of a method's labels with the topics, over all segments; 1 for the \
     method that gives the topics.",
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
