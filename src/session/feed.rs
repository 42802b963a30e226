//! The engine's end of a session: takes steps without ever waiting.

use super::{Runner, worker::Message};
use crate::{
    host::{RawStep, StepSink},
    metrics::{DropReason, Metrics},
};
use parking_lot::Mutex;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::SyncSender,
    },
    time::{Duration, Instant},
};
use themecast_plugin_api::End;

/// Hands steps to a session's thread, and remembers which tokens have been read and how many have
/// been sampled.
pub struct Feed {
    steps: SyncSender<Message>,
    revealed: Mutex<Vec<u32>>,
    sampled: AtomicUsize,
    behind: AtomicBool,
    stop: Arc<AtomicBool>,
    /// The engine has ended the answer because `stop` was set in time.
    cut: AtomicBool,
    fail_closed: bool,
    metrics: Arc<Metrics>,
}

impl Feed {
    /// Hands steps on; `stop` is set by whoever wants the answer to end.
    pub(super) fn new(steps: SyncSender<Message>, stop: Arc<AtomicBool>, runner: &Runner) -> Self {
        let (metrics, fail_closed) = (runner.metrics.clone(), runner.fail_closed);
        let (behind, cut) = (AtomicBool::new(false), AtomicBool::new(false));
        let (revealed, sampled) = (Mutex::default(), AtomicUsize::new(0));
        Self { steps, revealed, sampled, behind, stop, cut, fail_closed, metrics }
    }

    /// The tokens of the answer that the model has read, from the `from`-th on.
    pub(super) fn revealed_from(&self, from: usize) -> Vec<u32> {
        self.revealed.lock().get(from..).unwrap_or_default().to_vec()
    }

    /// How many tokens have been sampled: those that were read, and the last one.
    pub(super) fn sampled(&self) -> usize {
        self.sampled.load(Ordering::Relaxed)
    }

    /// Whether steps were lost because the session was too slow.
    pub(super) fn is_behind(&self) -> bool {
        self.behind.load(Ordering::Relaxed)
    }

    /// Whether the answer was ended before its time, and did not end by itself first.
    pub(super) fn was_cut(&self) -> bool {
        self.cut.load(Ordering::Acquire)
    }

    /// Tells the session that the answer has ended; what it says of it is the last note.
    pub(super) fn end(&self, end: End) {
        let _ = self.steps.try_send(Message::End(end));
    }
}

impl StepSink for Feed {
    fn stops(&self) -> bool {
        let stops = self.stop.load(Ordering::Relaxed);
        if stops {
            self.cut.store(true, Ordering::Release);
        }
        stops
    }

    fn step(&self, step: Result<RawStep, String>, took: Duration) {
        self.sampled.fetch_add(1, Ordering::Relaxed);
        if let Ok(step) = &step {
            if step.index > 0 {
                self.revealed.lock().push(step.token);
            }
            self.metrics.tapped(step.residuals.len() * size_of::<f32>(), took);
        }
        if self.is_behind() {
            return self.metrics.annotation_dropped(DropReason::Behind);
        }
        if self.steps.try_send(Message::Step(step, Instant::now())).is_err() {
            self.behind.store(true, Ordering::Relaxed);
            self.stop.fetch_or(self.fail_closed, Ordering::Relaxed);
            self.metrics.annotation_dropped(DropReason::Behind);
        }
    }
}
