//! The training data in numbers, for telling live traffic from it.

use themecast_forecast::{
    bundle::Reference,
    divergence::{entropy_nats, surprise_nats},
};

/// Running means and variances of a residual. *Source* Welford 1962.
#[derive(Debug, Clone)]
pub(super) struct Spread {
    count: f64,
    mean: Vec<f64>,
    square: Vec<f64>,
}

impl Spread {
    pub(super) fn new(hidden: usize) -> Self {
        Self { count: 0.0, mean: vec![0.0; hidden], square: vec![0.0; hidden] }
    }

    pub(super) fn add(&mut self, residual: &[f32]) {
        self.count += 1.0;
        for ((mean, square), &x) in self.mean.iter_mut().zip(&mut self.square).zip(residual) {
            let before = f64::from(x) - *mean;
            *mean += before / self.count;
            *square += before * (f64::from(x) - *mean);
        }
    }

    fn mean(&self) -> Vec<f32> {
        self.mean.iter().map(|&mean| mean as f32).collect()
    }

    /// Standard deviations; a constant dimension gets 1.
    fn deviation(&self) -> Vec<f32> {
        let deviation = |square: &f64| {
            let deviation = (square / self.count.max(1.0)).sqrt();
            if deviation > 1e-6 { deviation as f32 } else { 1.0 }
        };
        self.square.iter().map(deviation).collect()
    }
}

/// Distances of residuals from their mean, in standard deviations a dimension (root mean square).
#[derive(Debug)]
pub(crate) struct Distances {
    mean: Vec<f32>,
    deviation: Vec<f32>,
    found: Vec<f32>,
}

impl Distances {
    pub(super) fn new(spread: &Spread) -> Self {
        Self { mean: spread.mean(), deviation: spread.deviation(), found: Vec::new() }
    }

    pub(super) fn add(&mut self, residual: &[f32]) {
        let columns = residual.iter().zip(&self.mean).zip(&self.deviation);
        let square: f32 = columns.map(|((x, mean), dev)| ((x - mean) / dev).powi(2)).sum();
        self.found.push((square / residual.len().max(1) as f32).sqrt());
    }

    /// The reference with these shares and this deviation of the excess surprise.
    pub(super) fn reference(mut self, theme_share: Vec<f32>, excess_std: f32) -> Reference {
        self.found.sort_by(f32::total_cmp);
        let quantile = |q: f64| {
            let place = (q * self.found.len().saturating_sub(1) as f64).round() as usize;
            self.found.get(place).copied().unwrap_or(1.0).max(f32::MIN_POSITIVE)
        };
        Reference {
            median_distance: quantile(0.5),
            distance_quantile_99: quantile(0.99),
            residual_mean: self.mean,
            residual_std: self.deviation,
            theme_share,
            excess_std,
        }
    }
}

/// Standard deviation of surprise minus entropy over forecasts and what came, in nats; 1 where
/// there are fewer than two.
pub(super) fn excess_deviation<'a>(forecasts: impl Iterator<Item = (&'a [f32], u32)>) -> f32 {
    let excess = |(forecast, came): (&[f32], u32)| {
        f64::from(surprise_nats(forecast, came as usize) - entropy_nats(forecast))
    };
    let all: Vec<f64> = forecasts.map(excess).collect();
    let count = all.len() as f64;
    let mean = all.iter().sum::<f64>() / count;
    let variance = all.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
    if all.len() < 2 || variance <= 0.0 { 1.0 } else { variance.sqrt() as f32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_residual_one_deviation_off_everywhere_is_at_distance_one() {
        let mut spread = Spread::new(2);
        for residual in [[0.0, 10.0], [2.0, 30.0]] {
            spread.add(&residual);
        }
        let mut distances = Distances::new(&spread);
        distances.add(&[2.0, 30.0]);
        let reference = distances.reference(vec![0.5, 0.5], 0.7);
        assert_eq!(reference.residual_mean, [1.0, 20.0]);
        assert_eq!(reference.residual_std, [1.0, 10.0]);
        assert!((reference.median_distance - 1.0).abs() < 1e-6);
    }

    #[test]
    fn a_fair_coin_has_no_excess() {
        let coin: &[f32] = &[0.5, 0.5];
        assert_eq!(excess_deviation([(coin, 0), (coin, 1)].into_iter()), 1.0);
        let skewed: &[f32] = &[0.75, 0.25];
        let deviation = excess_deviation([(skewed, 0), (skewed, 1)].into_iter());
        assert!((deviation - 3f32.ln() / 2.0).abs() < 1e-6);
    }
}
