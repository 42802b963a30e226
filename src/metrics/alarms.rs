//! What became of alarms as metrics.

use super::Metrics;
use themecast_alarms::{Outcome, PolicyLabel, Tally};

impl Tally for Metrics {
    fn count(&self, policy: PolicyLabel, outcome: Outcome) {
        self.families.divergence.actions.of(&(policy, outcome)).inc();
    }
}
