//! Prometheus reading the metrics while answers are written, and how long that takes.

use crate::{host::Host, metrics::Metrics};
use parking_lot::Mutex;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::task::JoinHandle;

/// How often: a hundred times as often as Prometheus would.
const EVERY: Duration = Duration::from_millis(150);

/// Reads the metrics until it is dropped.
pub(super) struct Scrapes {
    took: Arc<Mutex<Vec<Duration>>>,
    task: JoinHandle<()>,
}

impl Scrapes {
    pub(super) fn start(metrics: Arc<Metrics>, host: Arc<dyn Host>) -> Self {
        let took = Arc::new(Mutex::new(Vec::new()));
        let kept = took.clone();
        let task = tokio::spawn(async move {
            loop {
                let begun = Instant::now();
                let text = metrics.render(host.load());
                kept.lock().push(begun.elapsed());
                drop(text);
                tokio::time::sleep(EVERY).await;
            }
        });
        Self { took, task }
    }

    /// How long each one took.
    pub(super) fn took(&self) -> Vec<Duration> {
        self.took.lock().clone()
    }
}

impl Drop for Scrapes {
    fn drop(&mut self) {
        self.task.abort();
    }
}
