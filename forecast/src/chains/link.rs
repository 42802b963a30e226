//! How much likelier a theme makes each of those after it than they are in general: what ties
//! distributions of single segments together.

use crate::{
    bundle::{BundleError, Place},
    linear::softmax,
};
use serde::{Deserialize, Serialize};

/// How the names of its tensors start.
pub(crate) const PREFIX: &str = "link.";
const RATIOS: &str = "link.ratios";

/// The highest power of the ratios.
const MOST_POWER: f32 = 4.0;

/// How far from 0 the logarithm of a ratio may be.
const MOST_RATIO: f32 = 40.0;

/// What keeps logarithms finite.
const LEAST: f32 = 1e-9;

/// What the card says of the links.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinkCard {
    /// Where a segment begins, the prompt's end included: of each of the coming segments to the one
    /// before it, *shape* `[horizons]`. The first is the one after the segment being written.
    pub boundary: Vec<Strength>,
    /// Within a segment, likewise.
    pub mid: Vec<Strength>,
}

/// How strongly segments are linked.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Strength {
    /// Of how much likelier a theme makes the next: 0 leaves the segments independent, 1 takes the
    /// whole ratio, part of which what is known of each segment tells already.
    pub power: f32,
    /// The share in log space of what the chain predictor says comes next, 0 to 1; of no use where
    /// there is none.
    pub chain: f32,
}

impl LinkCard {
    /// How strong they are at `place`, *shape* `[horizons]`.
    pub fn at(&self, place: Place) -> &[Strength] {
        if place == Place::Mid { &self.mid } else { &self.boundary }
    }

    /// Whether there is a strength that can be for each of the `horizons`.
    ///
    /// # Errors
    /// [`BundleError::Value`] where not.
    pub(crate) fn check(&self, horizons: usize) -> Result<(), BundleError> {
        let can_be = |one: &Strength| {
            (0.0..=MOST_POWER).contains(&one.power) && (0.0..=1.0).contains(&one.chain)
        };
        let all = [&self.boundary, &self.mid];
        match all.iter().all(|at| at.len() == horizons && at.iter().all(can_be)) {
            true => Ok(()),
            false => Err(BundleError::Value(format!(
                "link: want {horizons} powers of 0 to {MOST_POWER} and shares of the chain of 0 to 1 \
                 a place"
            ))),
        }
    }
}

/// Links between the segments of a chain.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// How strong they are.
    pub card: LinkCard,
    /// `ln(P(next | theme) / P(next))` counted on the training split, *shape* `[themes, themes]`.
    pub ratios: Vec<f32>,
}

impl Link {
    /// The distribution of what comes after `theme`: `single`, that of the next segment by itself,
    /// times the ratios to their power, averaged in log space with what the chain predictor `told`;
    /// all of *shape* `[themes]`.
    ///
    /// # Panics
    /// Where `theme` is none of the catalogue's.
    pub fn after(
        &self,
        theme: usize,
        single: &[f32],
        strength: Strength,
        told: Option<&[f32]>,
    ) -> Vec<f32> {
        let log = |p: f32| p.max(LEAST).ln();
        let ratios = &self.ratios[theme * single.len()..];
        let linked = single.iter().zip(ratios).map(|(&p, ratio)| log(p) + strength.power * ratio);
        let mut p: Vec<f32> = linked.collect();
        for (linked, &told) in p.iter_mut().zip(told.unwrap_or_default()) {
            *linked = (1.0 - strength.chain) * *linked + strength.chain * log(told);
        }
        softmax(&mut p);
        p
    }

    /// Reads the links that `card` describes; `tensor` gives the values of a name and a shape.
    ///
    /// # Errors
    /// What `tensor` says; [`BundleError::Value`] for ratios that can't be.
    pub(crate) fn read(
        card: &LinkCard,
        themes: usize,
        tensor: impl Fn(String, &[usize]) -> Result<Vec<f32>, BundleError>,
    ) -> Result<Self, BundleError> {
        let ratios = tensor(RATIOS.to_owned(), &[themes, themes])?;
        match ratios.iter().all(|ratio| ratio.abs() <= MOST_RATIO) {
            true => Ok(Self { card: card.clone(), ratios }),
            false => Err(BundleError::Value(format!(
                "link: want logarithms of ratios between -{MOST_RATIO} and {MOST_RATIO}"
            ))),
        }
    }

    /// Its tensor: name, shape, values.
    pub(crate) fn write(&self, themes: usize) -> (String, Vec<usize>, &[f32]) {
        (RATIOS.to_owned(), vec![themes, themes], &self.ratios)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(p: &[f32], wanted: &[f32]) {
        assert!(p.iter().zip(wanted).all(|(p, wanted)| (p - wanted).abs() < 1e-5), "{p:?}");
    }

    fn one(power: f32, chain: f32) -> Strength {
        Strength { power, chain }
    }

    #[test]
    fn what_follows_is_likelier_by_the_ratio_to_its_power() {
        let card = LinkCard { boundary: vec![one(1.0, 0.0)], mid: vec![one(0.0, 0.0)] };
        let link = Link { card, ratios: [4f32, 1.0, 1.0, 1.0].map(f32::ln).to_vec() };
        let single = [0.5, 0.5];
        let after = |theme, strength, told| link.after(theme, &single, strength, told);
        near(&after(0, one(1.0, 0.0), None), &[0.8, 0.2]);
        near(&after(0, one(0.5, 0.0), None), &[2.0 / 3.0, 1.0 / 3.0]);
        near(&after(0, one(0.0, 0.0), None), &single);
        near(&after(1, one(1.0, 0.0), None), &single);
        // A chain that is as sure of the other one leaves both alike at half the share.
        near(&after(0, one(1.0, 0.5), Some(&[0.2, 0.8])), &[0.5, 0.5]);
        near(&after(0, one(1.0, 1.0), Some(&[0.1, 0.9])), &[0.1, 0.9]);
        assert_eq!(link.card.at(Place::PromptEnd)[0].power, 1.0);
        assert_eq!(link.card.at(Place::Mid)[0].power, 0.0);
    }

    #[test]
    fn links_that_cannot_be_are_refused() {
        let card = |of: Strength| LinkCard { boundary: vec![of], mid: vec![of] };
        assert!(card(one(0.3, 0.5)).check(1).is_ok());
        assert!(card(one(0.3, 0.5)).check(2).is_err(), "one for each horizon");
        for (power, chain) in [(-0.1, 0.5), (5.0, 0.5), (0.3, 1.1), (f32::NAN, 0.5)] {
            assert!(card(one(power, chain)).check(1).is_err(), "{power}, {chain}");
        }
        let with = |ratio| Link::read(&card(one(1.0, 0.0)), 1, |_, _| Ok(vec![ratio]));
        assert!(with(-3.0).is_ok() && with(1e30).is_err());
    }
}
