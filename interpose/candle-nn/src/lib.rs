//! Stand-in for `candle-nn`: the original, re-exported, with one function replaced.
//!
//! [`ops::rms_norm`] reports its input to the seam and then calls the original. No source of
//! candle is copied here; what is not named below comes from `upstream`.

#![forbid(unsafe_code)]

pub use upstream::*;

/// The original's `ops`, with `rms_norm` reporting to the seam.
pub mod ops {
    use candle_core::{Result, Tensor};

    pub use upstream::ops::*;

    /// RMSNorm of `xs` over its last dimension, scaled by `alpha`: the original's, observed.
    ///
    /// *Shape*: `xs` `[.., hidden]`, `alpha` `[hidden]`.
    ///
    /// # Errors
    /// The original's: shapes that do not fit, or the device's own.
    pub fn rms_norm(xs: &Tensor, alpha: &Tensor, eps: f32) -> Result<Tensor> {
        themecast_seam::on_norm(xs, alpha);
        upstream::ops::rms_norm(xs, alpha, eps)
    }
}
