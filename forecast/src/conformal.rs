//! Sets of themes that hold the one that comes with a promised probability.
//!
//! Split conformal prediction on `1 − p`: a theme belongs to the set where its probability is at
//! least one minus a threshold, which is a quantile of what held-out segments needed. The promise
//! is marginal: over answers like those it was calibrated on, not for each one.
//! *Source*: Sadinle, Lei, Wasserman 2019 (least ambiguous sets).

/// The threshold with which sets hold `coverage` (0–1) of the held-out themes, whose forecast
/// probabilities were `came`; 1 (every theme) where there are too few to promise it.
///
/// ```
/// use themecast_forecast::conformal::{set_size, threshold};
///
/// let came: Vec<f32> = (1..=99).map(|p| p as f32 / 100.0).collect();
/// let needed = threshold(&came, 0.9);
/// assert!((needed - 0.9).abs() < 1e-6); // 90 of 100 had at least 0.1
/// assert_eq!(set_size(&[0.7, 0.25, 0.05], needed), 2);
/// ```
pub fn threshold(came: &[f32], coverage: f32) -> f32 {
    let mut scores: Vec<f32> = came.iter().map(|p| 1.0 - p).collect();
    scores.sort_by(f32::total_cmp);
    let rank = ((scores.len() + 1) as f32 * coverage).ceil() as usize;
    rank.checked_sub(1).and_then(|place| scores.get(place).copied()).unwrap_or(1.0)
}

/// How many themes the set of the forecast `p` holds; at least one, the likeliest.
pub fn set_size(p: &[f32], threshold: f32) -> usize {
    p.iter().filter(|&&p| holds(p, threshold)).count().max(1)
}

/// Whether a theme of probability `p` is in the set.
pub fn holds(p: f32, threshold: f32) -> bool {
    1.0 - p <= threshold
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_cover_what_they_promise_on_data_of_the_same_kind() {
        let mut state = 7u64;
        let mut random = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 40) as f32 / (1u64 << 24) as f32
        };
        let calibration: Vec<f32> = (0..2000).map(|_| random().powi(2)).collect();
        let needed = threshold(&calibration, 0.8);
        let held = (0..5000).filter(|_| holds(random().powi(2), needed)).count();
        assert!((held as f32 / 5000.0 - 0.8).abs() < 0.02, "{held}");
    }

    #[test]
    fn too_few_cases_promise_nothing_and_hold_everything() {
        assert_eq!(threshold(&[0.9, 0.8], 0.9), 1.0);
        assert_eq!(threshold(&[], 0.5), 1.0);
        assert_eq!(set_size(&[0.5, 0.3, 0.2], 1.0), 3);
        assert_eq!(set_size(&[0.4, 0.3, 0.3], 0.1), 1, "never none");
    }
}
