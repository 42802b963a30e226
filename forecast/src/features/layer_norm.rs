//! LayerNorm of one site's residual, without a gain of its own: the heads learn one.

/// What keeps a constant residual finite, as in PyTorch.
const EPSILON: f64 = 1e-5;

/// Gives `residual`, *shape* `[hidden]`, zero mean and unit variance. *Source* Ba et al. 2016.
///
/// In double precision, in which the squares of no finite residual overflow.
pub(super) fn apply(residual: &mut [f32]) {
    let count = residual.len().max(1) as f64;
    let mean = residual.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
    let square = residual.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>();
    let scale = 1.0 / (square / count + EPSILON).sqrt();
    residual.iter_mut().for_each(|x| *x = ((f64::from(*x) - mean) * scale) as f32);
}

#[cfg(test)]
mod tests {
    use super::apply;

    #[test]
    fn constant_and_huge_residuals_stay_finite() {
        let mut constant = [7.0; 3];
        apply(&mut constant);
        assert_eq!(constant, [0.0; 3]);
        let mut huge = [f32::MAX, f32::MAX, -f32::MAX, -f32::MAX];
        apply(&mut huge);
        assert_eq!(huge, [1.0, 1.0, -1.0, -1.0]);
    }
}
