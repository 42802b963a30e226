//! How far two distributions of themes are apart, and how far chance would put them.

use super::counts::Counts;
use rand_xoshiro::{
    Xoshiro256PlusPlus,
    rand_core::{RngCore, SeedableRng},
};
use serde::{Deserialize, Serialize};
use themecast_forecast::divergence::jensen_shannon;

/// The distance of both sides' themes, beside that of sides that were mixed up.
///
/// *Source* a permutation test that swaps the sides of whole prompts (Good 2005, *Permutation,
/// Parametric, and Bootstrap Tests of Hypotheses*).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Apart {
    /// The Jensen–Shannon divergence, base 2: 0 where both are alike, 1 where they share no theme.
    pub divergence: f64,
    /// Its mean where each prompt's sides were swapped at random.
    pub by_chance: f64,
    /// How often that is no smaller: the p-value of both being alike.
    pub p: f64,
}

impl Apart {
    /// Measures with as many swaps as `swaps`; `None` where a side has nothing.
    pub(super) fn measure(counts: &Counts, swaps: usize, seed: u64) -> Option<Self> {
        let divergence = |swapped: &dyn Fn(usize) -> bool| {
            let [a, b] = counts.shares(swapped)?;
            Some(f64::from(jensen_shannon(&a, &b)))
        };
        let found = divergence(&|_| false)?;
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut swapped = || {
            let coins: Vec<bool> =
                (0..counts.prompts()).map(|_| random.next_u64() >> 63 == 1).collect();
            divergence(&|prompt| coins[prompt])
        };
        let chance: Vec<f64> = (0..swaps).filter_map(|_| swapped()).collect();
        let no_smaller = chance.iter().filter(|&&one| one >= found).count();
        Some(Self {
            divergence: found,
            by_chance: chance.iter().sum::<f64>() / chance.len().max(1) as f64,
            p: (1 + no_smaller) as f64 / (1 + chance.len()) as f64,
        })
    }
}
