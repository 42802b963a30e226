//! Reproducible sampling: the same seed draws the same tokens in any process, shard or order.

use rand::{Rng, SeedableRng, rngs::StdRng};

/// Temperature sampling from a seed.
///
/// The Gumbel-max trick: adding standard Gumbel noise to `logits / temperature` and taking the
/// largest is a draw from the softmax. The noise of each position has its own seed, so a draw does
/// not depend on what was drawn elsewhere. *Source*: Gumbel 1954; Maddison et al. 2014, "A*
/// Sampling", section 2.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeededSampling {
    /// The seed of the whole answer.
    pub seed: u64,
    /// The temperature; 0 takes the most likely token.
    pub temperature: f32,
}

impl SeededSampling {
    /// Perturbs `logits` (*shape* `[vocabulary]`) so that the largest is the token drawn at
    /// `position`.
    pub fn perturb(&self, logits: &mut [f32], position: usize) {
        if self.temperature <= 0.0 {
            return;
        }
        let mut noise = StdRng::seed_from_u64(mix(self.seed, position as u64));
        for logit in logits {
            let uniform: f32 = noise.random_range(f32::MIN_POSITIVE..1.0);
            *logit = *logit / self.temperature - (-uniform.ln()).ln();
        }
    }
}

/// SplitMix64 over both numbers. *Source*: Steele, Lea & Flood 2014.
pub(crate) fn mix(seed: u64, stream: u64) -> u64 {
    let mut z = seed ^ stream.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(seed: u64, position: usize) -> usize {
        let mut logits = [0.7f32.ln(), 0.2f32.ln(), 0.1f32.ln()];
        SeededSampling { seed, temperature: 1.0 }.perturb(&mut logits, position);
        (0..3).max_by(|&a, &b| logits[a].total_cmp(&logits[b])).unwrap()
    }

    #[test]
    fn draws_follow_the_distribution_and_repeat() {
        let draws: Vec<usize> = (0..20_000).map(|seed| draw(seed, 5)).collect();
        for (token, p) in [(0, 0.7), (1, 0.2), (2, 0.1)] {
            let share = draws.iter().filter(|d| **d == token).count() as f64 / 20_000.0;
            assert!((share - p).abs() < 0.015, "token {token}: {share} against {p}");
        }
        assert!((0..50).all(|seed| draw(seed, 9) == draw(seed, 9)));
    }
}
