//! How the head lies in a bundle's weights: tensors named `open.*`, matrices in half precision.

use super::{Background, INPUTS, OpenCard, OpenHead, OpenSet};
use crate::bundle::BundleError;
use half::f16;
use safetensors::{Dtype, SafeTensors};

/// How the names of the head's tensors start.
pub(crate) const PREFIX: &str = "open.";

/// A tensor as it goes into the weights: name, type, shape, little-endian values.
pub(crate) type Tensor = (String, Dtype, Vec<usize>, Vec<u8>);

/// Reads the head that `card` describes, for rows of `features` features.
///
/// # Errors
/// [`BundleError::Value`] where the card's numbers can't be, [`BundleError::Tensor`] for the first
/// tensor that does not fit.
pub(crate) fn read(
    tensors: &SafeTensors<'_>,
    card: &OpenCard,
    features: usize,
) -> Result<OpenHead, BundleError> {
    check(card)?;
    let (rank, dimension, horizons) = (card.rank, card.dimension, card.horizons);
    let set = |set: &str| {
        let name = |part: &str| format!("{PREFIX}{set}.{part}");
        Ok::<_, BundleError>(OpenSet {
            scaling: full(tensors, name("scaling"), &[2, features])?,
            project: halves(tensors, name("project"), &[rank, features])?,
            expand: halves(tensors, name("expand"), &[horizons, dimension, rank])?,
            bias: full(tensors, name("bias"), &[horizons, dimension])?,
        })
    };
    let segments = Background {
        mean: full(tensors, format!("{PREFIX}segments.mean"), &[dimension])?,
        factor: halves(
            tensors,
            format!("{PREFIX}segments.factor"),
            &[card.background_rank, dimension],
        )?,
    };
    Ok(OpenHead { card: card.clone(), boundary: set("boundary")?, mid: set("mid")?, segments })
}

/// The tensors of `head`.
pub(crate) fn write(head: &OpenHead) -> Vec<Tensor> {
    let card = &head.card;
    let mut out = Vec::new();
    for (set, values) in [("boundary", &head.boundary), ("mid", &head.mid)] {
        let name = |part: &str| format!("{PREFIX}{set}.{part}");
        let features = values.scaling.len() / 2;
        let expand = vec![card.horizons, card.dimension, card.rank];
        out.push(to_full(name("scaling"), vec![2, features], &values.scaling));
        out.push(to_halves(name("project"), vec![card.rank, features], &values.project));
        out.push(to_halves(name("expand"), expand, &values.expand));
        out.push(to_full(name("bias"), vec![card.horizons, card.dimension], &values.bias));
    }
    let name = |part: &str| format!("{PREFIX}segments.{part}");
    let (mean, factor) = (&head.segments.mean, &head.segments.factor);
    out.push(to_full(name("mean"), vec![card.dimension], mean));
    out.push(to_halves(name("factor"), vec![card.background_rank, card.dimension], factor));
    out
}

fn check(card: &OpenCard) -> Result<(), BundleError> {
    let wrong = |message: String| Err(BundleError::Value(format!("open: {message}")));
    let (rank, dimension, horizons) = (card.rank, card.dimension, card.horizons);
    if rank == 0 || dimension == 0 || !(1..=16).contains(&horizons) {
        return wrong(format!("rank {rank}, dimension {dimension}, {horizons} horizons"));
    }
    for weights in [&card.calibration.boundary, &card.calibration.mid] {
        if weights.len() != 1 + INPUTS || !weights.iter().all(|weight| weight.is_finite()) {
            return wrong(format!("a calibration is not {} finite numbers", 1 + INPUTS));
        }
    }
    Ok(())
}

fn to_full(name: String, shape: Vec<usize>, values: &[f32]) -> Tensor {
    (name, Dtype::F32, shape, values.iter().flat_map(|value| value.to_le_bytes()).collect())
}

fn to_halves(name: String, shape: Vec<usize>, values: &[f32]) -> Tensor {
    let bytes = values.iter().flat_map(|&value| f16::from_f32(value).to_le_bytes());
    (name, Dtype::F16, shape, bytes.collect())
}

fn full(tensors: &SafeTensors<'_>, name: String, shape: &[usize]) -> Result<Vec<f32>, BundleError> {
    let (bytes, _) = bytes(tensors, &name, Dtype::F32, shape)?.as_chunks::<4>();
    finite(name, bytes.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}

fn halves(
    tensors: &SafeTensors<'_>,
    name: String,
    shape: &[usize],
) -> Result<Vec<f32>, BundleError> {
    let (bytes, _) = bytes(tensors, &name, Dtype::F16, shape)?.as_chunks::<2>();
    finite(name, bytes.iter().map(|bytes| f16::from_le_bytes(*bytes).to_f32()).collect())
}

fn bytes<'t>(
    tensors: &'t SafeTensors<'_>,
    name: &str,
    dtype: Dtype,
    shape: &[usize],
) -> Result<&'t [u8], BundleError> {
    let wrong = |problem: String| BundleError::Tensor { tensor: name.to_owned(), problem };
    let view = tensors.tensor(name).map_err(|_| wrong("is missing".to_owned()))?;
    if view.dtype() != dtype || view.shape() != shape {
        let (found, at) = (view.dtype(), view.shape());
        return Err(wrong(format!("is {found:?} {at:?} where {dtype:?} {shape:?} is wanted")));
    }
    Ok(view.data())
}

fn finite(tensor: String, values: Vec<f32>) -> Result<Vec<f32>, BundleError> {
    match values.iter().position(|value| !value.is_finite()) {
        Some(place) => {
            Err(BundleError::Tensor { tensor, problem: format!("value {place} is not finite") })
        }
        None => Ok(values),
    }
}
