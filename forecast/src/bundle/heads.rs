//! How linear heads lie in the weights: for each set and offset a matrix and a bias.

use super::{
    BundleError, Temperatures,
    tensors::{Tensor, full, halves, to_full, to_halves},
};
use crate::{
    features::FeatureLayout,
    linear::{Affine, LinearPredictor, RowKind},
};
use safetensors::SafeTensors;

/// How precise the matrices are; biases are always in single precision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Precision {
    Single,
    Half,
}

/// Reads the heads whose names start with `prefix`.
///
/// # Errors
/// [`BundleError::Tensor`] for the first tensor that does not fit.
pub(crate) fn read(
    tensors: &SafeTensors<'_>,
    (prefix, precision): (&str, Precision),
    layout: FeatureLayout,
    temperatures: &Temperatures,
) -> Result<LinearPredictor, BundleError> {
    let matrix = if precision == Precision::Half { halves } else { full };
    let set = |set: &str, temperatures: &[f32]| {
        let head = |(offset, temperature): (usize, &f32)| {
            let name = |part: &str| format!("{prefix}{set}.{offset}.{part}");
            Ok::<_, BundleError>(Affine {
                weight: matrix(tensors, name("weight"), &[layout.themes, layout.len()])?,
                bias: full(tensors, name("bias"), &[layout.themes])?,
                temperature: *temperature,
            })
        };
        temperatures.iter().enumerate().map(head).collect::<Result<Vec<_>, _>>()
    };
    let (boundary, mid) =
        (set("boundary", &temperatures.boundary)?, set("mid", &temperatures.mid)?);
    Ok(LinearPredictor::new(boundary, mid, layout.themes, layout.len())?)
}

/// The tensors of `heads`.
pub(crate) fn write(
    heads: &LinearPredictor,
    (prefix, precision): (&str, Precision),
    layout: FeatureLayout,
) -> Vec<Tensor> {
    let matrix = if precision == Precision::Half { to_halves } else { to_full };
    let mut out = Vec::new();
    for (set, kind) in [("boundary", RowKind::Boundary), ("mid", RowKind::Mid)] {
        for (offset, head) in heads.heads(kind).iter().enumerate() {
            let name = |part: &str| format!("{prefix}{set}.{offset}.{part}");
            let shape = vec![layout.themes, layout.len()];
            out.push(matrix(name("weight"), shape, &head.weight));
            out.push(to_full(name("bias"), vec![layout.themes], &head.bias));
        }
    }
    out
}
