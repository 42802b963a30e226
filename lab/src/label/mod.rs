//! Segments and their themes: the chains that a bundle learns to forecast.
//!
//! ```text
//! DIR/labels/segments.parquet   one row a segment: document, segment, tokens, text, theme, distance
//! DIR/labels/themes.json        the catalogue
//! DIR/labels/labels.json        method, parameters, counts, agreement
//! DIR/resamples/labels/…        the same of other ways on
//! ```

mod agreement;
pub mod catalogue;
mod classifier;
mod cluster;
pub mod compare;
mod cues;
mod distil;
pub mod llm;
mod naming;
mod resolution;
mod segments;
mod store;
mod surface;
mod taxonomy;

pub use classifier::{Classified, Classifier};
pub use cluster::{Cluster, ClusterConfig};
pub use distil::Distilled;
pub use resolution::Resolution;
pub use segments::{Segment, TextLine};
pub use store::{LabelCard, Labels, SegmentLabel};
pub use taxonomy::Taxonomy;

use crate::{
    LabError, Result, Split, atomic,
    dataset::{CollectionInfo, DocumentReader, Load},
    embed::Embed,
};
use std::{
    ops::Range,
    path::{Path, PathBuf},
};
use themecast_forecast::{bundle::Theme, segment::SegmenterConfig};

/// The version of the labels' layout that this crate reads and writes.
pub const LABELS_FORMAT: u32 = 1;

/// The folder of other ways on, within a collection's.
pub const RESAMPLES: &str = "resamples";

/// A way to give themes to segments: clusters, a written taxonomy, a language model.
pub trait Labeler {
    /// Its name in `labels.json`: `cluster`, `taxonomy`, `llm`.
    fn method(&self) -> &str;

    /// Its parameters, for `labels.json`; asked for after [`Self::label`], so what the labelling
    /// chose can be among them.
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
    /// The adjusted mutual information, 1 at best, 0 by chance. *Source* Vinh et al. 2010.
    #[serde(default)]
    pub adjusted_mutual_information: f64,
    /// Cohen's kappa, where both have the same catalogue. *Source* Cohen 1960.
    #[serde(default)]
    pub kappa: Option<f64>,
    /// How many segments were compared.
    pub segments: usize,
}

impl Agreement {
    /// How far the labels `a` and `b` agree; `same`: they are of one catalogue. `None` where there
    /// is nothing to compare.
    pub(crate) fn between(with: &str, a: &[u32], b: &[u32], same: bool) -> Option<Self> {
        (!a.is_empty()).then(|| Self {
            with: with.to_owned(),
            adjusted_rand_index: agreement::adjusted_rand_index(a, b),
            adjusted_mutual_information: agreement::adjusted_mutual_information(a, b),
            kappa: same.then(|| agreement::kappa(a, b)),
            segments: a.len(),
        })
    }
}

impl std::fmt::Display for Agreement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "agreement with {} over {} segments: ", self.with, self.segments)?;
        if let Some(kappa) = self.kappa {
            write!(f, "kappa {kappa:.3}, ")?;
        }
        let (ami, ari) = (self.adjusted_mutual_information, self.adjusted_rand_index);
        write!(f, "adjusted mutual information {ami:.3}, adjusted Rand index {ari:.3}")
    }
}

/// Labels the collection in the folder `dir` and writes `dir/labels/`; where other ways on were
/// sampled into `dir/resamples/`, they are labelled by what was fitted on the collection.
///
/// # Errors
/// [`LabError`] of reading, labelling or writing; `dir/labels/` is then as it was or lacks
/// `labels.json`, without which it does not load.
pub fn run(dir: &Path, labeler: &dyn Labeler, progress: &dyn Fn(&str)) -> Result<LabelCard> {
    let resamples = dir.join(RESAMPLES);
    let mut texts = vec![collected(dir, progress)?];
    if CollectionInfo::load(&resamples).is_ok() {
        progress("other ways on:");
        texts.push(collected(&resamples, progress)?);
    }
    label(texts, labeler, progress)
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
    let (segmenter, out) = (info.segmenter, dir.join("labels"));
    Ok(Texts { segments, documents, looping, segmenter, out })
}

/// The embedding of every segment, in order.
///
/// # Errors
/// [`LabError::Embed`].
fn embed_segments(
    embedder: &dyn Embed,
    segments: &[Segment],
    progress: &dyn Fn(&str),
) -> Result<Vec<Vec<f32>>> {
    let texts: Vec<String> = segments.iter().map(|one| one.text.trim().to_owned()).collect();
    let tenth = texts.len().div_ceil(10).max(1);
    let told = std::cell::Cell::new(0);
    embedder.embed(&texts, &|done, all| {
        if done / tenth > told.get() || done == all {
            told.set(done / tenth);
            progress(&format!("embedded {done} of {all} segments"));
        }
    })
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
    let (documents, segmenter) = (lines.len(), segmenter.clone());
    let texts = Texts { segments, documents, looping: 0, segmenter, out: out.join("labels") };
    label(vec![texts], labeler, progress)
}

/// What is labelled, and where the labels go.
struct Texts {
    segments: Vec<Segment>,
    documents: usize,
    looping: usize,
    segmenter: SegmenterConfig,
    out: PathBuf,
}

/// Labels all of `texts` at once and writes each one's labels; returns the first one's card.
fn label(texts: Vec<Texts>, labeler: &dyn Labeler, progress: &dyn Fn(&str)) -> Result<LabelCard> {
    if texts[0].segments.is_empty() {
        return Err(LabError::data("there is no segment to label"));
    }
    let all: Vec<Segment> = texts.iter().flat_map(|texts| texts.segments.clone()).collect();
    let labeling = labeler.label(&all, progress)?;
    check(&labeling, all.len())?;
    let (mut first, mut cards) = (0, Vec::new());
    for texts in texts {
        let end = first + texts.segments.len();
        cards.push(texts.save(&labeling, first..end, labeler)?);
        first = end;
    }
    Ok(cards.remove(0))
}

impl Texts {
    /// Writes what `labeling` says of its segments, which are those numbered `place`.
    fn save(
        self,
        labeling: &Labeling,
        place: Range<usize>,
        labeler: &dyn Labeler,
    ) -> Result<LabelCard> {
        let of = |split| self.segments.iter().filter(|segment| segment.split == split).count();
        let card = LabelCard {
            format: LABELS_FORMAT,
            method: labeler.method().to_owned(),
            parameters: labeler.parameters(),
            segmenter: self.segmenter,
            documents: self.documents,
            looping_left_out: self.looping,
            segments: self.segments.len(),
            train_segments: of(Split::Train),
            validation_segments: of(Split::Validation),
            test_segments: of(Split::Test),
            agreement: labeling.agreement.clone(),
        };
        let labeling = Labeling {
            themes: labeling.themes.clone(),
            assigned: labeling.assigned[place.clone()].to_vec(),
            distances: labeling.distances[place].to_vec(),
            agreement: None,
        };
        atomic::create_dir(&self.out)?;
        let labels = Labels::new(card, labeling, self.segments);
        labels.save(&self.out)?;
        Ok(labels.card)
    }
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
