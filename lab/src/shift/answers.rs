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
    /// In the order of their ids.
    pub(super) prompts: Vec<Prompt>,
    /// Prompts that one side alone answers.
    pub(super) left_out: usize,
    pub(super) sides: [Answered; 2],
}

/// A prompt that both sides answer.
pub(super) struct Prompt {
    pub(super) group: Option<String>,
}

/// One side.
pub(super) struct Answered {
    pub(super) info: CollectionInfo,
    /// Documents of the collection that were read, looping ones included.
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
    /// Reads both collections and labels their segments at once.
    pub(super) fn read(
        config: &ShiftConfig,
        labeler: &dyn Labeler,
        progress: &dyn Fn(&str),
    ) -> Result<Self> {
        let wanted = |id: &str| config.prompts.as_ref().is_none_or(|ids| ids.contains(id));
        let [a, b] = &config.sides;
        let read = [Read::of(a, &wanted, progress)?, Read::of(b, &wanted, progress)?];
        let [first, second] = [read[0].prompts(), read[1].prompts()];
        let both: BTreeMap<&str, &Document> = first
            .iter()
            .filter(|(id, _)| second.contains_key(*id))
            .map(|(id, d)| (*id, *d))
            .collect();
        if let Some((id, _)) = both.iter().find(|(id, one)| second[*id].prompt != one.prompt) {
            return Err(LabError::Data(format!("the prompt '{id}' is another on each side")));
        }
        let places: HashMap<&str, usize> = both.keys().zip(0..).map(|(id, at)| (*id, at)).collect();
        let prompts = both.values().map(|one| Prompt { group: one.group.clone() }).collect();
        let left_out = first.len() + second.len() - 2 * both.len();
        let all: Vec<Segment> = read.iter().flat_map(|side| side.segments.clone()).collect();
        if all.is_empty() {
            return Err(LabError::data("there is no segment to label"));
        }
        let labeling = label::checked(labeler, &all, progress)?;
        let (of_a, of_b) = labeling.assigned.split_at(read[0].segments.len());
        let sides = [read[0].answered(of_a, &places), read[1].answered(of_b, &places)];
        Ok(Self { themes: labeling.themes, prompts, left_out, sides })
    }
}

impl Read {
    fn of(side: &Side, wanted: &dyn Fn(&str) -> bool, progress: &dyn Fn(&str)) -> Result<Self> {
        progress(&format!("reading {}", side.name));
        let info = CollectionInfo::load(&side.data)?;
        let mut documents = read_documents(&side.data)?;
        documents.retain(|document| wanted(&document.prompt_id));
        let ids: HashSet<&str> = documents.iter().map(|one| one.id.as_str()).collect();
        let mut segments = label::segments_of(&side.data, progress)?;
        segments.retain(|segment| ids.contains(segment.document.as_str()));
        Ok(Self { info, documents, segments })
    }

    /// A document of each prompt that has an answer with a segment, by the prompt's id.
    fn prompts(&self) -> HashMap<&str, &Document> {
        let whole: HashSet<&str> = self.segments.iter().map(|one| one.document.as_str()).collect();
        let whole = self.documents.iter().filter(|one| whole.contains(one.id.as_str()));
        whole.map(|document| (document.prompt_id.as_str(), document)).collect()
    }

    /// The answers to the prompts that have places.
    fn answered(&self, themes: &[u32], places: &HashMap<&str, usize>) -> Answered {
        let prompts: HashMap<&str, usize> = self
            .documents
            .iter()
            .filter_map(|one| Some((one.id.as_str(), *places.get(one.prompt_id.as_str())?)))
            .collect();
        let mut chains: Vec<Chain> = Vec::new();
        let mut last = "";
        for (segment, &theme) in self.segments.iter().zip(themes) {
            let Some(&prompt) = prompts.get(segment.document.as_str()) else { continue };
            if segment.document != last {
                last = &segment.document;
                chains.push(Chain { prompt, themes: vec![], texts: vec![], tokens: 0 });
            }
            if let Some(chain) = chains.last_mut() {
                chain.themes.push(theme);
                chain.texts.push(segment.text.trim().to_owned());
                chain.tokens = segment.end_token as usize;
            }
        }
        let here = self.documents.iter().filter(|one| places.contains_key(one.prompt_id.as_str()));
        Answered {
            info: self.info.clone(),
            documents: here.clone().count(),
            looping: here.filter(|one| one.looping).count(),
            chains,
        }
    }
}
