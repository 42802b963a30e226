//! What became of alarms as metrics.

use super::Metrics;
use themecast_alarms::{Outcome, PolicyLabel, Tally};

impl Tally for Metrics {
    fn count(&self, policy: PolicyLabel, outcome: Outcome) {
        let labels = [policy.as_str(), outcome.as_str()];
        self.families.divergence.actions.with_label_values(&labels).inc();
    }
}
