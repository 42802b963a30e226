//! The thread that runs one plugin session and catches whatever goes wrong in it.

use super::{Outcome, Runner};
use crate::{
    host::{RawStep, TextDecoder, Vocabulary},
    metrics::{Failure, Metrics},
};
use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::Receiver,
    },
    thread,
    time::Instant,
};
use themecast_plugin_api::{Annotation, End, EndReason, PluginError, Residuals, Session, Step};
use tokio::sync::mpsc::UnboundedSender;

/// What a session is told.
pub(super) enum Message {
    /// One step, or why it could not be read, and when it was tapped.
    Step(Result<RawStep, String>, Instant),
    /// The answer has ended.
    End(End),
}

/// What a session said, and at which index of the answer; none: of the whole answer.
pub(super) struct Note {
    pub(super) index: Option<usize>,
    pub(super) outcome: Outcome,
}

/// Runs `session` on a thread of its own until its answer ends or everybody else is gone.
pub(super) fn spawn(
    session: Box<dyn Session>,
    inbox: Receiver<Message>,
    (notes, stop): (UnboundedSender<Note>, Arc<AtomicBool>),
    runner: &Runner,
) -> std::io::Result<()> {
    let worker = Worker {
        session: Ok(session),
        text: TextDecoder::default(),
        vocabulary: runner.vocabulary.clone(),
        metrics: runner.metrics.clone(),
        sites: runner.interest.sites.len(),
        next: 0,
        stop,
        fail_closed: runner.fail_closed,
    };
    let builder = thread::Builder::new().name("themecast-session".to_owned());
    builder.spawn(move || worker.run(&inbox, &notes)).map(drop)
}

struct Worker {
    /// The session, or why it ended before its time.
    session: Result<Box<dyn Session>, String>,
    text: TextDecoder,
    vocabulary: Arc<Vocabulary>,
    metrics: Arc<Metrics>,
    sites: usize,
    /// The index of the step to come, as of one that can't be read.
    next: usize,
    /// Set when the session wants the answer to end.
    stop: Arc<AtomicBool>,
    fail_closed: bool,
}

impl Worker {
    fn run(mut self, inbox: &Receiver<Message>, notes: &UnboundedSender<Note>) {
        let _alive = self.metrics.session();
        while let Ok(message) = inbox.recv() {
            let note = match message {
                Message::Step(step, tapped) => {
                    let index = step.as_ref().map_or(self.next, |step| step.index);
                    self.next = index + 1;
                    let outcome = self.step(step);
                    self.metrics.forecast(&outcome, tapped.elapsed());
                    Note { index: Some(index), outcome }
                }
                Message::End(end) => {
                    let _ = notes.send(Note { index: None, outcome: self.end(end) });
                    return;
                }
            };
            let _ = notes.send(note);
        }
        let tokens = self.next.saturating_sub(1);
        let _ = self.end(End { reason: EndReason::Cancelled, tokens });
    }

    fn step(&mut self, step: Result<RawStep, String>) -> Outcome {
        let step = step.map_err(|error| self.fail(Failure::Tap, error))?;
        let text = match step.index {
            0 => String::new(),
            _ => self.text.push(self.vocabulary.bytes(step.token)),
        };
        let Some(hidden_size) = self.hidden_size(&step) else { return Ok(None) };
        let step = Step {
            index: step.index,
            position: step.position,
            token: step.token,
            text: &text,
            phase: step.phase,
            residuals: Residuals::new(&step.residuals, step.positions, hidden_size),
        };
        self.call(|session| session.step(&step))
    }

    /// The width of the residuals; none where the plugin asked for no site.
    fn hidden_size(&self, step: &RawStep) -> Option<usize> {
        let size = step.residuals.len().checked_div(self.sites * step.positions)?;
        (size > 0).then_some(size)
    }

    fn end(&mut self, end: End) -> Outcome {
        self.call(|session| session.end(&end))
    }

    /// Calls the session, and gives it up for good at the first thing that goes wrong.
    fn call(
        &mut self,
        call: impl FnOnce(&mut dyn Session) -> Result<Option<Annotation>, PluginError>,
    ) -> Outcome {
        let session = self.session.as_mut().map_err(|error| error.clone())?;
        let finite = |said: &Option<Annotation>| said.as_ref().is_none_or(|a| a.value.is_finite());
        match guarded(|| call(session.as_mut())) {
            Ok(Ok(said)) if finite(&said) => {
                if said.as_ref().is_some_and(|said| said.stop) {
                    self.stop.store(true, Ordering::Relaxed);
                }
                Ok(said)
            }
            Ok(Ok(_)) => {
                Err(self
                    .fail(Failure::NotFinite, "the plugin said a number that is not finite".into()))
            }
            Ok(Err(error)) => Err(self.fail(Failure::Error, error.to_string())),
            Err(panic) => Err(self.fail(Failure::Panic, format!("the plugin panicked: {panic}"))),
        }
    }

    fn fail(&mut self, kind: Failure, error: String) -> String {
        if self.session.is_ok() {
            self.metrics.plugin_failed(kind);
            tracing::warn!(%error, "a session is given up; its stream goes on");
            self.session = Err(error.clone());
            self.stop.fetch_or(self.fail_closed, Ordering::Relaxed);
        }
        error
    }
}

/// Runs what a plugin wrote; a panic becomes its message.
pub(crate) fn guarded<R>(call: impl FnOnce() -> R) -> Result<R, String> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|panic| message(&*panic))
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".into())
}
