//! Changing the residual stream on purpose: a direction that is added while a request is decoded.

use candle_core::{Result, Tensor};

/// A direction added to the residual at one site.
///
/// *Source*: activation addition, Turner et al. 2023 (arXiv 2308.10248).
#[derive(Debug)]
pub(crate) struct Steering {
    pub(crate) ordinal: usize,
    /// *Shape* `[1, 1, hidden]`.
    direction: Tensor,
}

impl Steering {
    /// `direction` has the *shape* `[hidden]`.
    pub(crate) fn new(ordinal: usize, direction: &Tensor) -> Result<Self> {
        Ok(Self { ordinal, direction: direction.reshape((1, 1, ()))? })
    }

    /// Adds the direction to `residual`, in place, so that every later layer reads the sum; does
    /// nothing unless `residual` is one token of one request.
    pub(crate) fn apply(&self, residual: &Tensor) -> Result<()> {
        let (rows, positions, _) = residual.dims3()?;
        if rows != 1 || positions != 1 {
            return Ok(());
        }
        let direction = self.direction.to_device(residual.device())?.to_dtype(residual.dtype())?;
        residual.slice_set(&(residual + direction)?, 0, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device};

    fn steered(shape: (usize, usize, usize)) -> Vec<f32> {
        let residual = Tensor::ones(shape, DType::F32, &Device::Cpu).unwrap();
        let direction = Tensor::new(&[0.0f32, 2.0], &Device::Cpu).unwrap();
        let later = residual.clone(); // what the layers go on with
        Steering::new(0, &direction).unwrap().apply(&residual).unwrap();
        later.flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn a_decoded_token_is_steered_and_a_prompt_or_a_batch_is_not() {
        assert_eq!(steered((1, 1, 2)), [1.0, 3.0]);
        assert_eq!(steered((1, 3, 2)), [1.0; 6]);
        assert_eq!(steered((2, 1, 2)), [1.0; 4]);
    }
}
