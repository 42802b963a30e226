//! Asking a language model which theme of the catalogue a sample of segments has, or for a
//! catalogue of its own.
//!
//! `prompt` writes the question, an [`Oracle`] (whoever reaches the model) answers with the
//! probability of each letter, `answers` keeps what was said beside the collection, `twice` holds two
//! orders of the letters against each other. Nothing here knows HTTP. What is learnt from the answers
//! is [`super::Distilled`]'s. `names` has passages named freely, and `merge` makes a catalogue of the
//! names.

mod answers;
mod choices;
mod merge;
mod names;
mod prompt;
mod twice;

pub use answers::{ANSWERS, Answer, Answers, Asked};
pub use choices::{Choice, choices, choices_or_answers};
pub use names::{NAMES, Namer, NamesConfig, propose};
pub use prompt::{Letters, Turn};

use super::{Segment, catalogue::Entry};
use crate::{LabError, Result, Split, pace::Pace, split::stable_hash};
use std::{
    fs::{self, OpenOptions},
    path::Path,
};

/// The most themes that can be asked about: as many as there are letters.
const LETTERS: usize = 26;

/// Whoever reaches a language model.
pub trait Oracle {
    /// The model's name.
    fn model(&self) -> &str;

    /// How likely the model's next token after `turns` is each of `letters`; what is none of them
    /// is left out, so the sum may be below 1.
    ///
    /// # Errors
    /// [`crate::LabError::Data`] when the model can't be reached or gives no probabilities.
    fn choose(&self, turns: &[Turn], letters: &[char]) -> Result<Vec<f32>>;
}

/// How to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleConfig {
    /// How many segments are asked about.
    pub segments: usize,
    /// Of them, how many once more with the letters in another order, to see how much the order
    /// counts.
    pub twice: usize,
    /// The seed of the letters' order.
    pub seed: u64,
}

/// Asks about a sample of `segments` and keeps the answers in the folder `dir`; what is there
/// already is not asked again. The sample is the segments whose hashes are least, so it is the
/// same in every run; groups that are held out are not asked about.
///
/// # Errors
/// What the oracle fails with, [`LabError::Io`], or [`LabError::Data`] where there are more themes
/// than letters or another model gave what is there; the answers so far stay.
pub fn sample(
    dir: &Path,
    segments: &[Segment],
    catalogue: &[Entry],
    oracle: &dyn Oracle,
    (config, progress): (SampleConfig, &dyn Fn(&str)),
) -> Result<Answers> {
    let mut answers = answers_of(oracle.model(), dir, catalogue)?;
    let asked_about = [Split::Train, Split::Validation, Split::Test];
    let wanted = drawn(segments, &asked_about, config.segments);
    let orders =
        [Letters::shuffled(catalogue, config.seed), Letters::shuffled(catalogue, !config.seed)];
    let jobs = orders.iter().enumerate().flat_map(|(order, letters)| {
        let count = if order == 0 { config.segments } else { config.twice };
        wanted.iter().take(count).map(move |segment| (order as u32, letters, *segment))
    });
    let open =
        |(order, _, segment): &(u32, &Letters, &Segment)| answers.of(segment, *order).is_none();
    let jobs: Vec<_> = jobs.filter(open).collect();
    let pace = Pace::new("passages labelled by the language model", progress);
    for (done, (order, letters, segment)) in jobs.iter().enumerate() {
        let given = oracle.choose(&letters.turns(catalogue, &segment.text), letters.all())?;
        answers.add(Answer {
            document: segment.document.clone(),
            segment: segment.segment,
            order: *order,
            probabilities: letters.by_theme(&given),
            asked: Some(answers.asked(oracle.model(), segment)),
        })?;
        pace.at(done + 1, jobs.len());
    }
    Ok(answers)
}

/// The answers in the folder `dir` so far, which have to be `model`'s.
fn answers_of(model: &str, dir: &Path, catalogue: &[Entry]) -> Result<Answers> {
    if catalogue.len() > LETTERS {
        let message =
            format!("{} themes: a model chooses from {LETTERS} letters at most", catalogue.len());
        return Err(LabError::Data(message));
    }
    let answers = Answers::open(dir, catalogue)?;
    match answers.of_another(model) {
        None => Ok(answers),
        Some(other) => {
            let path = dir.join(ANSWERS);
            Err(LabError::Data(format!(
                "{} has answers of the model '{other}': give --llm-model {other}, or move the file \
                 away to ask '{model}'",
                path.display()
            )))
        }
    }
}

/// The lines of a file that grows by a line at a time; none where there is no file. A last line that
/// was cut off when asking was cut short is taken out of the file: it is asked for again.
fn whole_lines(path: &Path) -> Result<String> {
    let mut text = match fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        read => read.map_err(LabError::io("read", path))?,
    };
    let whole = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
    if whole < text.len() {
        text.truncate(whole);
        let file = OpenOptions::new().write(true).open(path);
        let cut = file.and_then(|file| file.set_len(whole as u64));
        cut.map_err(LabError::io("write", path))?;
    }
    String::from_utf8(text).map_err(|error| LabError::format(path, error))
}

/// The `count` segments of `splits` with the least hashes.
fn drawn<'a>(segments: &'a [Segment], splits: &[Split], count: usize) -> Vec<&'a Segment> {
    let mut all: Vec<(u64, &Segment)> = segments
        .iter()
        .filter(|segment| splits.contains(&segment.split))
        .map(|segment| (stable_hash(&format!("{}#{}", segment.document, segment.segment)), segment))
        .collect();
    all.sort_by_key(|(hash, _)| *hash);
    all.into_iter().take(count).map(|(_, segment)| segment).collect()
}
