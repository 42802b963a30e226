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
    chains::{self, Chain},
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
    /// The `most` most probable chains of the next `horizon` segments, with joint probabilities:
    /// of the chain predictor, else the product of each segment's own.
    pub fn chains(&self, bundle: &Bundle, horizon: usize, most: usize) -> Vec<Chain> {
        let horizon = horizon.min(self.steps.len() - 1);
        match (&self.outlook, &bundle.chain) {
            (Some(outlook), Some(model)) if horizon > 0 => {
                outlook.chains(model, (&self.steps[0], &self.steps[1]), horizon, most)
            }
            _ => chains::best(&self.steps[1..=horizon], most),
        }
    }

    /// The probability that one of `themes` comes within the horizon: in the segments after the one
    /// being written, and in that one where it only `begins`. By the chain predictor, which knows
    /// that themes persist, else as if segments were independent.
    pub fn comes(&self, bundle: &Bundle, themes: &[usize], begins: bool) -> f32 {
        let without = |p: &[f32]| {
            let share = themes.iter().filter_map(|&theme| p.get(theme)).sum::<f32>();
            (1.0 - share).max(0.0)
        };
        let Some((now, after)) = self.steps.split_first() else { return 0.0 };
        let mut now = now.clone();
        let first = if begins { without(&now) } else { 1.0 };
        if begins {
            themes.iter().for_each(|&theme| now[theme] = 0.0);
        }
        let rest = match (&self.outlook, &bundle.chain) {
            (Some(outlook), Some(model)) => outlook.without(model, &now, after.len(), themes),
            _ => after.iter().map(|p| without(p)).product(),
        };
        (1.0 - first * rest).clamp(0.0, 1.0)
    }

    /// The joint probability of the chain `themes`, from the segment being written on: the first
    /// one's own, then the chain predictor's conditional ones or each segment's own.
    pub fn joint(&self, bundle: &Bundle, themes: &[usize]) -> f32 {
        themes.first().map_or(1.0, |&first| self.momentary[0][first] * self.after(bundle, themes))
    }

    /// [`joint`](Self::joint) by the chain predictor alone, the linear heads left out; nothing in a
    /// bundle without one.
    pub fn joint_of_chain(&self, bundle: &Bundle, themes: &[usize]) -> Option<f32> {
        let (outlook, &first) = self.outlook.as_ref().zip(themes.first())?;
        Some(outlook.steps[0][first] * self.after(bundle, themes))
    }

    /// The chain predictor's distribution of the theme after `themes`, which follow each other from the
    /// segment being written on; nothing in a bundle without one.
    pub fn following(&self, bundle: &Bundle, themes: &[usize]) -> Option<Vec<f32>> {
        let (outlook, model) = self.outlook.as_ref().zip(bundle.chain.as_ref())?;
        Some(outlook.next(model, themes))
    }

    /// The probability of the rest of `themes` once the first has come.
    fn after(&self, bundle: &Bundle, themes: &[usize]) -> f32 {
        let step = |place: usize| {
            let following = self.following(bundle, &themes[..place]);
            following.as_ref().unwrap_or(&self.momentary[place])[themes[place]]
        };
        (1..themes.len()).map(step).product()
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
