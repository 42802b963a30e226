//! Segments and their themes: the chains that a bundle learns to forecast.
//!
//! ```text
//! DIR/labels/segments.parquet   one row a segment: document, segment, tokens, text, theme, distance
//! DIR/labels/themes.json        the catalogue
//! DIR/labels/labels.json        method, parameters, counts, agreement
//! ```

mod agreement;
pub mod catalogue;
mod cluster;
mod distil;
pub mod llm;
mod naming;
mod segments;
mod store;
mod surface;
mod taxonomy;

pub use cluster::{Cluster, ClusterConfig};
pub use distil::Distilled;
pub use segments::{Segment, TextLine};
pub use store::{LabelCard, Labels, SegmentLabel};
pub use taxonomy::Taxonomy;

use crate::{
    LabError, Result, Split, atomic,
    dataset::{CollectionInfo, DocumentReader, Load},
    embed::Embed,
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

/// Labels the collection in the folder `dir` and writes `dir/labels/`.
///
/// # Errors
/// [`LabError`] of reading, labelling or writing; `dir/labels/` is then as it was or lacks
/// `labels.json`, without which it does not load.
pub fn run(dir: &Path, labeler: &dyn Labeler, progress: &dyn Fn(&str)) -> Result<LabelCard> {
    let (segments, counts) = collected(dir, progress)?;
    label(segments, &counts, labeler, &dir.join("labels"), progress)
}

/// The segments of the collection in the folder `dir` that are to be labelled.
///
/// # Errors
/// [`LabError`] of reading.
pub fn segments_of(dir: &Path, progress: &dyn Fn(&str)) -> Result<Vec<Segment>> {
    Ok(collected(dir, progress)?.0)
}

fn collected(dir: &Path, progress: &dyn Fn(&str)) -> Result<(Vec<Segment>, Counts)> {
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
    Ok((segments, Counts { documents, looping, segmenter: info.segmenter }))
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
