//! Adding an open-vocabulary head to a bundle.

use super::{
    Encoder,
    catalogue::Catalogue,
    check,
    corpus::{Corpus, Wanted},
    fit::{self, RidgeReport, Sample},
    lowrank,
    phrases::{Leaving, logistic},
};
use crate::{LabError, Result, Split, dataset::CollectionInfo, label::Labels};
use ndarray::Axis;
use serde::{Deserialize, Serialize};
use std::path::Path;
use themecast_forecast::{
    bundle::Bundle,
    linear::RowKind,
    open::{Background, Calibration, OpenCard, OpenHead},
};

/// How to train.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenConfig {
    /// How many segments after that of the token read last to forecast, 1 to 16.
    pub horizons: usize,
    /// How many numbers stand between features and embeddings.
    pub rank: usize,
    /// How many directions the background of training segments keeps.
    pub background_rank: usize,
    /// How many tokens of each segment become rows.
    pub mid_rows: usize,
}

impl Default for OpenConfig {
    fn default() -> Self {
        Self { horizons: 3, rank: 128, background_rank: 64, mid_rows: 3 }
    }
}

/// How the head came about; the card's `open.evaluation`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainedOn {
    /// Answers of the training and validation splits.
    pub answers: usize,
    /// Every regression.
    pub ridges: Vec<RidgeReport>,
}

impl TrainedOn {
    /// Reads it from a card.
    ///
    /// # Errors
    /// [`LabError::Forecast`] where the card has something else.
    pub fn read(card: &OpenCard) -> Result<Self> {
        serde_json::from_value(card.evaluation.clone())
            .map_err(|error| LabError::Forecast(format!("the card's open.evaluation: {error}")))
    }

    /// The penalty of the regression one segment ahead.
    pub(super) fn lambda(&self, kind: RowKind) -> f64 {
        let of = |one: &&RidgeReport| one.set == name(kind) && one.ahead == 1;
        self.ridges.iter().find(of).map_or(10.0, |one| one.lambda)
    }
}

/// Trains an open-vocabulary head on the labelled collection in `dir` and adds it to the bundle in
/// the folder `bundle`, in place of the one that is there.
///
/// # Errors
/// [`LabError::Forecast`] where the bundle does not load, is for another model or can't be saved;
/// others of reading, embedding and fitting.
pub fn run(
    dir: &Path,
    bundle: &Path,
    config: &OpenConfig,
    encoder: Encoder<'_>,
    progress: &dyn Fn(&str),
) -> Result<TrainedOn> {
    let refuse = |error| LabError::Forecast(format!("{}: {error}", bundle.display()));
    let mut loaded = Bundle::load(bundle).map_err(refuse)?;
    let info = CollectionInfo::load(dir)?;
    check(&loaded, &info)?;
    let labels = Labels::load(dir)?;
    let wanted = Wanted {
        dir,
        sites: &loaded.card.sites,
        layout: loaded.layout(),
        mid_rows: config.mid_rows,
        begun: false,
        splits: &[Split::Train, Split::Validation],
    };
    let corpus = Corpus::read(&wanted, &labels, encoder.embedder, progress)?;
    let phrases = Catalogue::new(&labels.themes, &corpus, encoder.embedder)?;
    let head = head(&corpus, &phrases, config, encoder.name, progress)?;
    let trained = TrainedOn::read(&head.card)?;
    loaded.card.open = Some(head.card.clone());
    loaded.open = Some(head);
    loaded.save(bundle).map_err(refuse)?;
    Ok(trained)
}

/// Fits the whole head.
fn head(
    corpus: &Corpus,
    phrases: &Catalogue,
    config: &OpenConfig,
    embedder: &str,
    progress: &dyn Fn(&str),
) -> Result<OpenHead> {
    let mut trained = TrainedOn { answers: corpus.answers.len(), ridges: Vec::new() };
    let mut one = |kind: RowKind| {
        let sample = Sample::new(corpus, kind);
        let size = (config.horizons, config.rank);
        let (set, reports) = fit::set(&sample, name(kind), size, progress)?;
        trained.ridges.extend(reports);
        let lambda = trained.lambda(kind);
        progress(&format!("{}: leaving out one theme after the other", name(kind)));
        let unseen =
            Leaving::new(&sample, (config.horizons, lambda), phrases).all(&[Split::Validation])?;
        Ok::<_, LabError>((set, logistic(unseen.iter().flat_map(|one| &one.cases))?))
    };
    let (mut boundary, boundary_calibration) = one(RowKind::Boundary)?;
    let (mut mid, mid_calibration) = one(RowKind::Mid)?;
    if boundary.ensemble.len() != mid.ensemble.len() {
        boundary.ensemble.clear();
        mid.ensemble.clear();
    }
    let segments = background(corpus, config.background_rank);
    let dimension = corpus.embeddings.ncols();
    let card = OpenCard {
        embedder: embedder.to_owned(),
        dimension,
        horizons: config.horizons,
        rank: boundary.whole.expand.len() / boundary.whole.bias.len().max(1),
        ensemble: boundary.ensemble.len(),
        background_rank: segments.factor.len() / dimension.max(1),
        calibration: Calibration { boundary: boundary_calibration, mid: mid_calibration },
        evaluation: serde_json::to_value(&trained)
            .map_err(|error| LabError::Forecast(error.to_string()))?,
    };
    Ok(OpenHead { card, boundary, mid, segments })
}

/// Mean and covariance of the training segments' embeddings, the latter in rank `rank`.
fn background(corpus: &Corpus, rank: usize) -> Background {
    let training = corpus.answers.iter().filter(|one| one.split == Split::Train);
    let places: Vec<usize> = training.flat_map(|one| one.first..one.first + one.segments).collect();
    let all = corpus.embeddings.select(Axis(0), &places).mapv(f64::from);
    let count = places.len().max(1) as f64;
    let mean = all.sum_axis(Axis(0)) / count;
    let centred = all - &mean;
    let covariance = centred.t().dot(&centred) / count;
    let basis = lowrank::leading(&covariance, rank.min(covariance.nrows()));
    // Along each direction of the basis, its own deviation: what mixes them is near zero.
    let deviations = (covariance.dot(&basis) * &basis).sum_axis(Axis(0)).mapv(f64::sqrt);
    let factor = (&basis * &deviations).reversed_axes();
    Background {
        mean: mean.iter().map(|&x| x as f32).collect(),
        factor: factor.iter().map(|&x| x as f32).collect(),
    }
}

fn name(kind: RowKind) -> &'static str {
    match kind {
        RowKind::Boundary => "boundary",
        RowKind::Mid => "mid",
    }
}
