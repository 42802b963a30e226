//! Several segments at once: how distributions of single segments become those of chains of themes.
//!
//! A [`Foresight`](crate::predict::Foresight) has a distribution for each segment by itself; its
//! [`Course`] says which theme comes after which. `link` ties a segment to the one before it, `beam`
//! follows the likeliest chains, `comes` asks whether a theme is among those to come. The transformer
//! that conditions each theme on all before it, and its outlook, live in [`crate::chain`].

mod beam;
mod comes;
mod link;

pub(crate) use link::PREFIX;
pub use link::{Link, LinkCard, Strength};

use crate::chain::{ChainModel, Outlook};
use beam::Beam;

/// A chain of themes (their indices) and its joint probability.
#[derive(Debug, Clone, PartialEq)]
pub struct Chain {
    /// One theme a segment ahead.
    pub themes: Vec<usize>,
    /// The joint probability.
    pub p: f32,
}

/// How themes follow each other from one moment on: by the chain predictor, by links between the
/// distributions of single segments, by a mean of both in log space; where there is neither, segments
/// are independent.
#[derive(Debug, Clone, Copy)]
pub struct Course<'a> {
    /// One distribution a segment ahead, 0 being the segment of the token that is about to be
    /// written; *shape* `[horizons + 1][themes]`.
    pub steps: &'a [Vec<f32>],
    /// The chain predictor and what it says at that moment.
    pub chain: Option<(&'a ChainModel, &'a Outlook)>,
    /// How segments are linked, and how strongly at that moment, *shape* `[horizons]`.
    pub link: Option<(&'a Link, &'a [Strength])>,
}

impl Course<'_> {
    /// `p(zk+1 | z0 … zk)` for each `k` of the `themes` `z0 …`, *shape* `[themes.len()][themes]`.
    ///
    /// # Panics
    /// Where there are more themes than horizons, or one is none of the catalogue's.
    pub fn following(&self, themes: &[usize]) -> Vec<Vec<f32>> {
        let mut beam = [self.begin(Vec::new(), 1.0)];
        let step = |(step, &theme): (usize, &usize)| {
            beam[0].themes.push(theme);
            self.after(step, &mut beam).remove(0)
        };
        themes.iter().enumerate().map(step).collect()
    }

    /// The joint probability of the chain `themes`, from the segment being written on.
    ///
    /// # Panics
    /// Where it is longer than `steps`, or a theme is none of the catalogue's.
    pub fn joint(&self, themes: &[usize]) -> f32 {
        let Some((&first, rest)) = themes.split_first() else { return 1.0 };
        let following = self.following(&themes[..rest.len()]);
        let rest = following.iter().zip(rest).map(|(p, &theme)| p[theme]);
        self.steps[0][first] * rest.product::<f32>()
    }

    /// A chain that begins with `themes`, of which the chain predictor has seen none.
    fn begin(&self, themes: Vec<usize>, p: f32) -> Beam {
        let tail = self.chain.map(|(_, outlook)| outlook.tail());
        Beam { themes, p, tail: tail.unwrap_or_default() }
    }

    /// The distributions of what comes after the last theme of each of `beams`, the `step`-th from the
    /// segment being written on; *shape* `[beams][themes]`.
    fn after(&self, step: usize, beams: &mut [Beam]) -> Vec<Vec<f32>> {
        let single = &self.steps[step + 1];
        let last: Vec<usize> = beams.iter().map(Beam::last).collect();
        let told = self.chain.map(|(model, outlook)| {
            let tails = beams.iter_mut().map(|beam| &mut beam.tail);
            outlook.after(model, step, last.iter().copied().zip(tails))
        });
        match (told, self.link) {
            (None, None) => vec![single.clone(); last.len()],
            (Some(told), None) => told,
            (told, Some((link, strengths))) => {
                let strength = strengths[step];
                let told = |beam: usize| told.as_ref().map(|told| &told[beam][..]);
                let linked = |(beam, &theme)| link.after(theme, single, strength, told(beam));
                last.iter().enumerate().map(linked).collect()
            }
        }
    }
}
