//! `labels-llm.jsonl`: what was said of segments, a line each, kept as it comes.
//!
//! A line is either the probability of each theme, or the theme that a reader chose.

use super::{
    choices::{Choice, passage},
    whole_lines,
};
use crate::{
    LabError, Result,
    label::{
        Segment,
        catalogue::Entry,
        distil::{likeliest, without},
    },
    split::stable_hash,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
};

/// The file's name in the collection's folder.
pub const ANSWERS: &str = "labels-llm.jsonl";

/// What was said of one segment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The document's id.
    pub document: String,
    /// The segment's number in it.
    pub segment: u32,
    /// In which order of the letters.
    pub order: u32,
    /// The probability of each theme of the catalogue; the rest went to no letter.
    pub probabilities: Vec<f32>,
    /// What was asked, of whom; `None` in files of before that was kept.
    #[serde(flatten)]
    pub asked: Option<Asked>,
}

/// What a language model was asked about a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The model, as the endpoint calls it.
    pub model: String,
    /// The hash of the catalogue's themes.
    pub catalogue: String,
    /// The hash of the passage.
    pub passage: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Scored(Answer),
    Chosen(Choice),
}

/// How much of a choice goes to its alternate.
const ALTERNATE: f32 = 0.3;

/// The answers so far.
#[derive(Debug)]
pub struct Answers {
    path: PathBuf,
    ids: Vec<String>,
    /// The hash of the catalogue.
    catalogue: String,
    chosen: bool,
    all: HashMap<(String, u32, u32), Said>,
    file: Option<File>,
}

#[derive(Debug)]
struct Said {
    probabilities: Vec<f32>,
    /// Which passage it was said of, and by which model, where that is known.
    passage: Option<String>,
    model: Option<String>,
}

impl Answers {
    /// Reads the answers in the folder `dir`, none where there is no file; a last line that was
    /// cut off is dropped.
    ///
    /// # Errors
    /// [`LabError::Io`]; [`LabError::Format`] where a line is none or is about another catalogue.
    pub fn open(dir: &Path, catalogue: &[Entry]) -> Result<Self> {
        let path = dir.join(ANSWERS);
        whole_lines(&path)?;
        Self::read(path, catalogue)
    }

    /// The same from the file `path`.
    ///
    /// # Errors
    /// As [`Answers::open`]; [`LabError::Format`] where a theme is none of the catalogue's.
    pub fn read(path: PathBuf, catalogue: &[Entry]) -> Result<Self> {
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            read => read.map_err(LabError::io("read", &path))?,
        };
        let ids = catalogue.iter().map(|entry| entry.id.clone()).collect();
        let mut answers = Self {
            path,
            ids,
            catalogue: of_catalogue(catalogue),
            chosen: false,
            all: HashMap::new(),
            file: None,
        };
        for (number, line) in text.lines().enumerate() {
            answers.take(line).map_err(|what| {
                LabError::format(&answers.path, format!("line {}: {what}", number + 1))
            })?;
        }
        Ok(answers)
    }

    fn take(&mut self, line: &str) -> Result<(), String> {
        match serde_json::from_str(line) {
            Ok(Line::Scored(answer)) => self.keep(answer),
            Ok(Line::Chosen(choice)) => self.choose(choice),
            Err(_) => {
                Err("neither an answer with probabilities nor a choice with a theme".to_owned())
            }
        }
    }

    /// Keeps a choice as probabilities.
    fn choose(&mut self, choice: Choice) -> Result<(), String> {
        let place = |id: &String| {
            let found = self.ids.iter().position(|known| known == id);
            found.ok_or_else(|| format!("the catalogue has no theme '{id}'"))
        };
        let mut probabilities = vec![0.0; self.ids.len()];
        let share = choice.alternate.as_ref().map_or(0.0, |_| ALTERNATE);
        probabilities[place(&choice.theme)?] = 1.0 - share;
        if let Some(alternate) = &choice.alternate {
            probabilities[place(alternate)?] += share;
        }
        self.chosen = true;
        let said = Said { probabilities, passage: choice.passage, model: None };
        self.all.insert((choice.document, choice.segment, 0), said);
        Ok(())
    }

    /// Whether themes were chosen, not scored: then nothing has to be taken off their shares.
    pub fn chosen(&self) -> bool {
        self.chosen
    }

    /// What was said, in this order of the letters.
    pub fn get(&self, document: &str, segment: u32, order: u32) -> Option<&[f32]> {
        let said = self.all.get(&(document.to_owned(), segment, order));
        said.map(|said| said.probabilities.as_slice())
    }

    /// What was said of `segment`, unless of another text than it has now.
    pub(in crate::label) fn of(&self, segment: &Segment, order: u32) -> Option<&[f32]> {
        let said = self.get(&segment.document, segment.segment, order)?;
        (!self.strange(segment, order)).then_some(said)
    }

    /// Whether what was said of `segment` was said of another text.
    fn strange(&self, segment: &Segment, order: u32) -> bool {
        let said = self.all.get(&(segment.document.clone(), segment.segment, order));
        let read = said.and_then(|said| said.passage.as_ref());
        read.is_some_and(|read| *read != passage(&segment.text))
    }

    /// A model other than `model` that gave some of the answers.
    pub(super) fn of_another(&self, model: &str) -> Option<&str> {
        let mut models = self.all.values().filter_map(|said| said.model.as_deref());
        models.find(|other| *other != model)
    }

    /// The documents and segments that were asked about in the second order too.
    pub(super) fn asked_twice(&self) -> Vec<(&str, u32)> {
        let second = self.all.keys().filter(|(.., order)| *order == 1);
        second.map(|(document, segment, _)| (document.as_str(), *segment)).collect()
    }

    /// How many answers there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The mean answer about the segments `of`, in this order of the letters; `None` where there
    /// is none.
    ///
    /// Dividing by it takes away what the model would say of anything.
    /// *Source* Zhou et al. 2024 (batch calibration).
    pub(in crate::label) fn mean<'a>(
        &self,
        order: u32,
        of: impl IntoIterator<Item = (&'a str, u32)>,
    ) -> Option<Vec<f32>> {
        let mut sum = vec![0.0f32; self.ids.len()];
        let mut count = 0.0;
        let of = of.into_iter();
        for answer in of.filter_map(|(document, segment)| self.get(document, segment, order)) {
            sum.iter_mut().zip(answer).for_each(|(sum, p)| *sum += p);
            count += 1.0;
        }
        (count > 0.0).then(|| sum.into_iter().map(|sum| sum / count).collect())
    }

    /// An answer without the mean one; as it is where themes were chosen, not scored.
    pub(in crate::label) fn calibrated(&self, answer: &[f32], mean: &[f32]) -> Vec<f32> {
        if self.chosen { answer.to_vec() } else { without(answer, mean) }
    }

    /// The likeliest theme of each passage, in the first order of the letters, without the mean
    /// answer.
    pub(super) fn likeliest(&self) -> Vec<Choice> {
        let first = self.all.iter().filter(|((.., order), _)| *order == 0);
        let of = first.clone().map(|((document, segment, _), _)| (document.as_str(), *segment));
        let Some(mean) = self.mean(0, of) else { return Vec::new() };
        let choice = |((document, segment, _), said): (&(String, u32, u32), &Said)| Choice {
            document: document.clone(),
            segment: *segment,
            theme: self.ids[likeliest(&self.calibrated(&said.probabilities, &mean)) as usize]
                .clone(),
            alternate: None,
            passage: said.passage.clone(),
        };
        first.map(choice).collect()
    }

    /// What is asked about `segment`, of `model`.
    pub(super) fn asked(&self, model: &str, segment: &Segment) -> Asked {
        Asked {
            model: model.to_owned(),
            catalogue: self.catalogue.clone(),
            passage: passage(&segment.text),
        }
    }

    /// Appends an answer to the file.
    ///
    /// # Errors
    /// [`LabError::Io`]; [`LabError::Format`] where it is none about the catalogue.
    pub(super) fn add(&mut self, answer: Answer) -> Result<()> {
        let failed = LabError::io("write", &self.path);
        let mut line =
            serde_json::to_vec(&answer).map_err(|error| LabError::format(&self.path, error))?;
        line.push(b'\n');
        let file = match self.file.take() {
            Some(file) => Ok(file),
            None => OpenOptions::new().create(true).append(true).open(&self.path),
        };
        let written = file.and_then(|mut file| file.write_all(&line).map(|()| file));
        self.file = Some(written.map_err(failed)?);
        self.keep(answer).map_err(|what| LabError::format(&self.path, what))
    }

    fn keep(&mut self, answer: Answer) -> Result<(), String> {
        let (found, themes) = (answer.probabilities.len(), self.ids.len());
        if found != themes || !answer.probabilities.iter().all(|p| p.is_finite() && *p >= 0.0) {
            return Err(format!(
                "an answer of {found} themes, the catalogue has {themes}: give the --catalogue \
                 that was asked about, or move the file away"
            ));
        }
        let Answer { document, segment, order, probabilities, asked } = answer;
        if asked.as_ref().is_some_and(|asked| asked.catalogue != self.catalogue) {
            return Err(
                "an answer about another catalogue's themes: give the --catalogue that was \
                        asked about, or move the file away"
                    .to_owned(),
            );
        }
        let (passage, model) = asked.map(|asked| (asked.passage, asked.model)).unzip();
        self.all.insert((document, segment, order), Said { probabilities, passage, model });
        Ok(())
    }
}

/// The hash of a catalogue's themes, as they are asked about.
fn of_catalogue(catalogue: &[Entry]) -> String {
    let theme = |entry: &Entry| format!("{}\t{}\t{}\n", entry.id, entry.name, entry.description);
    format!("{:016x}", stable_hash(&catalogue.iter().map(theme).collect::<String>()))
}

#[cfg(test)]
mod tests;
