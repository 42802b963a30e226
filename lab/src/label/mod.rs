//! Segments and their themes: the chains that a bundle learns to forecast.
//!
//! ```text
//! DIR/labels/segments.parquet   one row a segment: document, segment, tokens, text, theme, distance
//! DIR/labels/themes.json        the catalogue
//! DIR/labels/labels.json        method, parameters, counts, agreement
//! ```

mod agreement;
mod cluster;
mod naming;
mod segments;
mod store;

pub use cluster::{Cluster, ClusterConfig};
pub use segments::{Segment, TextLine};
pub use store::{LabelCard, Labels, SegmentLabel};

use crate::{
    LabError, Result, Split, atomic,
    dataset::{CollectionInfo, DocumentReader, Load},
};
use std::path::Path;
use themecast_forecast::{bundle::Theme, segment::SegmenterConfig};

/// The version of the labels' layout that this crate reads and writes.
pub const LABELS_FORMAT: u32 = 1;

/// A way to give themes to segments: clusters, a written taxonomy, a language model.
pub trait Labeler {
    /// Its name in `labels.json`: `cluster`, `taxonomy`, `llm`.
    fn method(&self) -> &str;

    /// Its parameters, for `labels.json`.
    fn parameters(&self) -> serde_json::Value;

    /// Makes the catalogue and gives every segment its theme. Whatever is fitted is fitted on the
    /// segments of the training split alone.
    ///
    /// # Errors
    /// [`LabError::Data`] where the segments do not suffice, or what the method fails with.
    fn label(&self, segments: &[Segment], progress: &dyn Fn(&str)) -> Result<Labeling>;
}

/// What a labeller says.
#[derive(Debug, Clone)]
pub struct Labeling {
    /// The catalogue; shares are those of the training split.
    pub themes: Vec<Theme>,
    /// For every segment, in order, its theme's place in the catalogue.
    pub assigned: Vec<u32>,
    /// For every segment, how far it is from its theme, in the method's own measure.
    pub distances: Vec<f32>,
    /// How far two runs or two labellers agree, where that was measured.
    pub agreement: Option<Agreement>,
}

/// Agreement between two labellings of the same segments.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Agreement {
    /// What was compared.
    pub with: String,
    /// The adjusted Rand index, 1 at best, 0 by chance. *Source* Hubert and Arabie 1985.
    pub adjusted_rand_index: f64,
    /// How many segments were compared.
    pub segments: usize,
}

/// Labels the collection in the folder `dir` and writes `dir/labels/`.
///
/// # Errors
/// [`LabError`] of reading, labelling or writing; `dir/labels/` is then as it was or lacks
/// `labels.json`, without which it does not load.
pub fn run(dir: &Path, labeler: &dyn Labeler, progress: &dyn Fn(&str)) -> Result<LabelCard> {
    let info = CollectionInfo::load(dir)?;
    let (mut segments, mut documents, mut looping) = (Vec::new(), 0, 0);
    for document in DocumentReader::open(dir, Load::Tokens)? {
        let document = document?;
        documents += 1;
        if document.looping {
            looping += 1;
        } else {
            segments::of_document(&document, Split::of(&document)?, &mut segments);
        }
    }
    progress(&format!(
        "{documents} documents, {looping} looping ones left out, {} segments",
        segments.len()
    ));
    let counts = Counts { documents, looping, segmenter: info.segmenter };
    label(segments, &counts, labeler, &dir.join("labels"), progress)
}

/// Labels the plain texts of the JSON-lines file `texts` (`{"id","text"}` a line), cut by
/// `segmenter`, and writes `out/labels/`.
///
/// # Errors
/// [`LabError`] of reading (with the line's number), labelling or writing.
pub fn label_texts(
    texts: &Path,
    segmenter: &SegmenterConfig,
    out: &Path,
    labeler: &dyn Labeler,
    progress: &dyn Fn(&str),
) -> Result<LabelCard> {
    let lines = segments::read_texts(texts)?;
    let mut segments = Vec::new();
    for line in &lines {
        segments::of_text(line, segmenter, &mut segments);
    }
    progress(&format!("{} texts, {} segments", lines.len(), segments.len()));
    let counts = Counts { documents: lines.len(), looping: 0, segmenter: segmenter.clone() };
    label(segments, &counts, labeler, &out.join("labels"), progress)
}

struct Counts {
    documents: usize,
    looping: usize,
    segmenter: SegmenterConfig,
}

fn label(
    segments: Vec<Segment>,
    counts: &Counts,
    labeler: &dyn Labeler,
    out: &Path,
    progress: &dyn Fn(&str),
) -> Result<LabelCard> {
    if segments.is_empty() {
        return Err(LabError::data("there is no segment to label"));
    }
    let labeling = labeler.label(&segments, progress)?;
    check(&labeling, segments.len())?;
    let of = |split| segments.iter().filter(|segment| segment.split == split).count();
    let card = LabelCard {
        format: LABELS_FORMAT,
        method: labeler.method().to_owned(),
        parameters: labeler.parameters(),
        segmenter: counts.segmenter.clone(),
        documents: counts.documents,
        looping_left_out: counts.looping,
        segments: segments.len(),
        train_segments: of(Split::Train),
        validation_segments: of(Split::Validation),
        test_segments: of(Split::Test),
        agreement: labeling.agreement.clone(),
    };
    atomic::create_dir(out)?;
    let labels = Labels::new(card, labeling, segments);
    labels.save(out)?;
    Ok(labels.card)
}

fn check(labeling: &Labeling, segments: usize) -> Result<()> {
    let (assigned, distances) = (labeling.assigned.len(), labeling.distances.len());
    if assigned != segments || distances != segments {
        let message = format!("{assigned} themes, {distances} distances, {segments} segments");
        return Err(LabError::Data(message));
    }
    let themes = labeling.themes.len() as u32;
    match labeling.assigned.iter().find(|&&theme| theme >= themes) {
        Some(theme) => Err(LabError::Data(format!("theme {theme} of a catalogue of {themes}"))),
        None => Ok(()),
    }
}
