//! How likely themes come within the horizon: a beam over the chains that do without them.

use super::{Course, beam::Beam};

/// How many chains are followed.
const BEAMS: usize = 8;

impl Course<'_> {
    /// The probability that one of `themes` comes within the horizon: in the segments after the one
    /// being written, and in that one where it only `begins`.
    pub fn comes(&self, themes: &[usize], begins: bool) -> f32 {
        let Some(now) = self.steps.first() else { return 0.0 };
        let mut now = now.clone();
        let mut first = 1.0f32;
        if begins {
            remove(&mut now, themes);
            first = now.iter().sum();
        }
        (1.0 - first * self.without(&now, themes)).clamp(0.0, 1.0)
    }

    /// The probability that none of `themes` comes in `z1 …`, `now` being the distribution of `z0`;
    /// all of `now` may be scaled by one factor.
    ///
    /// Each step's probability of doing without is averaged over the beams, by their weights: it is
    /// exact as long as the beams hold all chains without the themes, and where segments are
    /// independent; near where they hold most.
    pub fn without(&self, now: &[f32], themes: &[usize]) -> f32 {
        let mut beams = self.beams(now, BEAMS);
        let mut without = 1.0;
        for step in 0..self.steps.len().saturating_sub(1) {
            let mut next = self.after(step, &mut beams);
            next.iter_mut().for_each(|p| remove(p, themes));
            let weight: f32 = beams.iter().map(|beam| beam.p).sum();
            let kept = beams.iter().zip(&next).map(|(beam, p)| beam.p * p.iter().sum::<f32>());
            without *= kept.sum::<f32>() / weight.max(f32::MIN_POSITIVE);
            beams = Beam::grown(&beams, &next, BEAMS);
        }
        without
    }
}

/// Takes the probabilities of `themes` out of `p`.
fn remove(p: &mut [f32], themes: &[usize]) {
    for &theme in themes {
        if let Some(p) = p.get_mut(theme) {
            *p = 0.0;
        }
    }
}
