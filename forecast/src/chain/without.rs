//! How likely none of some themes comes: a beam over the chains that do without them.

use super::{
    ChainModel,
    track::{Beam, Outlook, best},
};

/// How many chains are followed.
const BEAMS: usize = 8;

impl Outlook {
    /// The probability that none of `themes` comes in `z1 … zhorizon`, `now` being the distribution
    /// of `z0`; all of `now` may be scaled by one factor.
    ///
    /// Each step's probability of doing without is averaged over the beams, by their weights: it is
    /// exact as long as the beams hold all chains without the themes, near where they hold most.
    pub fn without(
        &self,
        model: &ChainModel,
        now: &[f32],
        horizon: usize,
        themes: &[usize],
    ) -> f32 {
        let start = |theme| Beam::new(theme, now[theme], &self.present);
        let mut beams: Vec<Beam> = best(now, BEAMS).into_iter().map(start).collect();
        let mut without = 1.0;
        for step in 0..horizon {
            let mut next = self.emit(model, step, &mut beams);
            for p in &mut next {
                themes.iter().for_each(|&theme| p[theme] = 0.0);
            }
            let weight: f32 = beams.iter().map(|beam| beam.p).sum();
            let kept = beams.iter().zip(&next).map(|(beam, p)| beam.p * p.iter().sum::<f32>());
            without *= kept.sum::<f32>() / weight.max(f32::MIN_POSITIVE);
            beams = Beam::grown(&beams, &next, BEAMS);
        }
        without
    }
}
