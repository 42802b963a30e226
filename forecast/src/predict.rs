//! A bundle's forecasts along one answer: the same code in serving and in the lab.
//!
//! Every predictor is a [`Predictor`]: heads over the row of features (fitted by gradients or in
//! closed form, over activations, text or both) and the chain. At each moment each of them gives
//! its opinion; two opinions are mixed; then what flickers is averaged within the segment. How far
//! opinions are apart, these two or those of the heads' [`ensemble`](crate::ensemble), is what was
//! not learnt. What decides which theme *came* is not here: that is offset 0 of the boundary heads.

use crate::{
    bundle::{Bundle, Place},
    chain::{Outlook, Track},
    chains::Course,
    conformal,
    ensemble::disagreement_nats,
    linear::{Affine, LinearPredictor, RowKind, temper},
    smooth::Smoother,
};

/// What forecasts along one answer: asked at every moment, in order.
pub trait Predictor: Send + std::fmt::Debug {
    /// Its opinion at a moment whose raw row of features is `row`; at a boundary the row's history
    /// has the segment that ended.
    fn forecast(&mut self, bundle: &Bundle, kind: RowKind, row: &[f32]) -> Opinion;
}

/// What one predictor says at one moment.
#[derive(Debug, Clone)]
pub struct Opinion {
    /// One distribution a segment ahead, 0 being the segment of the token that is about to be
    /// written; *shape* `[horizons + 1][themes]`.
    pub steps: Vec<Vec<f32>>,
    /// From where chains go on, of a predictor that conditions each theme on those before it.
    pub outlook: Option<Outlook>,
}

/// The heads of a bundle: each moment on its own.
#[derive(Debug, Clone, Copy)]
struct Heads;

impl Predictor for Heads {
    fn forecast(&mut self, bundle: &Bundle, kind: RowKind, row: &[f32]) -> Opinion {
        Opinion { steps: steps(&bundle.predictor, bundle, kind, row), outlook: None }
    }
}

/// What the heads `of` a bundle say; *shape* `[horizons + 1][themes]`.
fn steps(of: &LinearPredictor, bundle: &Bundle, kind: RowKind, row: &[f32]) -> Vec<Vec<f32>> {
    // At a boundary the segment to come is one offset ahead.
    let first = usize::from(kind == RowKind::Boundary);
    let heads = &of.heads(kind)[first..=first + bundle.card.horizons];
    let one = |head: &Affine| {
        let mut p = Vec::new();
        head.probabilities(row, &mut p);
        p
    };
    heads.iter().map(one).collect()
}

/// How far the members of a bundle's ensemble are apart, by segments ahead; empty where it has none.
fn apart(bundle: &Bundle, kind: RowKind, row: &[f32]) -> Vec<f32> {
    if bundle.ensemble.is_empty() {
        return Vec::new();
    }
    let of = |member: &LinearPredictor| steps(member, bundle, kind, row);
    let members: Vec<Vec<Vec<f32>>> = bundle.ensemble.iter().map(of).collect();
    let at = |ahead: usize| -> f32 {
        let opinions: Vec<&[f32]> = members.iter().map(|steps| &steps[ahead][..]).collect();
        disagreement_nats(&opinions)
    };
    (0..=bundle.card.horizons).map(at).collect()
}

impl Predictor for Track {
    fn forecast(&mut self, bundle: &Bundle, kind: RowKind, row: &[f32]) -> Opinion {
        let outlook = bundle.chain.as_ref().map(|model| self.observe(model, kind, row));
        let steps = outlook.as_ref().map_or_else(Vec::new, |outlook| outlook.steps.clone());
        Opinion { steps, outlook }
    }
}

/// The forecasts of one answer as it grows.
#[derive(Debug)]
pub struct Forecaster {
    heads: Box<dyn Predictor>,
    chain: Option<Box<dyn Predictor>>,
    smoother: Smoother,
    begun: bool,
}

/// What is forecast at one moment.
#[derive(Debug, Clone)]
pub struct Foresight {
    /// One distribution a segment ahead, 0 being the segment of the token that is about to be
    /// written; *shape* `[horizons + 1][themes]`.
    pub steps: Vec<Vec<f32>>,
    /// The same before averaging and the temperatures that follow it.
    pub momentary: Vec<Vec<f32>>,
    /// How far opinions are apart on each of them, in nats: of the chain and the heads, else of the
    /// ensemble's members; empty where there are neither. See [`disagreement_nats`].
    pub disagreement_nats: Vec<f32>,
    place: Place,
    outlook: Option<Outlook>,
}

impl Forecaster {
    /// Before the prompt's end.
    pub fn new(bundle: &Bundle) -> Self {
        let chain = bundle.chain.as_ref();
        let calibration = &bundle.card.calibration;
        let now = calibration.smoothing_now.unwrap_or(calibration.smoothing);
        Self {
            heads: Box::new(Heads),
            chain: chain.map(|model| -> Box<dyn Predictor> { Box::new(Track::new(model)) }),
            smoother: Smoother::new(now, calibration.smoothing),
            begun: false,
        }
    }

    /// Forecasts at a moment whose raw row of features is `row`. Every moment must be told, in
    /// order; at a boundary the row's history has the segment that ended.
    pub fn forecast(&mut self, bundle: &Bundle, kind: RowKind, row: &[f32]) -> Foresight {
        let heads = self.heads.forecast(bundle, kind, row);
        let chain = self.chain.as_mut().map(|chain| chain.forecast(bundle, kind, row));
        let (momentary, disagreement_nats, outlook) = match (chain, &bundle.card.chain) {
            (Some(chain), Some(card)) => {
                let mixes = if kind == RowKind::Boundary { &card.boundary } else { &card.mid };
                let pairs = || chain.steps.iter().zip(&heads.steps);
                let apart =
                    pairs().map(|(own, linear)| disagreement_nats(&[own, linear])).collect();
                let mixed = pairs().zip(mixes).map(|((own, linear), mix)| {
                    let mut own = own.clone();
                    mix.apply(&mut own, linear);
                    own
                });
                (mixed.collect(), apart, chain.outlook)
            }
            _ => (heads.steps, apart(bundle, kind, row), None),
        };
        let mut steps: Vec<Vec<f32>> = momentary;
        let momentary = steps.clone();
        self.smoother.apply(kind == RowKind::Boundary, &mut steps);
        let place = Place::new(kind, !std::mem::replace(&mut self.begun, true));
        if let Some(served) = &bundle.card.calibration.served {
            let temperatures = served.of(place).iter();
            steps.iter_mut().zip(temperatures).for_each(|(p, &temperature)| temper(p, temperature));
        }
        Foresight { steps, momentary, disagreement_nats, place, outlook }
    }
}

impl Foresight {
    /// How themes follow each other from here on.
    pub fn course<'a>(&'a self, bundle: &'a Bundle) -> Course<'a> {
        let link = bundle.link.as_ref();
        Course {
            steps: &self.steps,
            chain: bundle.chain.as_ref().zip(self.outlook.as_ref()),
            link: link.map(|link| (link, link.card.at(self.place))),
        }
    }

    /// Where in the answer it was made.
    pub fn place(&self) -> Place {
        self.place
    }

    /// How many themes each conformal set holds, by segments ahead; empty where not calibrated.
    pub fn sets(&self, bundle: &Bundle) -> Vec<usize> {
        let Some(conformal) = &bundle.card.calibration.conformal else { return Vec::new() };
        let thresholds = conformal.thresholds.of(self.place).iter();
        let sets = self.steps.iter().zip(thresholds);
        sets.map(|(p, &threshold)| conformal::set_size(p, threshold)).collect()
    }
}
