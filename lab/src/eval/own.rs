//! The bundle's own forecasts, through the path of serving.
//!
//! The only place of the evaluation that knows how a bundle forecasts.

use super::{
    doubt::{self, DoubtCase},
    embeddings::Embeddings,
    events::{BySplit, Place, Walk},
    joint::{self, JointCase},
    served_chains::{self, ServedChainsCase},
    watched::{self, WatchCase},
};
use crate::{
    LabError, Result, Split,
    dataset::{CollectionInfo, Document, Load},
    label::Labels,
    pace::Documents,
    replay::{Chain, Moment, Player, replay},
};
use std::{collections::HashMap, path::Path};
use themecast_forecast::{
    bundle::{self, Bundle, ByPlace, Calibration},
    linear::RowKind,
    predict::{Forecaster, Foresight},
    trust,
};

/// Refuses the bundle in a folder if it can't be replayed on a collection; `embeds`: there is a
/// sentence embedder.
pub(crate) fn check(
    path: &Path,
    (info, labels): (&CollectionInfo, &Labels),
    embeds: bool,
) -> Result<()> {
    let bundle = load(path)?;
    check_themes(&bundle, labels)?;
    let refused = |why: String| LabError::data(format!("{}: {why}", path.display()));
    bundle.fits(&info.model).map_err(|error| refused(error.to_string()))?;
    if let Some(site) = bundle.card.sites.iter().find(|site| !info.sites.contains(site)) {
        return Err(refused(format!("it reads {site}, which was not collected")));
    }
    match bundle.card.text.is_some() && !embeds {
        true => Err(refused("it reads the text: a sentence embedder is needed".to_owned())),
        false => Ok(()),
    }
}

/// Forecasts of one split.
#[derive(Debug, Clone, Default)]
pub(super) struct Forecasts {
    /// Per offset from 0, *shape* `[events, themes]`.
    pub(super) by_offset: Vec<Vec<f32>>,
}

/// What the bundle forecast; nothing for the training split, whose events it was fitted on.
#[derive(Debug, Default)]
pub(super) struct Own {
    /// At the prompt's end and at boundaries, event by event.
    pub(super) boundary: BySplit<Forecasts>,
    /// A few tokens into segments, event by event.
    pub(super) within: BySplit<Forecasts>,
    /// At every token within a segment of the test split.
    pub(super) everywhere: Everywhere,
    /// By document id, the distances of its tokens from the training data, the prompt's end
    /// first. Training documents are left out.
    pub(super) distances: HashMap<String, Vec<f32>>,
    /// The chains that came after boundaries of the validation and test splits.
    pub(super) joint: BySplit<Vec<JointCase>>,
    /// The chains that annotations would have shown along the test split.
    pub(super) served_chains: Vec<ServedChainsCase>,
    /// A watch for each theme at those boundaries.
    pub(super) watched: Vec<WatchCase>,
    /// What measures of uncertainty said at boundaries of the test split and held-out groups.
    pub(super) doubt: Vec<DoubtCase>,
}

/// Forecasts at every token within a segment.
#[derive(Debug, Default)]
pub(super) struct Everywhere {
    /// The document's id, the segment.
    pub(super) moments: Vec<(String, i32)>,
    /// Per offset from 0, *shape* `[moments, themes]`.
    pub(super) forecasts: Forecasts,
}

/// A loaded bundle that forecasts.
pub(super) struct Ours<'a> {
    bundle: &'a Bundle,
    texts: Option<&'a Embeddings>,
    offsets: usize,
    marginals_alone: bool,
}

impl<'a> Ours<'a> {
    /// The bundle's forecasts up to `horizons` segments ahead; `texts` are the embeddings that it
    /// reads.
    pub(super) fn new(bundle: &'a Bundle, texts: Option<&'a Embeddings>, horizons: usize) -> Self {
        Self { bundle, texts, offsets: horizons + 1, marginals_alone: false }
    }

    /// The same without watches, what tells doubt, every token and the chains that are shown at each,
    /// which take most of the time.
    pub(super) fn marginals_alone(self) -> Self {
        Self { marginals_alone: true, ..self }
    }

    /// Replays the labelled documents of `dir`.
    ///
    /// # Errors
    /// [`LabError`] of reading.
    pub(super) fn replay(
        &self,
        dir: &Path,
        chains: &HashMap<String, Chain>,
        progress: &dyn Fn(&str),
    ) -> Result<Own> {
        let bundle = self.bundle;
        let mut own = Own::default();
        let classifier = &bundle.predictor.heads(RowKind::Boundary)[0];
        let load = Load::Residuals(bundle.card.sites.clone());
        for document in Documents::open(dir, load, progress)? {
            let document = document?;
            let split = Split::of(&document)?;
            let Some(chain) = chains.get(&document.id).filter(|_| split != Split::Train) else {
                continue;
            };
            let (mut walk, mut distances) = (Walk::new(), Vec::new());
            let mut forecaster = Forecaster::new(bundle);
            let now = |row: &[f32], now: &mut Vec<f32>| classifier.probabilities(row, now);
            let player = Player { layout: bundle.layout(), texts: self.texts };
            replay(&document, player, now, |moment| {
                distances.push(trust::distance(moment.last_site, &bundle.card.reference));
                let foresight = forecaster.forecast(bundle, moment.kind, moment.features);
                let place = walk.place(moment, chain.len());
                if place == Some(Place::Boundary) && split != Split::HeldOut {
                    let came = (document.id.as_str(), &chain[..]);
                    joint::score((bundle, &foresight), moment, came, own.joint.of_mut(split));
                }
                if !self.marginals_alone {
                    self.beside((moment, &foresight), (&document, split, chain), place, &mut own);
                }
                match place {
                    Some(Place::Within(_)) => {
                        self.forecast(moment, &foresight, own.within.of_mut(split))
                    }
                    Some(_) => self.forecast(moment, &foresight, own.boundary.of_mut(split)),
                    None => {}
                }
                Ok(())
            })?;
            own.distances.insert(document.id, distances);
        }
        Ok(own)
    }

    /// Watches, doubt, every token within segments and the chains shown there.
    fn beside(
        &self,
        (moment, foresight): (&Moment<'_>, &Foresight),
        (document, split, chain): (&Document, Split, &Chain),
        place: Option<Place>,
        own: &mut Own,
    ) {
        let bundle = self.bundle;
        let came = (document.id.as_str(), &chain[..]);
        if moment.kind == RowKind::Boundary && moment.segment >= 0 {
            if split == Split::Test {
                let told = (document, &chain[..]);
                watched::score((bundle, foresight), moment, told, &mut own.watched);
            }
            doubt::take(foresight, moment, (document, split, chain), &mut own.doubt);
        }
        if split != Split::Test {
            return;
        }
        let inside = moment.kind == RowKind::Mid && moment.segment < chain.len() as i32;
        if inside {
            own.everywhere.moments.push((document.id.clone(), moment.segment));
            self.forecast(moment, foresight, &mut own.everywhere.forecasts);
        }
        if let Some(shown) = if inside { Some(Place::Within(0)) } else { place } {
            let at = (moment, shown);
            served_chains::take((bundle, foresight), at, came, &mut own.served_chains);
        }
    }

    /// What is forecast relative to the last token read: at a boundary the segment that ended has
    /// been classified by the replay, and the next one is the first of the foresight.
    fn forecast(&self, moment: &Moment<'_>, foresight: &Foresight, into: &mut Forecasts) {
        into.by_offset.resize(self.offsets, Vec::new());
        let first = usize::from(moment.kind == RowKind::Boundary);
        for (offset, forecasts) in into.by_offset.iter_mut().enumerate() {
            match (offset.checked_sub(first), moment.now) {
                (Some(step), _) => forecasts.extend_from_slice(&foresight.steps[step]),
                (None, Some(now)) => forecasts.extend_from_slice(now),
                (None, None) => {
                    let mut out = Vec::new();
                    self.bundle.predictor.heads(moment.kind)[offset]
                        .probabilities(moment.features, &mut out);
                    forecasts.extend_from_slice(&out);
                }
            }
        }
    }
}

/// What a bundle serves its forecasts with.
#[derive(Debug, Clone)]
pub(super) struct Served(Calibration);

impl Served {
    /// Of `bundle`.
    pub(super) fn of(bundle: &Bundle) -> Self {
        Self(bundle.card.calibration.clone())
    }

    /// The temperature at `place`, `ahead` segments after that of the last token read, and the
    /// probability from which a theme is in the conformal set.
    pub(super) fn at(&self, place: Place, ahead: usize) -> (f32, Option<f32>) {
        // At a boundary the segment to come is the first that is forecast.
        let (place, step) = match place {
            Place::PromptEnd => (bundle::Place::PromptEnd, ahead.checked_sub(1)),
            Place::Boundary => (bundle::Place::Boundary, ahead.checked_sub(1)),
            Place::Within(_) => (bundle::Place::Mid, Some(ahead)),
        };
        let of = |numbers: &ByPlace| numbers.of(place).get(step?).copied();
        let temperature = self.0.served.as_ref().and_then(of).unwrap_or(1.0);
        let threshold = self.0.conformal.as_ref().and_then(|sets| of(&sets.thresholds));
        (temperature, threshold.map(|threshold| 1.0 - threshold))
    }
}

/// Loads the bundle in the folder `path`.
///
/// # Errors
/// [`LabError::Forecast`].
pub(crate) fn load(path: &Path) -> Result<Bundle> {
    Bundle::load(path).map_err(|error| LabError::Forecast(format!("{}: {error}", path.display())))
}

/// Whether `bundle` forecasts the themes of `labels`.
///
/// # Errors
/// [`LabError::Data`] where it does not.
pub(super) fn check_themes(bundle: &Bundle, labels: &Labels) -> Result<()> {
    let ours = bundle.card.themes.iter().map(|theme| &theme.id);
    let theirs = labels.themes.iter().map(|theme| &theme.id);
    if ours.eq(theirs) {
        return Ok(());
    }
    Err(LabError::data("the bundle's themes are not those of the labels: train it on them again"))
}
