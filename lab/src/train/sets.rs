//! A set of heads that share their rows: one for each offset, fitted side by side.

use super::{
    TrainConfig,
    ensemble::{Again, by_member},
    head::{Head, Sample},
    logistic::Matrix,
    reference,
    rows::{Rows, Splits},
    scaler::Scaler,
};
use crate::{LabError, Result, pace::Pace};
use rayon::prelude::*;
use serde::Serialize;
use std::sync::mpsc;
use themecast_forecast::{
    features::FeatureLayout,
    linear::{Affine, softmax},
};

/// How one head came out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HeadReport {
    /// `boundary` or `mid`.
    pub set: &'static str,
    /// Segments after the one of the last token read.
    pub offset: usize,
    /// Training rows that have a theme at this offset.
    pub rows: usize,
    /// Validation rows that have one.
    pub validation_rows: usize,
    /// The penalty that was chosen.
    pub lambda: f32,
    /// The temperature that was chosen.
    pub temperature: f32,
    /// Mean loss on the validation split.
    pub validation_nll_nats: f32,
    /// Share of validation rows whose likeliest theme came.
    pub validation_top1: f32,
}

impl HeadReport {
    fn new(set: &'static str, offset: usize, rows: (usize, usize), head: &Head) -> Self {
        Self {
            set,
            offset,
            rows: rows.0,
            validation_rows: rows.1,
            lambda: head.lambda,
            temperature: head.temperature,
            validation_nll_nats: head.validation_nats,
            validation_top1: head.validation_top1,
        }
    }
}

/// The heads of one set, by offset.
pub(super) struct HeadSet {
    pub(super) heads: Vec<Affine>,
    /// The same fitted again on each part of the training prompts, *shape* `[parts][offsets]`.
    pub(super) ensemble: Vec<Vec<Affine>>,
    pub(super) reports: Vec<HeadReport>,
    /// Deviation of the excess surprise of the forecasts of the next segment, in nats.
    pub(super) excess_std: f32,
}

/// Fits a head for each offset.
///
/// # Errors
/// [`LabError::Data`] where an offset has no row; [`LabError::Fit`].
pub(super) fn fit(
    set: &'static str,
    rows: Splits,
    layout: FeatureLayout,
    config: &TrainConfig,
    progress: &dyn Fn(&str),
) -> Result<HeadSet> {
    let offsets: Vec<usize> = (0..config.horizons + 2).collect();
    let targets: Vec<_> = offsets
        .iter()
        .map(|&offset| (rows.train.targets(offset), rows.validation.targets(offset)))
        .collect();
    progress(&format!(
        "{set} heads: {} rows of {} features",
        rows.train.origins.len(),
        layout.len()
    ));
    let parts: Vec<usize> = rows.train.origins.iter().map(|origin| origin.part).collect();
    let (scaler, train, validation) = matrices(rows, layout)?;
    let fitter = config.fitting.fitter(config.steps);
    let one = |&offset: &usize| -> Result<Fitted> {
        let (train_targets, validation_targets) = &targets[offset];
        let count = |targets: &[Option<u32>]| targets.iter().flatten().count();
        let (rows, validation_rows) = (count(train_targets), count(validation_targets));
        if rows == 0 || validation_rows == 0 {
            let message = format!(
                "{set} head {offset}: {rows} training and {validation_rows} validation rows; \
                 answers are too short for {} horizons",
                config.horizons
            );
            return Err(LabError::Data(message));
        }
        let unused = config.unused(layout, offset == 0);
        let train = Sample { rows: &train, targets: train_targets };
        let sample = Sample { rows: &validation, targets: validation_targets };
        let head = fitter.fit(train, sample, layout.themes, &unused)?;
        let report = HeadReport::new(set, offset, (rows, validation_rows), &head);
        // The chain and the heads are two opinions already.
        let again = Again { fitter: &*fitter, scaler: &scaler, unused: &unused, parts: &parts };
        let members = match config.chain {
            None => again.members(&head, train, sample)?,
            Some(_) => Vec::new(),
        };
        Ok(Fitted { head, report, members })
    };
    let fitted = side_by_side(&offsets, one, progress)?;
    let excess_std = excess_std(&fitted[1].head, &validation, &targets[1].1)?;
    let whole = |one: &Fitted| scaler.fold(&one.head.weights, one.head.temperature);
    let heads = fitted.iter().map(whole).collect();
    let (members, reports): (Vec<_>, _) =
        fitted.into_iter().map(|one| (one.members, one.report)).unzip();
    let ensemble = match config.chain {
        None => by_member(members, set, progress),
        Some(_) => Vec::new(),
    };
    Ok(HeadSet { heads, ensemble, reports, excess_std })
}

/// One head with what was found of it.
struct Fitted {
    head: Head,
    report: HeadReport,
    /// The same on each part of the training prompts; none where a part has no row.
    members: Vec<Affine>,
}

/// Scaled matrices of training and validation rows.
///
/// # Errors
/// [`LabError::Fit`].
pub(crate) fn matrices(rows: Splits, layout: FeatureLayout) -> Result<(Scaler, Matrix, Matrix)> {
    let features = layout.len();
    let scaler = Scaler::of_features(&rows.train.values, layout);
    let scaled = |rows: Rows| {
        let mut values = rows.values;
        scaler.apply(&mut values);
        Matrix::new(values, features)
    };
    let train = scaled(rows.train)?;
    let validation = scaled(rows.validation)?;
    Ok((scaler, train, validation))
}

/// Runs `one` for every offset in parallel and tells of each that is done.
fn side_by_side(
    offsets: &[usize],
    one: impl Fn(&usize) -> Result<Fitted> + Send + Sync,
    progress: &dyn Fn(&str),
) -> Result<Vec<Fitted>> {
    let (tell, told) = mpsc::channel::<HeadReport>();
    std::thread::scope(|scope| {
        let work = scope.spawn(move || {
            let told = |offset: &usize| {
                let fitted = one(offset)?;
                // The other end lives until this thread is joined.
                let _ = tell.send(fitted.report.clone());
                Ok(fitted)
            };
            offsets.par_iter().map(told).collect::<Result<Vec<_>>>()
        });
        let pace = Pace::new("heads fitted", progress);
        for (report, done) in told.into_iter().zip(1..) {
            progress(&format!(
                "{} head {}: {:.3} nats, top-1 {:.1} % on the validation split (penalty {}, \
                 temperature {:.2})",
                report.set,
                report.offset,
                report.validation_nll_nats,
                100.0 * report.validation_top1,
                report.lambda,
                report.temperature
            ));
            pace.at(done, offsets.len());
        }
        work.join().unwrap_or_else(|_| Err(LabError::Fit("a fit panicked".to_owned())))
    })
}

fn excess_std(head: &Head, rows: &Matrix, targets: &[Option<u32>]) -> Result<f32> {
    let mut forecasts = rows.logits(&head.weights)?;
    for forecast in forecasts.chunks_exact_mut(head.weights.classes) {
        forecast.iter_mut().for_each(|logit| *logit /= head.temperature);
        softmax(forecast);
    }
    let pairs = forecasts.chunks_exact(head.weights.classes).zip(targets);
    let came = pairs.filter_map(|(forecast, target)| target.map(|target| (forecast, target)));
    Ok(reference::excess_deviation(came))
}
