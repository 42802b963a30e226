//! The heads fitted again, each time on prompts that the other times did not see.
//!
//! They forecast nothing that is told. How far they are apart is the part of the uncertainty that is
//! not in the answer but in what was learnt: what other training prompts would have changed. Each
//! member is a whole predictor, so that it is stored and asked as the bundle's own heads are.

use crate::divergence::entropy_nats;

/// How many members an ensemble may have at most.
pub const MOST_MEMBERS: usize = 16;

/// Whether an ensemble may have so many members: none, or two and more, since one is never apart.
pub(crate) fn may_have(members: usize) -> bool {
    members != 1 && members <= MOST_MEMBERS
}

/// How far `opinions`, *shape* `[members][themes]`, are apart: what the entropy of their mean has
/// beyond their own, 0 to ln `members` nats; 0 where there are none.
///
/// It is the mutual information between the theme and which member is asked. *Source*: Houlsby et
/// al. 2011 (Bayesian active learning by disagreement).
///
/// # Panics
/// Where one is shorter than the first.
pub fn disagreement_nats(opinions: &[&[f32]]) -> f32 {
    let Some(themes) = opinions.first().map(|p| p.len()) else { return 0.0 };
    let share = 1.0 / opinions.len() as f32;
    let mean = |theme: usize| opinions.iter().map(|p| p[theme]).sum::<f32>() * share;
    let mean: Vec<f32> = (0..themes).map(mean).collect();
    let own = opinions.iter().map(|p| entropy_nats(p)).sum::<f32>() * share;
    (entropy_nats(&mean) - own).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_that_agree_leave_nothing_unknown_and_opposites_leave_ln_2() {
        assert!(disagreement_nats(&[&[0.3, 0.7], &[0.3, 0.7]]) < 1e-6);
        let opposite = disagreement_nats(&[&[1.0, 0.0], &[0.0, 1.0]]);
        assert!((opposite - std::f32::consts::LN_2).abs() < 1e-6);
        let three = disagreement_nats(&[&[1.0, 0.0, 0.0], &[0.0, 1.0, 0.0], &[0.0, 0.0, 1.0]]);
        assert!((three - 3f32.ln()).abs() < 1e-6);
        assert_eq!(disagreement_nats(&[]), 0.0);
    }
}
