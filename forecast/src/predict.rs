//! A bundle's forecasts along one answer: the same code in serving and in the lab.
//!
//! At each moment the linear heads speak; where the bundle has a chain predictor it speaks too and
//! the two are mixed; then what flickers is averaged within the segment. What decides which theme
//! *came* is not here: that is offset 0 of the boundary heads.

use crate::{
    bundle::Bundle,
    chain::{Outlook, Track},
    chains::{self, Chain},
    conformal,
    linear::RowKind,
    smooth::Smoother,
};

/// The forecasts of one answer as it grows.
#[derive(Debug, Clone)]
pub struct Forecaster {
    track: Option<Track>,
    smoother: Smoother,
}

/// What is forecast at one moment.
#[derive(Debug, Clone)]
pub struct Foresight {
    /// One distribution a segment ahead, 0 being the segment of the token that is about to be
    /// written; *shape* `[horizons + 1][themes]`.
    pub steps: Vec<Vec<f32>>,
    /// The same before averaging.
    pub momentary: Vec<Vec<f32>>,
    kind: RowKind,
    outlook: Option<Outlook>,
}

impl Forecaster {
    /// Before the prompt's end.
    pub fn new(bundle: &Bundle) -> Self {
        Self {
            track: bundle.chain.as_ref().map(Track::new),
            smoother: Smoother::new(bundle.card.calibration.smoothing),
        }
    }

    /// Forecasts at a moment whose raw row of features is `row`. Every moment must be told, in
    /// order; at a boundary the row's history has the segment that ended.
    pub fn forecast(&mut self, bundle: &Bundle, kind: RowKind, row: &[f32]) -> Foresight {
        // At a boundary the segment to come is one offset ahead.
        let first = usize::from(kind == RowKind::Boundary);
        let heads = &bundle.predictor.heads(kind)[first..=first + bundle.card.horizons];
        let linear = heads.iter().map(|head| {
            let mut p = Vec::new();
            head.probabilities(row, &mut p);
            p
        });
        let linear: Vec<Vec<f32>> = linear.collect();
        let outlook = bundle.chain.as_ref().zip(self.track.as_mut());
        let outlook = outlook.map(|(model, track)| track.observe(model, kind, row));
        let momentary = match (&outlook, &bundle.card.chain) {
            (Some(outlook), Some(card)) => {
                let mixes = if first == 1 { &card.boundary } else { &card.mid };
                let mut steps = outlook.steps.clone();
                for ((own, linear), mix) in steps.iter_mut().zip(&linear).zip(mixes) {
                    mix.apply(own, linear);
                }
                steps
            }
            _ => linear,
        };
        let mut steps = momentary.clone();
        self.smoother.apply(first == 1, &mut steps);
        Foresight { steps, momentary, kind, outlook }
    }
}

impl Foresight {
    /// The `most` most probable chains of the next `horizon` segments, with joint probabilities:
    /// of the chain predictor, else the product of each segment's own.
    pub fn chains(&self, bundle: &Bundle, horizon: usize, most: usize) -> Vec<Chain> {
        let horizon = horizon.min(self.steps.len() - 1);
        match (&self.outlook, &bundle.chain) {
            (Some(outlook), Some(model)) => outlook.chains(model, &self.steps[0], horizon, most),
            _ => chains::best(&self.steps[1..=horizon], most),
        }
    }

    /// The joint probability of the chain `themes`, from the segment being written on: the first
    /// one's own, then the chain predictor's conditional ones or each segment's own.
    pub fn joint(&self, bundle: &Bundle, themes: &[usize]) -> f32 {
        let Some(&first) = themes.first() else { return 1.0 };
        let mut p = self.momentary[0][first];
        for place in 1..themes.len() {
            p *= match (&self.outlook, &bundle.chain) {
                (Some(outlook), Some(model)) => {
                    outlook.next(model, &themes[..place])[themes[place]]
                }
                _ => self.momentary[place][themes[place]],
            };
        }
        p
    }

    /// How many themes each conformal set holds, by segments ahead; empty where not calibrated.
    pub fn sets(&self, bundle: &Bundle) -> Vec<usize> {
        let Some(conformal) = &bundle.card.calibration.conformal else { return Vec::new() };
        let thresholds = conformal.of(self.kind).iter();
        let sets = self.steps.iter().zip(thresholds);
        sets.map(|(p, &threshold)| conformal::set_size(p, threshold)).collect()
    }
}
