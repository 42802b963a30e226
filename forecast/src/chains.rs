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
    fn the_best_chains_come_first() {
        let steps = [vec![0.7, 0.3], vec![0.4, 0.6]];
        let chains = best(&steps, 3);
        let themes: Vec<&[usize]> = chains.iter().map(|chain| &chain.themes[..]).collect();
        assert_eq!(themes, [&[0, 1][..], &[0, 0], &[1, 1]]);
        assert!((chains[0].p - 0.42).abs() < 1e-6);
        assert!(best(&steps, 0).is_empty());
        assert_eq!(best(&steps, 99).iter().map(|chain| chain.p).sum::<f32>(), 1.0);
    }
}
