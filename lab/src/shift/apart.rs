//! How far two distributions of themes are apart, and how far chance would put them.

use super::counts::Counts;
use rand_xoshiro::{
    Xoshiro256PlusPlus,
    rand_core::{RngCore, SeedableRng},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use themecast_forecast::divergence::jensen_shannon;

/// The distance of both sides' themes, beside that of sides that were mixed up.
///
/// *Source* a permutation test within blocks: the answers to each prompt are dealt to both sides
/// anew, as many to each as it had (Good 2005, *Permutation, Parametric, and Bootstrap Tests of
/// Hypotheses*).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Apart {
    /// The Jensen–Shannon divergence, base 2: 0 where both are alike, 1 where they share no theme.
    pub divergence: f64,
    /// Its mean where each prompt's answers were dealt at random.
    pub by_chance: f64,
    /// How often that is no smaller: the p-value of both being alike.
    pub p: f64,
}

impl Apart {
    /// Measures with so many `deals`; `None` where a side has nothing.
    pub(super) fn measure(counts: &Counts, deals: usize, seed: u64) -> Option<Self> {
        let divergence = |[a, b]: [Vec<f32>; 2]| f64::from(jensen_shannon(&a, &b));
        let found = divergence(counts.shares()?);
        let mut sides: Vec<usize> = counts.rows().iter().map(|row| row.side).collect();
        let mut prompts: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (place, row) in counts.rows().iter().enumerate() {
            prompts.entry(row.prompt).or_default().push(place);
        }
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut dealt = || {
            for places in prompts.values() {
                // Fisher and Yates.
                for last in (1..places.len()).rev() {
                    let other = (random.next_u64() % (last as u64 + 1)) as usize;
                    sides.swap(places[last], places[other]);
                }
            }
            counts.shares_of(sides.iter().copied()).map(divergence)
        };
        let chance: Vec<f64> = (0..deals).filter_map(|_| dealt()).collect();
        let no_smaller = chance.iter().filter(|&&one| one >= found).count();
        Some(Self {
            divergence: found,
            by_chance: chance.iter().sum::<f64>() / chance.len().max(1) as f64,
            p: (1 + no_smaller) as f64 / (1 + chance.len()) as f64,
        })
    }
}
