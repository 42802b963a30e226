//! Both sides' answers to the prompts that they have in common, as chains of themes.

use super::{ShiftConfig, Side};
use crate::{
    LabError, Result,
    dataset::{CollectionInfo, Document, read_documents},
    label::{self, Labeler, Segment},
};
use std::collections::{BTreeMap, HashMap, HashSet};
use themecast_forecast::bundle::Theme;

/// What both sides answered.
pub(super) struct Answers {
    pub(super) themes: Vec<Theme>,
    /// The group of each prompt that is compared, in the order of their ids.
    pub(super) groups: Vec<Option<String>>,
    /// Prompts that are not compared.
    pub(super) left_out: usize,
    pub(super) sides: [Answered; 2],
}

/// One side.
pub(super) struct Answered {
    pub(super) info: CollectionInfo,
    /// Its answers to the prompts that both sides were asked, looping ones included.
    pub(super) documents: usize,
    pub(super) looping: usize,
    pub(super) chains: Vec<Chain>,
}

/// One answer's segments.
pub(super) struct Chain {
    /// Its prompt's place.
    pub(super) prompt: usize,
    pub(super) themes: Vec<u32>,
    pub(super) texts: Vec<String>,
    /// How many tokens the segments have.
    pub(super) tokens: usize,
}

/// One side as it was read.
struct Read {
    info: CollectionInfo,
    documents: Vec<Document>,
    segments: Vec<Segment>,
}

impl Answers {
    /// Reads both collections and labels the segments of the prompts that are compared.
    pub(super) fn read(
        config: &ShiftConfig,
        labeler: &dyn Labeler,
        progress: &dyn Fn(&str),
    ) -> Result<Self> {
        let (read, asked) = Read::both(config, progress)?;
        let groups: BTreeMap<String, Option<String>> = {
            let whole = read[1].whole();
            let compared = read[0].whole().into_iter().filter(|(id, _)| whole.contains_key(id));
            compared.map(|(id, one)| (id.to_owned(), one.group.clone())).collect()
        };
        if groups.is_empty() {
            let message =
                "no prompt has an answer on both sides that has a whole segment and does not loop";
            return Err(LabError::data(message));
        }
        let places: HashMap<&str, usize> = groups.keys().map(String::as_str).zip(0..).collect();
        let mut themes = Vec::new();
        let mut answered = |side: Read| -> Result<Answered> {
            let segments = side.compared(&places);
            let labeling = label::checked(labeler, &segments, progress)?;
            themes = labeling.themes;
            Ok(side.answered(&segments, &labeling.assigned, &places))
        };
        let [first, second] = read;
        let sides = [answered(first)?, answered(second)?];
        let left_out = asked - groups.len();
        Ok(Self { themes, groups: groups.into_values().collect(), left_out, sides })
    }
}

impl Read {
    /// Both sides with their answers to the prompts that both were asked, and how many prompts there
    /// are that either was asked or that are wanted.
    fn both(config: &ShiftConfig, progress: &dyn Fn(&str)) -> Result<([Self; 2], usize)> {
        let [a, b] = &config.sides;
        let mut read = [Self::of(a, config, progress)?, Self::of(b, config, progress)?];
        let [first, second] = read.each_ref().map(|side| &side.info.segmenter);
        if first != second {
            let message = format!("cut into other segments than {}: {first:?}, {second:?}", a.name);
            return Err(LabError::Mismatch { path: b.data.clone(), message });
        }
        let [first, second] = read.each_ref().map(Self::asked);
        let other =
            |(id, prompt): &(&&str, &&str)| second.get(*id).is_some_and(|one| one != *prompt);
        if let Some((id, _)) = first.iter().filter(other).min() {
            return Err(LabError::Data(format!("the prompt '{id}' is another on each side")));
        }
        let wanted = config.prompts.iter().flat_map(|all| all.keys().map(String::as_str));
        let all: HashSet<&str> = first.keys().chain(second.keys()).copied().chain(wanted).collect();
        let all = all.len();
        let both = first.keys().filter(|id| second.contains_key(*id));
        let both: HashSet<String> = both.map(|id| (*id).to_owned()).collect();
        read.iter_mut().for_each(|side| side.keep(&both));
        Ok((read, all))
    }

    fn of(side: &Side, config: &ShiftConfig, progress: &dyn Fn(&str)) -> Result<Self> {
        progress(&format!("reading {}", side.name));
        let info = CollectionInfo::load(&side.data)?;
        let mut documents = read_documents(&side.data)?;
        if let Some(wanted) = &config.prompts {
            documents.retain(|document| wanted.contains_key(&document.prompt_id));
            let other = |one: &&Document| wanted[&one.prompt_id] != one.prompt;
            if let Some(Document { prompt_id, .. }) = documents.iter().find(other) {
                let message =
                    format!("the prompt '{prompt_id}' is another than the one that is asked for");
                return Err(LabError::Mismatch { path: side.data.clone(), message });
            }
        }
        Ok(Self { info, documents, segments: label::segments_of(&side.data, progress)? })
    }

    /// What it was asked, by the prompt's id.
    fn asked(&self) -> HashMap<&str, &str> {
        self.documents.iter().map(|one| (one.prompt_id.as_str(), one.prompt.as_str())).collect()
    }

    /// Keeps the answers to these prompts alone.
    fn keep(&mut self, prompts: &HashSet<String>) {
        self.documents.retain(|document| prompts.contains(&document.prompt_id));
    }

    /// A document of each prompt that has an answer with a segment, by the prompt's id.
    fn whole(&self) -> HashMap<&str, &Document> {
        let whole: HashSet<&str> = self.segments.iter().map(|one| one.document.as_str()).collect();
        let whole = self.documents.iter().filter(|one| whole.contains(one.id.as_str()));
        whole.map(|document| (document.prompt_id.as_str(), document)).collect()
    }

    /// The places of the answers' prompts, by the answer's id.
    fn places<'a>(&'a self, places: &HashMap<&str, usize>) -> HashMap<&'a str, usize> {
        let place =
            |one: &'a Document| Some((one.id.as_str(), *places.get(one.prompt_id.as_str())?));
        self.documents.iter().filter_map(place).collect()
    }

    /// The segments of the prompts that have places.
    fn compared(&self, places: &HashMap<&str, usize>) -> Vec<Segment> {
        let answers = self.places(places);
        let compared = |one: &&Segment| answers.contains_key(one.document.as_str());
        self.segments.iter().filter(compared).cloned().collect()
    }

    /// The answers, whose `segments` have these `themes`.
    fn answered(
        self,
        segments: &[Segment],
        themes: &[u32],
        places: &HashMap<&str, usize>,
    ) -> Answered {
        let answers = self.places(places);
        let mut chains: Vec<Chain> = Vec::new();
        let mut last = None;
        for (segment, &theme) in segments.iter().zip(themes) {
            let answer = segment.document.as_str();
            if last.replace(answer) != Some(answer) {
                let prompt = answers[answer];
                chains.push(Chain { prompt, themes: vec![], texts: vec![], tokens: 0 });
            }
            if let Some(chain) = chains.last_mut() {
                chain.themes.push(theme);
                chain.texts.push(segment.text.trim().to_owned());
                chain.tokens = segment.end_token as usize;
            }
        }
        let looping = self.documents.iter().filter(|one| one.looping).count();
        Answered { documents: self.documents.len(), looping, chains, info: self.info }
    }
}
