//! How much a residual looks like those that the predictor was trained on.
//!
//! A bundle's recogniser judges the prompt, at its end; one without has only the z-scores of each
//! residual of the last site, which tell little. What follows from it is not decided here.

mod recogniser;

pub(crate) use recogniser::PREFIX;
pub use recogniser::{Recogniser, RecogniserCard};

use crate::bundle::Reference;

/// The distance of a residual of the last site, *shape* `[hidden]`, from the training
/// distribution: the root mean square of its z-scores, in standard deviations a dimension.
pub fn distance(residual: &[f32], reference: &Reference) -> f32 {
    let sum: f32 = reference.standardised(residual).iter().map(|score| score.powi(2)).sum();
    (sum / residual.len().max(1) as f32).sqrt()
}

/// How much a distance is in distribution: 1 up to the `median`, 0.5 at the 99th percentile
/// `far`, towards 0 beyond.
///
/// In between it is `0.5^(x²)`, where `x` is 0 at the median and 1 at that percentile: smooth, and
/// falling all the way.
pub fn in_distribution(distance: f32, (median, far): (f32, f32)) -> f32 {
    let beyond = (distance - median) / (far - median).max(f32::MIN_POSITIVE);
    0.5f32.powf(beyond.max(0.0).powi(2))
}

/// Whether a distance lies beyond the training data's 99th percentile.
pub fn is_out(distance: f32, reference: &Reference) -> bool {
    distance > reference.distance_quantile_99
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trust_falls_with_distance() {
        let reference = Reference {
            residual_mean: vec![1.0, 0.0],
            residual_std: vec![1.0, 2.0],
            median_distance: 1.0,
            distance_quantile_99: 2.0,
            theme_share: Vec::new(),
            excess_std: 1.0,
        };
        assert_eq!(distance(&[2.0, 2.0], &reference), 1.0);
        let trust: Vec<f32> = [0.5, 1.0, 2.0, 4.0].map(|d| in_distribution(d, (1.0, 2.0))).into();
        assert_eq!(trust, [1.0, 1.0, 0.5, 0.5f32.powi(9)]);
        assert!(is_out(2.1, &reference) && !is_out(2.0, &reference));
    }
}
