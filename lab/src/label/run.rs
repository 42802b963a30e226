//! Labelling a collection or plain texts, from their tokens to `labels/`.

use super::{
    LABELS_FORMAT, LabelCard, Labeling, Labels, Levels, RESAMPLES, Segment, checked, segments,
    topics,
};
use crate::{
    LabError, Result, Split, atomic,
    dataset::{CollectionInfo, Load},
    pace::Documents,
};
use std::{
    ops::Range,
    path::{Path, PathBuf},
};
use themecast_forecast::segment::SegmenterConfig;

/// Labels the collection in the folder `dir` and writes `dir/labels/`; where other ways on were
/// sampled into `dir/resamples/`, they are labelled by what was fitted on the collection.
///
/// Where the segments do not suffice for topics, that is told and there are none.
///
/// # Errors
/// [`LabError`] of reading, labelling or writing; `dir/labels/` is then as it was or lacks
/// `labels.json`, without which it does not load.
pub fn run<'a>(
    dir: &Path,
    levels: impl Into<Levels<'a>>,
    progress: &dyn Fn(&str),
) -> Result<LabelCard> {
    let resamples = dir.join(RESAMPLES);
    let mut texts = vec![collected(dir, progress)?];
    if CollectionInfo::load(&resamples).is_ok() {
        progress("other ways on:");
        texts.push(collected(&resamples, progress)?);
    }
    label(texts, levels.into(), progress)
}

/// The segments of the collection in the folder `dir` that are to be labelled.
///
/// # Errors
/// [`LabError`] of reading.
pub fn segments_of(dir: &Path, progress: &dyn Fn(&str)) -> Result<Vec<Segment>> {
    Ok(collected(dir, progress)?.segments)
}

fn collected(dir: &Path, progress: &dyn Fn(&str)) -> Result<Texts> {
    let info = CollectionInfo::load(dir)?;
    let (mut segments, mut documents, mut looping, mut truncated) = (Vec::new(), 0, 0, 0);
    for document in Documents::open(dir, Load::Tokens, progress)? {
        let document = document?;
        documents += 1;
        if document.looping {
            looping += 1;
        } else {
            truncated += usize::from(document.truncated());
            segments::of_document(&document, Split::of(&document)?, &mut segments);
        }
    }
    progress(&format!(
        "{documents} documents, {looping} looping ones left out, {truncated} cut off by the length \
         limit, {} segments",
        segments.len()
    ));
    let (segmenter, out) = (info.segmenter, dir.join("labels"));
    Ok(Texts { segments, documents, looping, truncated, segmenter, out })
}

/// Labels the plain texts of the JSON-lines file `texts` (`{"id","text"}` a line), cut by
/// `segmenter`, and writes `out/labels/`; topics as in [`run`].
///
/// # Errors
/// [`LabError`] of reading (with the line's number), labelling or writing.
pub fn label_texts<'a>(
    texts: &Path,
    segmenter: &SegmenterConfig,
    out: &Path,
    levels: impl Into<Levels<'a>>,
    progress: &dyn Fn(&str),
) -> Result<LabelCard> {
    let lines = segments::read_texts(texts)?;
    let mut segments = Vec::new();
    for line in &lines {
        segments::of_text(line, segmenter, &mut segments);
    }
    progress(&format!("{} texts, {} segments", lines.len(), segments.len()));
    let (documents, segmenter) = (lines.len(), segmenter.clone());
    let out = out.join("labels");
    let texts = Texts { segments, documents, looping: 0, truncated: 0, segmenter, out };
    label(vec![texts], levels.into(), progress)
}

/// What is labelled, and where the labels go.
struct Texts {
    segments: Vec<Segment>,
    documents: usize,
    looping: usize,
    truncated: usize,
    segmenter: SegmenterConfig,
    out: PathBuf,
}

/// Labels all of `texts` at once and writes each one's labels; returns the first one's card.
fn label(texts: Vec<Texts>, levels: Levels<'_>, progress: &dyn Fn(&str)) -> Result<LabelCard> {
    if texts[0].segments.is_empty() {
        return Err(LabError::data("there is no segment to label"));
    }
    let all: Vec<Segment> = texts.iter().flat_map(|texts| texts.segments.clone()).collect();
    let themes = checked(levels.themes, &all, progress)?;
    let topics = match levels.topics {
        Some(labeler) => topics::find(labeler, &all, progress)?,
        None => None,
    };
    let found = Found { levels, themes, topics };
    let (mut first, mut cards) = (0, Vec::new());
    for texts in texts {
        let end = first + texts.segments.len();
        cards.push(texts.save(&found, first..end)?);
        first = end;
    }
    Ok(cards.remove(0))
}

/// What was said of all texts, and by whom.
struct Found<'a> {
    levels: Levels<'a>,
    themes: Labeling,
    topics: Option<Labeling>,
}

impl Texts {
    /// Writes what was `found` of its segments, which are those numbered `place`.
    fn save(self, found: &Found<'_>, place: Range<usize>) -> Result<LabelCard> {
        let of = |split| self.segments.iter().filter(|segment| segment.split == split).count();
        let themes = found.themes.of(place.clone());
        let topics = found.topics.as_ref().map(|topics| topics.of(place));
        let beside = found.levels.topics.zip(topics.as_ref());
        let card = LabelCard {
            format: LABELS_FORMAT,
            method: found.levels.themes.method().to_owned(),
            parameters: found.levels.themes.parameters(),
            segmenter: self.segmenter,
            documents: self.documents,
            looping_left_out: self.looping,
            truncated: self.truncated,
            segments: self.segments.len(),
            train_segments: of(Split::Train),
            validation_segments: of(Split::Validation),
            test_segments: of(Split::Test),
            agreement: themes.agreement.clone(),
            topics: beside
                .map(|(labeler, topics)| topics::card(labeler, &self.segments, topics, &themes)),
        };
        atomic::create_dir(&self.out)?;
        let labels = Labels::new(card, (themes, topics), self.segments);
        labels.save(&self.out)?;
        Ok(labels.card)
    }
}
