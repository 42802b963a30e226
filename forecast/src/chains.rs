//! The most probable chains of themes over the horizon.

/// A chain of themes (their indices) and its joint probability.
#[derive(Debug, Clone, PartialEq)]
pub struct Chain {
    /// One theme a segment ahead.
    pub themes: Vec<usize>,
    /// The joint probability.
    pub p: f32,
}

/// The `most` best chains under `steps`, one distribution a segment ahead.
///
/// The linear predictor knows only each segment's own distribution, so a chain's probability is
/// the product: the themes of different segments are taken as independent.
pub fn best(steps: &[Vec<f32>], most: usize) -> Vec<Chain> {
    if most == 0 || steps.is_empty() {
        return Vec::new();
    }
    let mut beam = vec![Chain { themes: Vec::new(), p: 1.0 }];
    for step in steps {
        let mut order: Vec<usize> = (0..step.len()).collect();
        order.sort_unstable_by(|&a, &b| step[b].total_cmp(&step[a]));
        // A product's `most` best begin with one of the `most` best and go on with one of them.
        order.truncate(most);
        let longer = |chain: &Chain, theme: usize| Chain {
            themes: chain.themes.iter().copied().chain([theme]).collect(),
            p: chain.p * step[theme],
        };
        let mut next: Vec<Chain> =
            beam.iter().flat_map(|chain| order.iter().map(|&theme| longer(chain, theme))).collect();
        next.sort_by(|a, b| b.p.total_cmp(&a.p));
        next.truncate(most);
        beam = next;
    }
    beam
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beam_finds_what_looking_at_all_chains_finds() {
        let p = [0.31f32, 0.02, 0.22, 0.17, 0.28];
        let steps: Vec<Vec<f32>> =
            (0..3).map(|turn| (0..5).map(|theme| p[(theme * 3 + turn) % 5]).collect()).collect();
        let mut all: Vec<f32> = (0..125)
            .map(|n: usize| steps[0][n / 25] * steps[1][n / 5 % 5] * steps[2][n % 5])
            .collect();
        all.sort_by(|a, b| b.total_cmp(a));
        for most in [1, 3, 16] {
            let found: Vec<f32> = best(&steps, most).iter().map(|chain| chain.p).collect();
            assert!(found.iter().zip(&all).all(|(a, b)| (a - b).abs() < 1e-6), "{most}");
            assert_eq!(found.len(), most);
        }
    }

    #[test]
    fn the_best_chains_come_first() {
        let steps = [vec![0.7, 0.3], vec![0.4, 0.6]];
        let chains = best(&steps, 3);
        let themes: Vec<&[usize]> = chains.iter().map(|chain| &chain.themes[..]).collect();
        assert_eq!(themes, [&[0, 1][..], &[0, 0], &[1, 1]]);
        assert!((chains[0].p - 0.42).abs() < 1e-6);
        assert!(best(&steps, 0).is_empty());
        assert!(best(&[], 3).is_empty());
        assert_eq!(best(&steps, 99).iter().map(|chain| chain.p).sum::<f32>(), 1.0);
    }
}
