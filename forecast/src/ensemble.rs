//! The heads fitted again, each time on prompts that the other times did not see.
//!
//! They forecast nothing that is told. How far they are apart is the part of the uncertainty that is
//! not in the answer but in what was learnt: what other training prompts would have changed.
//! *Source*: Breiman 1996 (bagging predictors); Lakshminarayanan et al. 2017.

use crate::{
    bundle::{
        BundleError, Card, Temperatures,
        tensors::{Tensor, full, halves, to_full, to_halves},
    },
    divergence::entropy_nats,
    features::FeatureLayout,
    linear::{Affine, LinearPredictor, RowKind},
};
use safetensors::SafeTensors;

/// How the names of its tensors start.
pub(crate) const PREFIX: &str = "ensemble.";

/// What the entropy of the mean of `opinions` has beyond their own, in nats: the mutual information
/// between the theme and which of them is asked; 0 where there are none.
pub fn disagreement_nats(opinions: &[&[f32]]) -> f32 {
    let Some(themes) = opinions.first().map(|p| p.len()) else { return 0.0 };
    let share = 1.0 / opinions.len() as f32;
    let mean = |theme: usize| opinions.iter().map(|p| p[theme]).sum::<f32>() * share;
    let mean: Vec<f32> = (0..themes).map(mean).collect();
    let own = opinions.iter().map(|p| entropy_nats(p)).sum::<f32>() * share;
    (entropy_nats(&mean) - own).max(0.0)
}

/// Reads the members that `card` names.
///
/// # Errors
/// [`BundleError::Tensor`] for the first tensor that does not fit.
pub(crate) fn read(
    tensors: &SafeTensors<'_>,
    card: &Card,
) -> Result<Vec<LinearPredictor>, BundleError> {
    let layout = card.layout();
    let set = |member: usize, set: &str, temperatures: &[f32]| {
        let head = |(offset, temperature): (usize, &f32)| {
            let name = |part: &str| format!("{PREFIX}{member}.{set}.{offset}.{part}");
            Ok::<_, BundleError>(Affine {
                weight: halves(tensors, name("weight"), &[layout.themes, layout.len()])?,
                bias: full(tensors, name("bias"), &[layout.themes])?,
                temperature: *temperature,
            })
        };
        temperatures.iter().enumerate().map(head).collect::<Result<Vec<_>, _>>()
    };
    let member = |(member, of): (usize, &Temperatures)| {
        let (boundary, mid) =
            (set(member, "boundary", &of.boundary)?, set(member, "mid", &of.mid)?);
        Ok(LinearPredictor::new(boundary, mid, layout.themes, layout.len())?)
    };
    card.ensemble.iter().enumerate().map(member).collect()
}

/// The tensors of `members`, matrices in half precision.
pub(crate) fn write(members: &[LinearPredictor], layout: FeatureLayout) -> Vec<Tensor> {
    let mut out = Vec::new();
    for (member, predictor) in members.iter().enumerate() {
        for (set, kind) in [("boundary", RowKind::Boundary), ("mid", RowKind::Mid)] {
            for (offset, head) in predictor.heads(kind).iter().enumerate() {
                let name = |part: &str| format!("{PREFIX}{member}.{set}.{offset}.{part}");
                let shape = vec![layout.themes, layout.len()];
                out.push(to_halves(name("weight"), shape, &head.weight));
                out.push(to_full(name("bias"), vec![layout.themes], &head.bias));
            }
        }
    }
    out
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
