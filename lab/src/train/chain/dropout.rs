//! What training leaves out at random, drawn from a seed: candle's own dropout on a CPU draws from a
//! generator that nobody seeds, so no two trainings would be alike.

use candle_core::{Result, Tensor};
use rand_xoshiro::{
    Xoshiro256PlusPlus,
    rand_core::{RngCore, SeedableRng},
};
use std::cell::RefCell;

/// Leaves out a share of what passes. *Source* Srivastava et al. 2014.
pub(super) struct Dropout {
    share: f32,
    random: RefCell<Xoshiro256PlusPlus>,
}

impl Dropout {
    /// Leaves out `share` of the numbers, drawn from `seed`.
    pub(super) fn new(share: f32, seed: u64) -> Self {
        Self { share, random: RefCell::new(Xoshiro256PlusPlus::seed_from_u64(seed)) }
    }

    /// `x` without what is left out, the rest grown so that its mean stays.
    ///
    /// # Errors
    /// candle's.
    pub(super) fn of(&self, x: &Tensor) -> Result<Tensor> {
        if self.share <= 0.0 {
            return Ok(x.clone());
        }
        let (least, kept) = (f64::from(self.share) * 2f64.powi(32), 1.0 / (1.0 - self.share));
        let mut random = self.random.borrow_mut();
        let mut draw = || if f64::from(random.next_u32()) < least { 0.0 } else { kept };
        let mask: Vec<f32> = (0..x.elem_count()).map(|_| draw()).collect();
        x * Tensor::from_vec(mask, x.shape(), x.device())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn a_share_is_left_out_and_the_seed_says_which() {
        let ones = Tensor::ones(10_000, candle_core::DType::F32, &Device::Cpu).unwrap();
        let of = |seed| Dropout::new(0.3, seed).of(&ones).unwrap().to_vec1::<f32>().unwrap();
        let once = of(1);
        let left = once.iter().filter(|x| **x == 0.0).count();
        assert!((left as f64 / 10_000.0 - 0.3).abs() < 0.02, "{left}");
        assert!((once.iter().sum::<f32>() / 10_000.0 - 1.0).abs() < 0.03);
        assert_eq!(once, of(1));
        assert_ne!(once, of(2));
    }
}
