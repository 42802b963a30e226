//! Segments and their themes: the chains that a bundle learns to forecast.
//!
//! ```text
//! DIR/labels/segments.parquet   one row a segment: document, segment, tokens, text, theme,
//!                               distance and, where there are topics, topic
//! DIR/labels/themes.json        the catalogue
//! DIR/labels/topics.json        that of topics
//! DIR/labels/labels.json        method, parameters, counts, agreement, topics beside themes
//! DIR/resamples/labels/…        the same of other ways on
//! ```
//!
//! A theme says what a passage does; a topic, the second level, what it is about. Topics persist
//! along an answer, so it is themes that are forecast.

mod agreement;
pub mod boundaries;
pub mod catalogue;
mod classifier;
mod cluster;
mod columns;
pub mod compare;
mod distil;
mod levels;
pub mod llm;
mod measures;
mod naming;
mod resolution;
mod run;
mod segments;
mod store;
mod surface;
mod taxonomy;
mod topics;
mod words;

pub use classifier::{Classified, Classifier};
pub use cluster::{Cluster, ClusterConfig};
pub use distil::Distilled;
pub use levels::Levels;
pub use resolution::Resolution;
pub use run::{label_texts, run, segments_of};
pub use segments::{Segment, TextLine};
pub use store::{LabelCard, Labels, SegmentLabel};
pub use taxonomy::Taxonomy;
pub use topics::{LevelFigures, TopicCard};

use crate::{LabError, Result, embed::Embed, eval::Interval, pace::Pace};
use std::ops::Range;
use themecast_forecast::bundle::Theme;

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

impl Labeling {
    /// The same of the segments at `place` alone; the agreement is that of all.
    fn of(&self, place: Range<usize>) -> Self {
        Self {
            themes: self.themes.clone(),
            assigned: self.assigned[place.clone()].to_vec(),
            distances: self.distances[place].to_vec(),
            agreement: self.agreement.clone(),
        }
    }
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
    /// The 95 % interval of kappa over draws of prompts, where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kappa_interval: Option<Interval>,
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
            kappa_interval: None,
            segments: a.len(),
        })
    }
}

impl std::fmt::Display for Agreement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "agreement with {} over {} segments: ", self.with, self.segments)?;
        if let Some(kappa) = self.kappa {
            write!(f, "kappa {kappa:.3}")?;
            if let Some(Interval { low, high }) = self.kappa_interval {
                write!(f, " [{low:.3}, {high:.3}]")?;
            }
            write!(f, ", ")?;
        }
        let (ami, ari) = (self.adjusted_mutual_information, self.adjusted_rand_index);
        write!(f, "adjusted mutual information {ami:.3}, adjusted Rand index {ari:.3}")
    }
}

/// What `labeler` says of `segments`, whole.
///
/// # Errors
/// What it fails with; [`LabError::Data`] where it leaves a segment out or names no theme of its.
pub(crate) fn checked(
    labeler: &dyn Labeler,
    segments: &[Segment],
    progress: &dyn Fn(&str),
) -> Result<Labeling> {
    let labeling = labeler.label(segments, progress)?;
    check(&labeling, segments.len())?;
    Ok(labeling)
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
    let pace = Pace::new("segments embedded", progress);
    embedder.embed(&texts, &|done, all| pace.at(done, all))
}
