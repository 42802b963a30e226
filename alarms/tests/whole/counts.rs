//! A tally that a test can wait for.

use parking_lot::Mutex;
use std::{collections::BTreeMap, time::Duration};
use themecast_alarms::{Outcome, PolicyLabel, Tally};
use tokio::sync::Notify;

/// Far more than anything here takes; only a failing test waits that long.
pub(crate) const LONG: Duration = Duration::from_secs(60);

#[derive(Default)]
pub(crate) struct Counts {
    counted: Mutex<BTreeMap<(PolicyLabel, Outcome), usize>>,
    changed: Notify,
}

impl Tally for Counts {
    fn count(&self, policy: PolicyLabel, outcome: Outcome) {
        *self.counted.lock().entry((policy, outcome)).or_default() += 1;
        self.changed.notify_waiters();
    }
}

impl Counts {
    pub(crate) fn of(&self, policy: PolicyLabel, outcome: Outcome) -> usize {
        self.counted.lock().get(&(policy, outcome)).copied().unwrap_or_default()
    }

    /// Everything that was counted for the webhook, by outcome.
    pub(crate) fn webhook(&self) -> Vec<(Outcome, usize)> {
        let counted = self.counted.lock();
        let webhook = counted.iter().filter(|((policy, _), _)| *policy == PolicyLabel::Webhook);
        webhook.map(|((_, outcome), count)| (*outcome, *count)).collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.counted.lock().is_empty()
    }

    /// Waits until `outcome` was counted `count` times.
    pub(crate) async fn until(&self, policy: PolicyLabel, outcome: Outcome, count: usize) {
        let reached = async {
            loop {
                let changed = self.changed.notified();
                if self.of(policy, outcome) >= count {
                    return;
                }
                changed.await;
            }
        };
        tokio::time::timeout(LONG, reached).await.expect("was never counted");
    }
}
