//! A beam over chains of themes.

use super::{Chain, Course};
use crate::chain::Cache;

/// The least number of beams: with fewer, most of what `z0` could be would be lost.
const WIDE: usize = 4;

/// A chain on the way: its themes from `z0` on, its probability, and what the chain predictor keeps of
/// the present moment and of all themes but the last.
pub(super) struct Beam {
    pub(super) themes: Vec<usize>,
    pub(super) p: f32,
    pub(super) tail: Cache,
}

impl Beam {
    /// Its last theme.
    ///
    /// # Panics
    /// Where it has none.
    pub(super) fn last(&self) -> usize {
        self.themes[self.themes.len() - 1]
    }

    /// The `most` best of all that go on by one theme, `next` being what comes after each.
    pub(super) fn grown(beams: &[Self], next: &[Vec<f32>], most: usize) -> Vec<Self> {
        let mut longer: Vec<(f32, usize, usize)> = Vec::with_capacity(beams.len() * most);
        for (number, (beam, p)) in beams.iter().zip(next).enumerate() {
            let best = best(p, most).into_iter();
            longer.extend(best.map(|theme| (beam.p * p[theme], number, theme)));
        }
        longer.sort_by(|a, b| b.0.total_cmp(&a.0));
        longer.truncate(most);
        longer.into_iter().map(|(p, number, theme)| beams[number].and(theme, p)).collect()
    }

    /// The `most` best themes of `first`, with their probabilities there; each goes on from the one
    /// of the beams that makes it likeliest, `next` being what comes after each.
    fn forgetting_present(
        beams: &[Self],
        next: &[Vec<f32>],
        (first, most): (&[f32], usize),
    ) -> Vec<Self> {
        let after = |theme: usize| {
            let joint = beams.iter().zip(next).map(|(beam, p)| beam.p * p[theme]);
            let likeliest = best(&joint.collect::<Vec<f32>>(), 1)[0];
            beams[likeliest].and(theme, first[theme])
        };
        best(first, most).into_iter().map(after).collect()
    }

    /// The chain that goes on by `theme`, with the probability `p`.
    fn and(&self, theme: usize, p: f32) -> Self {
        let themes = self.themes.iter().copied().chain([theme]).collect();
        Self { themes, p, tail: self.tail.clone() }
    }
}

impl Course<'_> {
    /// The `most` best chains of `z1 … zhorizon`, fewer segments where less is forecast; chains that
    /// begin alike share among themselves what `steps` gives their first theme.
    ///
    /// Each `z1` goes on from the `z0` that makes it likeliest: exact where `z0` is known, and where no
    /// chain predictor looks back further than a segment.
    pub fn chains(&self, horizon: usize, most: usize) -> Vec<Chain> {
        let horizon = horizon.min(self.steps.len().saturating_sub(1));
        if most == 0 || horizon == 0 {
            return Vec::new();
        }
        let wide = most.max(WIDE);
        let mut beams = self.beams(&self.steps[0], wide);
        for step in 0..horizon {
            let next = self.after(step, &mut beams);
            beams = if step == 0 {
                Beam::forgetting_present(&beams, &next, (&self.steps[1], wide))
            } else {
                Beam::grown(&beams, &next, wide)
            };
        }
        beams.truncate(most);
        let chain = |beam: Beam| Chain { themes: beam.themes[1..].to_vec(), p: beam.p };
        beams.into_iter().map(chain).collect()
    }

    /// A chain of `z0` alone for the `most` best of `now`.
    pub(super) fn beams(&self, now: &[f32], most: usize) -> Vec<Beam> {
        best(now, most).into_iter().map(|theme| self.begin(vec![theme], now[theme])).collect()
    }
}

/// The places of the `most` largest.
fn best(p: &[f32], most: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_unstable_by(|&a, &b| p[b].total_cmp(&p[a]));
    order.truncate(most);
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn independent(steps: &[Vec<f32>]) -> Course<'_> {
        Course { steps, chain: None, link: None }
    }

    #[test]
    fn the_beam_finds_what_looking_at_all_chains_finds() {
        let p = [0.31f32, 0.02, 0.22, 0.17, 0.28];
        let steps: Vec<Vec<f32>> =
            (0..4).map(|turn| (0..5).map(|theme| p[(theme * 3 + turn) % 5]).collect()).collect();
        let mut all: Vec<f32> = (0..125)
            .map(|n: usize| steps[1][n / 25] * steps[2][n / 5 % 5] * steps[3][n % 5])
            .collect();
        all.sort_by(|a, b| b.total_cmp(a));
        for most in [1, 3, 16] {
            let chains = independent(&steps).chains(3, most);
            let found: Vec<f32> = chains.iter().map(|chain| chain.p).collect();
            assert!(found.iter().zip(&all).all(|(a, b)| (a - b).abs() < 1e-6), "{most}");
            assert_eq!(found.len(), most);
        }
    }

    #[test]
    fn the_best_chains_come_first() {
        let steps = [vec![0.5, 0.5], vec![0.7, 0.3], vec![0.4, 0.6]];
        let chains = independent(&steps).chains(2, 3);
        let themes: Vec<&[usize]> = chains.iter().map(|chain| &chain.themes[..]).collect();
        assert_eq!(themes, [&[0, 1][..], &[0, 0], &[1, 1]]);
        assert!((chains[0].p - 0.42).abs() < 1e-6);
        assert!(independent(&steps).chains(2, 0).is_empty());
        assert!(independent(&steps).chains(0, 3).is_empty());
        assert!(independent(&steps[..1]).chains(2, 3).is_empty(), "nothing is forecast");
        let all = independent(&steps).chains(9, 99);
        assert_eq!((all.len(), all.iter().map(|chain| chain.p).sum::<f32>()), (4, 1.0));
    }
}
