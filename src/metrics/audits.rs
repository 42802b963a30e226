//! What audited answers say of the forecasts, as metrics.

use super::{
    Metrics,
    labels::{Agreement, Ahead, Bin},
};

impl Metrics {
    /// Answers will be audited, with forecasts up to `horizons` segments ahead: every series is there
    /// before its first event, which an increase would not see.
    pub fn audits_begin(&self, horizons: usize) {
        let audits = &self.families.audits;
        for agree in [true, false] {
            audits.agreement.of(&Agreement(agree));
        }
        for ahead in Ahead::up_to(horizons) {
            audits.brier.of(&ahead);
            for bin in Bin::all() {
                audits.samples.of(&(ahead, bin));
                audits.confidence.of(&(ahead, bin));
                audits.hits.of(&(ahead, bin));
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
        self.families.audits.agreement.of(&Agreement(agree)).inc();
    }

    /// The forecast `p` (*shape* `[themes]`) of a segment made `ahead` segments before it, which
    /// was of `theme`.
    pub fn forecast_audited(&self, ahead: usize, p: &[f32], theme: usize) {
        let audits = &self.families.audits;
        let ahead = Ahead::new(ahead);
        let highest = p.iter().copied().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b));
        let Some((named, highest)) = highest else { return };
        let place = (ahead, Bin::of(highest));
        audits.samples.of(&place).inc();
        audits.confidence.of(&place).inc_by(f64::from(highest));
        audits.hits.of(&place).inc_by(u64::from(named == theme));
        let apart = |(place, &p): (usize, &f32)| {
            (f64::from(p) - f64::from(u8::from(place == theme))).powi(2)
        };
        let brier = p.iter().enumerate().map(apart).sum();
        audits.brier.of(&ahead).inc_by(brier);
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
