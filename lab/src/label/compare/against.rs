//! Answers about single segments from elsewhere: people, other models.

use super::report::AnswersReport;
use crate::{
    LabError, Result, Split,
    label::{
        Agreement, Segment,
        agreement::kappa_interval,
        catalogue::Entry,
        llm::{Choice, choices_or_answers},
        measures::OTHER,
    },
};
use std::{collections::HashMap, path::Path};
use themecast_forecast::bundle::Theme;

/// What someone said of single segments.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The file's name.
    name: String,
    /// By document and segment.
    said: HashMap<(String, u32), Choice>,
}

impl Judged {
    /// Reads a JSON-lines file: `{"document","segment","theme","alternate"}` a line, themes by
    /// their ids, `alternate` optional; or what a language model said of the themes of `catalogue`,
    /// as `labels-llm.jsonl` has it. Of a segment that is there twice the last line counts.
    ///
    /// # Errors
    /// [`LabError::Io`]; [`LabError::Format`] with the line's number.
    pub fn read(path: &Path, catalogue: &[Entry]) -> Result<Self> {
        let each = choices_or_answers(path, catalogue)?.into_iter();
        let said = each.map(|one| ((one.document.clone(), one.segment), one)).collect();
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Ok(Self { name, said })
    }

    /// # Errors
    /// [`LabError::Data`] where it names a theme that no catalogue in `catalogues` has.
    pub(super) fn check(&self, catalogues: &[&[Theme]]) -> Result<()> {
        let has = |id: &str| {
            id == OTHER || catalogues.iter().any(|all| all.iter().any(|theme| theme.id == id))
        };
        let named = |line: &Choice| [Some(line.theme.clone()), line.alternate.clone()];
        let mut themes = self.said.values().flat_map(named).flatten();
        match themes.find(|id| !has(id)) {
            None => Ok(()),
            Some(id) => {
                let name = &self.name;
                Err(LabError::Data(format!("{name}: no method compared has the theme '{id}'")))
            }
        }
    }

    /// How far the labels that `method` gave the test split's segments agree.
    pub(super) fn compare(
        &self,
        method: &str,
        segments: &[Segment],
        (themes, labels): (&[Theme], &[u32]),
    ) -> AnswersReport {
        let number = |id: &str| themes.iter().position(|theme| theme.id == id);
        let mut unknown: HashMap<&str, u32> = HashMap::new();
        let (mut own, mut theirs, mut either, mut same) = (Vec::new(), Vec::new(), 0, true);
        let mut documents = Vec::new();
        for (segment, &label) in segments.iter().zip(labels) {
            let said = self.said.get(&(segment.document.clone(), segment.segment));
            let of_it = |said: &&Choice| said.is_of(&segment.text) && segment.split == Split::Test;
            let Some(said) = said.filter(of_it) else { continue };
            let next = (themes.len() + unknown.len()) as u32;
            let known = number(&said.theme).map(|place| place as u32);
            same &= known.is_some() || said.theme == OTHER;
            let theme = known.unwrap_or_else(|| *unknown.entry(&said.theme).or_insert(next));
            let alternate = said.alternate.as_deref().and_then(number);
            either += usize::from(theme == label || alternate == Some(label as usize));
            documents.push(segment.document.as_str());
            own.push(label);
            theirs.push(theme);
        }
        let share = either as f64 / own.len().max(1) as f64;
        AnswersReport {
            answers: self.name.clone(),
            method: method.to_owned(),
            in_all: self.said.len(),
            either: (same && !own.is_empty()).then_some(share),
            agreement: Agreement::between(&self.name, &theirs, &own, same),
            kappa_interval: if same { kappa_interval(&documents, &theirs, &own) } else { None },
        }
    }

    /// How far another reader agrees, over the segments of the test split that both have read.
    pub(super) fn with(
        &self,
        other: &Self,
        segments: &[Segment],
        catalogues: &[&[Theme]],
    ) -> Option<AnswersReport> {
        let theirs: Vec<&Theme> = catalogues.iter().find_map(|themes| {
            let has = |line: &Choice| themes.iter().any(|theme| theme.id == line.theme);
            other.said.values().all(has).then(|| themes.iter().collect())
        })?;
        let themes: Vec<Theme> = theirs.into_iter().cloned().collect();
        let label = |segment: &Segment| {
            let said = other.said.get(&(segment.document.clone(), segment.segment))?;
            let place = themes.iter().position(|theme| theme.id == said.theme)?;
            Some((segment.clone(), place as u32))
        };
        let (segments, labels): (Vec<Segment>, Vec<u32>) =
            segments.iter().filter_map(label).unzip();
        let report = self.compare(&other.name, &segments, (&themes, &labels));
        report.agreement.is_some().then_some(report)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn written(text: &str) -> Result<Judged> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        Judged::read(file.path(), &[])
    }

    fn theme(id: &str) -> Theme {
        let (name, description) = (String::new(), String::new());
        Theme { id: id.into(), name, description, share: 0.5 }
    }

    const SAID: &str = r#"{"document":"d","segment":0,"theme":"a"}
{"document":"d","segment":1,"theme":"a","alternate":"b","by":"someone"}

{"document":"d","segment":2,"theme":"b","alternate":null}
{"document":"d","segment":3,"theme":"other"}
{"document":"train","segment":0,"theme":"b"}
"#;

    #[test]
    fn answers_of_the_test_split_count_by_their_ids() {
        let one = |(document, segment, split): (&str, u32, Split)| Segment {
            document: document.into(),
            split,
            segment,
            first_token: 0,
            end_token: 1,
            text: String::new(),
        };
        let test = |segment| one(("d", segment, Split::Test));
        let segments =
            [one(("train", 0, Split::Train)), test(0), test(1), test(2), test(3), test(9)];
        let judged = written(SAID).unwrap();
        let themes = [theme("b"), theme("a")];
        let found = judged.compare("it", &segments, (&themes, &[1, 1, 0, 0, 1, 0]));
        let agreement = found.agreement.unwrap();
        assert_eq!((found.in_all, agreement.segments), (5, 4));
        // Said a a b other, given a b b a: two of four, by chance (2·2 + 1·2) of 16.
        assert!((agreement.kappa.unwrap() - 0.2).abs() < 1e-12, "{agreement:?}");
        assert_eq!(found.either, Some(0.75));
        assert!(found.kappa_interval.is_none(), "one prompt alone");
        let other = written(&SAID.replace("\"b\",\"alternate\":null", "\"a\"")).unwrap();
        let catalogue = [theme("a"), theme("b"), theme("other")];
        let found = judged.with(&other, &segments, &[&catalogue]).unwrap();
        // a a b other against a a a other: three of four, by chance (2·3 + 1·1) of 16.
        assert!((found.agreement.unwrap().kappa.unwrap() - 5.0 / 9.0).abs() < 1e-12);
        let themes = [theme("b"), theme("c")];
        let found = judged.compare("it", &segments, (&themes, &[1, 1, 0, 0, 1, 0]));
        assert_eq!((found.agreement.unwrap().kappa, found.either), (None, None));
    }

    #[test]
    fn a_wrong_line_and_an_unknown_theme_are_named() {
        let error = written("\n{\"document\":1}").unwrap_err().to_string();
        assert!(error.contains("line 2"), "{error}");
        let judged = written(SAID).unwrap();
        assert!(judged.check(&[&[theme("a")], &[theme("b")]]).is_ok());
        let error = judged.check(&[&[theme("a")]]).unwrap_err().to_string();
        assert!(error.contains("theme 'b'"), "{error}");
    }
}
