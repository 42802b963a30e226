//! Tensors of the weights file as numbers and back: in single precision, or in half.

use super::BundleError;
use half::f16;
use safetensors::{Dtype, SafeTensors};

/// A tensor as it goes into the weights: name, type, shape, little-endian values.
pub(crate) type Tensor = (String, Dtype, Vec<usize>, Vec<u8>);

/// `values` in single precision.
pub(crate) fn to_full(name: String, shape: Vec<usize>, values: &[f32]) -> Tensor {
    (name, Dtype::F32, shape, values.iter().flat_map(|value| value.to_le_bytes()).collect())
}

/// `values` rounded to half precision.
pub(crate) fn to_halves(name: String, shape: Vec<usize>, values: &[f32]) -> Tensor {
    let bytes = values.iter().flat_map(|&value| f16::from_f32(value).to_le_bytes());
    (name, Dtype::F16, shape, bytes.collect())
}

/// The tensor `name`, which must have this shape and single precision.
///
/// # Errors
/// [`BundleError::Tensor`] where it is missing, of another type or shape, or not finite.
pub(crate) fn full(
    tensors: &SafeTensors<'_>,
    name: String,
    shape: &[usize],
) -> Result<Vec<f32>, BundleError> {
    let (bytes, _) = bytes(tensors, &name, Dtype::F32, shape)?.as_chunks::<4>();
    finite(name, bytes.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}

/// The tensor `name`, which must have this shape and half precision.
///
/// # Errors
/// As [`full`].
pub(crate) fn halves(
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
