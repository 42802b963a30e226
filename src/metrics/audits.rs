//! What audited answers say of the forecasts, as metrics.

use super::Metrics;

/// Bins of equal width that highest probabilities are counted in.
const BINS: usize = 10;

/// Whether head and labeller agree, as the label has it.
fn agreement(agree: bool) -> &'static str {
    if agree { "agree" } else { "differ" }
}

impl Metrics {
    /// Answers will be audited, with forecasts up to `horizons` segments ahead: every series is there
    /// before its first event, which an increase would not see.
    pub fn audits_begin(&self, horizons: usize) {
        let audits = &self.families.audits;
        for agree in [true, false] {
            audits.agreement.with_label_values(&[agreement(agree)]);
        }
        for ahead in (0..=horizons).map(|ahead| ahead.to_string()) {
            audits.brier.with_label_values(&[ahead.as_str()]);
            for bin in (0..BINS).map(|bin| bin.to_string()) {
                let labels = [ahead.as_str(), bin.as_str()];
                audits.samples.with_label_values(&labels);
                audits.confidence.with_label_values(&labels);
                audits.hits.with_label_values(&labels);
            }
        }
    }

    /// An answer has been audited.
    pub fn audited(&self) {
        self.families.audits.answers.inc();
    }

    /// An answer was to be audited and was not.
    pub fn audit_dropped(&self) {
        self.families.audits.dropped.inc();
    }

    /// Whether the current-theme head and the labeller agree on a segment.
    pub fn labels_agree(&self, agree: bool) {
        self.families.audits.agreement.with_label_values(&[agreement(agree)]).inc();
    }

    /// The forecast `p` (*shape* `[themes]`) of a segment made `ahead` segments before it, which
    /// was of `theme`.
    pub fn forecast_audited(&self, ahead: usize, p: &[f32], theme: usize) {
        let audits = &self.families.audits;
        let ahead = ahead.to_string();
        let highest = p.iter().copied().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b));
        let Some((named, highest)) = highest else { return };
        let bin = ((highest * BINS as f32) as usize).min(BINS - 1).to_string();
        let labels = [ahead.as_str(), bin.as_str()];
        audits.samples.with_label_values(&labels).inc();
        audits.confidence.with_label_values(&labels).inc_by(f64::from(highest));
        audits.hits.with_label_values(&labels).inc_by(u64::from(named == theme));
        let apart = |(place, &p): (usize, &f32)| {
            (f64::from(p) - f64::from(u8::from(place == theme))).powi(2)
        };
        let brier = p.iter().enumerate().map(apart).sum();
        audits.brier.with_label_values(&[ahead.as_str()]).inc_by(brier);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Load;

    #[test]
    fn a_forecast_is_counted_where_its_highest_probability_falls() {
        let metrics = Metrics::new().unwrap();
        metrics.audits_begin(2);
        metrics.forecast_audited(1, &[0.75, 0.25], 0);
        metrics.forecast_audited(1, &[0.75, 0.25], 1);
        metrics.forecast_audited(2, &[0.0, 1.0], 1);
        let text = metrics.render(Load::default());
        for line in [
            "themecast_calibration_samples_total{ahead=\"1\",bin=\"7\"} 2",
            "themecast_calibration_confidence_total{ahead=\"1\",bin=\"7\"} 1.5",
            "themecast_calibration_hits_total{ahead=\"1\",bin=\"7\"} 1",
            "themecast_calibration_hits_total{ahead=\"2\",bin=\"9\"} 1",
            "themecast_brier_total{ahead=\"1\"} 1.25",
            "themecast_brier_total{ahead=\"2\"} 0",
            "themecast_calibration_samples_total{ahead=\"0\",bin=\"3\"} 0",
            "themecast_label_agreement_total{outcome=\"differ\"} 0",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
