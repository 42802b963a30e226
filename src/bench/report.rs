//! What the benchmark found.

use super::timed::Cost;
use serde::Serialize;
use std::{fmt, time::Duration};

/// Tokens a second at one concurrency.
#[derive(Debug, Clone, Serialize)]
pub struct Speed {
    /// How many requests ran at once.
    pub concurrency: usize,
    /// Tokens a second without the plugin, the mean of the rounds.
    pub off: f64,
    /// Tokens a second with it.
    pub on: f64,
    /// With over without, the geometric mean of the rounds.
    pub ratio: f64,
    /// The 95 % interval of `ratio` over the rounds.
    pub ratio_interval: [f64; 2],
    /// How many rounds.
    pub rounds: usize,
    /// Reading a step's residuals on the engine's thread.
    pub tap: Quantiles,
    /// The plugin's step, from the residuals to the annotation.
    pub forecast: Quantiles,
    /// The two together, step by step.
    pub tap_and_forecast: Quantiles,
    /// How many steps that is measured on.
    pub steps: usize,
}

/// How long something took.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Quantiles {
    /// Seconds, the median.
    pub p50_seconds: f64,
    /// Seconds, the 99th percentile.
    pub p99_seconds: f64,
}

impl Quantiles {
    fn of(costs: &[Cost], what: fn(&Cost) -> Duration) -> Self {
        Self::new(costs.iter().map(what).collect())
    }

    fn new(mut durations: Vec<Duration>) -> Self {
        durations.sort_unstable();
        let last = durations.len().saturating_sub(1);
        let at = |q: f64| durations.get((last as f64 * q).round() as usize);
        let seconds = |q: f64| at(q).copied().unwrap_or_default().as_secs_f64();
        Self { p50_seconds: seconds(0.5), p99_seconds: seconds(0.99) }
    }
}

impl fmt::Display for Quantiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p50 {:.0} us, p99 {:.0} us", self.p50_seconds * 1e6, self.p99_seconds * 1e6)
    }
}

/// The whole benchmark.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// One entry a concurrency.
    pub speeds: Vec<Speed>,
    /// How many sites were tapped.
    pub sites: usize,
    /// Bytes of residuals copied for each token.
    pub bytes_per_token: usize,
    /// Bytes of memory the process holds.
    pub resident_bytes: u64,
    /// Rendering the metrics, where they were read meanwhile.
    pub scrape: Option<Quantiles>,
}

impl Speed {
    /// Sums up rounds of (without, with) and what each step with the plugin took.
    pub(super) fn of(concurrency: usize, rounds: &[(f64, f64)], costs: &[Cost]) -> Self {
        let n = rounds.len() as f64;
        let mean = |of: fn(&(f64, f64)) -> f64| rounds.iter().map(of).sum::<f64>() / n;
        let logs: Vec<f64> = rounds.iter().map(|(off, on)| (on / off).ln()).collect();
        let centre = logs.iter().sum::<f64>() / n;
        let variance = logs.iter().map(|log| (log - centre).powi(2)).sum::<f64>() / (n - 1.0);
        let half = student_95(rounds.len() - 1) * (variance / n).sqrt();
        Self {
            concurrency,
            off: mean(|round| round.0),
            on: mean(|round| round.1),
            ratio: centre.exp(),
            ratio_interval: [(centre - half).exp(), (centre + half).exp()],
            rounds: rounds.len(),
            tap: Quantiles::of(costs, |cost| cost.tap),
            forecast: Quantiles::of(costs, |cost| cost.step),
            tap_and_forecast: Quantiles::of(costs, |cost| cost.tap + cost.step),
            steps: costs.len(),
        }
    }
}

impl Report {
    pub(super) fn new(speeds: Vec<Speed>, sites: usize, hidden: usize) -> Self {
        Self {
            speeds,
            sites,
            bytes_per_token: sites * hidden * size_of::<f32>(),
            resident_bytes: resident(),
            scrape: None,
        }
    }

    /// The same with how long it took to render the metrics.
    pub(super) fn scraped(self, took: Vec<Duration>) -> Self {
        let scrape = (!took.is_empty()).then(|| Quantiles::new(took));
        Self { scrape, ..self }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "at once  tokens/s off  tokens/s on  ratio (95 % interval)")?;
        for speed in &self.speeds {
            let Speed { concurrency, off, on, ratio, ratio_interval: [low, high], .. } = speed;
            writeln!(
                f,
                "{concurrency:7}  {off:12.1}  {on:11.1}  {ratio:.3} ({low:.3} to {high:.3})"
            )?;
        }
        for speed in &self.speeds {
            let Speed { concurrency, tap, forecast, tap_and_forecast, steps, .. } = speed;
            writeln!(f, "{concurrency} at once, {steps} steps")?;
            writeln!(f, "  tap: {tap}")?;
            writeln!(f, "  forecast: {forecast}")?;
            writeln!(f, "  tap and forecast: {tap_and_forecast}")?;
        }
        writeln!(f, "{} sites, {} bytes a token", self.sites, self.bytes_per_token)?;
        if let Some(scrape) = &self.scrape {
            writeln!(f, "scrape: {scrape}")?;
        }
        write!(f, "memory: {} MB resident", self.resident_bytes >> 20)
    }
}

/// The two-sided 95 % quantile of Student's t.
fn student_95(degrees: usize) -> f64 {
    const TABLE: [f64; 15] =
        [12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.20, 2.18, 2.16, 2.14, 2.13];
    TABLE.get(degrees.saturating_sub(1)).copied().unwrap_or(2.0)
}

/// Bytes of memory this process holds; 0 where the system does not say.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) << 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_ratio_has_a_narrow_interval() {
        let speed = Speed::of(1, &[(50.0, 49.0), (60.0, 58.8), (40.0, 39.2)], &[]);
        assert!((speed.ratio - 0.98).abs() < 1e-9, "{speed:?}");
        assert!(speed.ratio_interval[1] - speed.ratio_interval[0] < 1e-9);
        let noisy = Speed::of(1, &[(50.0, 49.0), (50.0, 55.0), (50.0, 45.0)], &[]);
        assert!(noisy.ratio_interval[0] < noisy.ratio && noisy.ratio < noisy.ratio_interval[1]);
    }
}
