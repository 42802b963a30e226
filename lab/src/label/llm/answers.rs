//! `labels-llm.jsonl`: what was said of segments, a line each, kept as it comes.
//!
//! A line is either the probability of each letter, or the theme that a reader chose.

use super::whole_lines;
use crate::{
    LabError, Result,
    label::{Segment, catalogue::Entry},
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
}

/// The theme that a reader chose for one segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// The document's id.
    pub document: String,
    /// The segment's number in it.
    pub segment: u32,
    /// The id of its theme.
    pub theme: String,
    /// That of another one, nearly as good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alternate: Option<String>,
    /// The hash of the passage that was read, as [`passage`] gives it: an answer to another text
    /// does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passage: Option<String>,
}

impl Choice {
    /// Whether it is about the passage `text`, as far as it says.
    pub fn is_of(&self, text: &str) -> bool {
        self.passage.as_ref().is_none_or(|read| *read == passage(text))
    }
}

/// The themes that a reader chose, of the file `path`, a line each.
///
/// # Errors
/// [`LabError::Io`]; [`LabError::Format`] with the line's number.
pub fn choices(path: &Path) -> Result<Vec<Choice>> {
    let text = fs::read_to_string(path).map_err(LabError::io("read", path))?;
    let choice = |(number, line): (usize, &str)| {
        serde_json::from_str(line)
            .map_err(|error| LabError::format(path, format!("line {}: {error}", number + 1)))
    };
    text.lines().enumerate().filter(|(_, line)| !line.is_empty()).map(choice).collect()
}

/// The hash of a passage's text, 16 hexadecimal digits.
pub(in crate::label) fn passage(text: &str) -> String {
    format!("{:016x}", stable_hash(text.trim()))
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
    chosen: bool,
    all: HashMap<(String, u32, u32), Vec<f32>>,
    /// Which passages were read, where that is known.
    passages: HashMap<(String, u32), String>,
    file: Option<File>,
}

impl Answers {
    /// Reads the answers in the folder `dir`, none where there is no file; a last line that was
    /// cut off is dropped.
    ///
    /// # Errors
    /// [`LabError::Io`]; [`LabError::Format`] where a line is none or has another catalogue's
    /// number of themes.
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
            chosen: false,
            all: HashMap::new(),
            passages: HashMap::new(),
            file: None,
        };
        for (number, line) in text.lines().enumerate() {
            let at = |what: String| {
                LabError::format(&answers.path, format!("line {}: {what}", number + 1))
            };
            let line: Line = serde_json::from_str(line).map_err(|_| {
                at("neither an answer with probabilities nor a choice with a theme".to_owned())
            })?;
            let answer = match line {
                Line::Scored(answer) => answer,
                Line::Chosen(choice) => {
                    if let Some(passage) = &choice.passage {
                        let key = (choice.document.clone(), choice.segment);
                        answers.passages.insert(key, passage.clone());
                    }
                    let answer = answers.of_choice(choice).map_err(at)?;
                    answers.chosen = true;
                    answer
                }
            };
            answers.keep(answer)?;
        }
        Ok(answers)
    }

    /// A choice as probabilities.
    fn of_choice(&self, choice: Choice) -> Result<Answer, String> {
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
        let Choice { document, segment, .. } = choice;
        Ok(Answer { document, segment, order: 0, probabilities })
    }

    /// Whether themes were chosen, not scored: then nothing has to be taken off their shares.
    pub fn chosen(&self) -> bool {
        self.chosen
    }

    /// Whether the segment was asked about with this order of the letters.
    pub fn has(&self, document: &str, segment: u32, order: u32) -> bool {
        self.all.contains_key(&(document.to_owned(), segment, order))
    }

    /// What was said, in this order of the letters.
    pub fn get(&self, document: &str, segment: u32, order: u32) -> Option<&[f32]> {
        self.all.get(&(document.to_owned(), segment, order)).map(Vec::as_slice)
    }

    /// What was said of `segment`, unless of another text than it has now.
    pub(in crate::label) fn of(&self, segment: &Segment, order: u32) -> Option<&[f32]> {
        let said = self.get(&segment.document, segment.segment, order)?;
        (!self.strange(segment)).then_some(said)
    }

    /// Whether what was said of `segment` was said of another text.
    pub(in crate::label) fn strange(&self, segment: &Segment) -> bool {
        let read = self.passages.get(&(segment.document.clone(), segment.segment));
        read.is_some_and(|read| *read != passage(&segment.text))
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

    /// The mean answer in this order of the letters; `None` where there is none.
    ///
    /// Dividing by it takes away what the model would say of anything.
    /// *Source* Zhou et al. 2024 (batch calibration).
    pub fn mean(&self, order: u32) -> Option<Vec<f32>> {
        let mut sum = vec![0.0f32; self.ids.len()];
        let mut count = 0.0;
        for (_, answer) in self.all.iter().filter(|((.., of), _)| *of == order) {
            sum.iter_mut().zip(answer).for_each(|(sum, p)| *sum += p);
            count += 1.0;
        }
        (count > 0.0).then(|| sum.into_iter().map(|sum| sum / count).collect())
    }

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
        self.keep(answer)
    }

    fn keep(&mut self, answer: Answer) -> Result<()> {
        let (found, themes) = (answer.probabilities.len(), self.ids.len());
        if found != themes || !answer.probabilities.iter().all(|p| p.is_finite() && *p >= 0.0) {
            let message = format!(
                "an answer of {found} themes, the catalogue has {themes}: move the file away"
            );
            return Err(LabError::format(&self.path, message));
        }
        self.all.insert((answer.document, answer.segment, answer.order), answer.probabilities);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::catalogue;

    #[test]
    fn answers_are_kept_and_a_line_that_was_cut_off_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let catalogue = &catalogue::read(None).unwrap()[..2];
        let mut answers = Answers::open(dir.path(), catalogue).unwrap();
        let answer = |segment, p: f32| Answer {
            document: "a/0".into(),
            segment,
            order: 0,
            probabilities: vec![p, 1.0 - p],
        };
        answers.add(answer(0, 0.75)).unwrap();
        answers.add(answer(1, 0.25)).unwrap();
        let path = dir.path().join(ANSWERS);
        let mut text = fs::read_to_string(&path).unwrap();
        text.push_str("{\"document\":\"a");
        fs::write(&path, text).unwrap();
        let mut again = Answers::open(dir.path(), catalogue).unwrap();
        assert_eq!((again.len(), again.mean(0)), (2, Some(vec![0.5, 0.5])));
        again.add(answer(2, 0.5)).unwrap();
        assert_eq!(Answers::open(dir.path(), catalogue).unwrap().len(), 3);
        let other = catalogue::read(None).unwrap();
        assert!(Answers::open(dir.path(), &other).unwrap_err().to_string().contains("2 themes"));
    }

    #[test]
    fn a_choice_leaves_a_share_to_its_alternate() {
        let dir = tempfile::tempdir().unwrap();
        let catalogue = &catalogue::read(None).unwrap()[..2];
        let path = dir.path().join("chosen.jsonl");
        let line = |theme: &str| {
            format!(
                "{{\"document\":\"a/0\",\"segment\":1,\"theme\":\"{theme}\",\"alternate\":\"opening\"}}\n"
            )
        };
        fs::write(&path, line("materials")).unwrap();
        let answers = Answers::read(path.clone(), catalogue).unwrap();
        assert!(answers.chosen());
        assert_eq!(answers.get("a/0", 1, 0), Some(&[ALTERNATE, 1.0 - ALTERNATE][..]));
        fs::write(&path, line("cheese")).unwrap();
        let error = Answers::read(path, catalogue).unwrap_err().to_string();
        assert!(error.contains("line 1: the catalogue has no theme 'cheese'"), "{error}");
    }
}
