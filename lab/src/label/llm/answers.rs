//! `labels-llm.jsonl`: what a language model said of segments, a line each, kept as it comes.

use crate::{LabError, Result, label::catalogue::Entry};
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

/// The answers so far.
#[derive(Debug)]
pub struct Answers {
    path: PathBuf,
    themes: usize,
    all: HashMap<(String, u32, u32), Vec<f32>>,
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
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            read => read.map_err(LabError::io("read", &path))?,
        };
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        if whole < text.len() {
            let file = OpenOptions::new().write(true).open(&path);
            let cut = file.and_then(|file| file.set_len(whole as u64));
            cut.map_err(LabError::io("write", &path))?;
        }
        let mut answers = Self { path, themes: catalogue.len(), all: HashMap::new(), file: None };
        for (number, line) in text[..whole].lines().enumerate() {
            let answer: Answer = serde_json::from_str(line).map_err(|error| {
                LabError::format(&answers.path, format!("line {}: {error}", number + 1))
            })?;
            answers.keep(answer)?;
        }
        Ok(answers)
    }

    /// Whether the segment was asked about with this order of the letters.
    pub fn has(&self, document: &str, segment: u32, order: u32) -> bool {
        self.all.contains_key(&(document.to_owned(), segment, order))
    }

    /// What was said, in this order of the letters.
    pub fn get(&self, document: &str, segment: u32, order: u32) -> Option<&[f32]> {
        self.all.get(&(document.to_owned(), segment, order)).map(Vec::as_slice)
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
        let mut sum = vec![0.0f32; self.themes];
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
        let (found, themes) = (answer.probabilities.len(), self.themes);
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
}
