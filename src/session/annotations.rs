//! The stream's end of a session: the annotation of each chunk, waited for only so long.

use super::{Feed, Outcome, Runner, alignment::Alignment, worker::Note};
use crate::{
    host::Vocabulary,
    metrics::{DropReason, Metrics},
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use themecast_plugin_api::{Annotation, End, EndReason};
use tokio::{
    sync::mpsc::UnboundedReceiver,
    time::{Instant, timeout_at},
};

/// How much longer than for a chunk a stream waits for the summary of the whole answer.
const SUMMARY_PATIENCE: u32 = 5;

/// The annotations of one answer, in step with its chunks.
pub struct Annotations {
    feed: Arc<Feed>,
    notes: UnboundedReceiver<Note>,
    ready: BTreeMap<usize, Outcome>,
    /// What the last chunk brought besides its own annotation.
    passed: Vec<Annotation>,
    summary: Option<Outcome>,
    alignment: Alignment,
    vocabulary: Arc<Vocabulary>,
    metrics: Arc<Metrics>,
    patience: Duration,
    /// A note was waited for in vain: no chunk waits again.
    late: bool,
}

impl Annotations {
    pub(super) fn new(feed: Arc<Feed>, notes: UnboundedReceiver<Note>, runner: &Runner) -> Self {
        Self {
            feed,
            notes,
            ready: BTreeMap::new(),
            passed: Vec::new(),
            summary: None,
            alignment: Alignment::default(),
            vocabulary: runner.vocabulary.clone(),
            metrics: runner.metrics.clone(),
            patience: runner.patience,
            late: false,
        }
    }

    /// What the plugin said of the token that the next chunk ends with.
    pub async fn of_chunk(&mut self) -> Outcome {
        self.of_held_chunk("").await
    }

    /// The same in a request with tools, where mistral.rs holds back tokens that could begin a call:
    /// `text` is the chunk's, and tells how many were.
    pub async fn of_held_chunk(&mut self, text: &str) -> Outcome {
        let revealed = self.feed.revealed_from(self.alignment.next());
        let index = self.alignment.chunk(&revealed, text, &self.vocabulary);
        self.passed.clear();
        let patience = if self.late { Duration::ZERO } else { self.patience };
        let deadline = Instant::now() + patience;
        while !self.ready.contains_key(&index) {
            self.note(deadline).await?;
        }
        let later = self.ready.split_off(&(index + 1));
        let mut now = std::mem::replace(&mut self.ready, later);
        let mut outcome = now.remove(&index).unwrap_or(Ok(None));
        self.passed.extend(now.into_values().filter_map(|said| said.ok()?));
        // A chunk of several tokens is a milestone where one of them is.
        if let Ok(Some(annotation)) = &mut outcome {
            annotation.milestone |= self.passed.iter().any(|said| said.milestone);
        }
        outcome
    }

    /// What was said, before the annotation of the last chunk, of tokens that no chunk told of, in
    /// order: those that the chunk carried too, and those that were late.
    pub fn passed(&self) -> &[Annotation] {
        &self.passed
    }

    /// What the plugin says of the whole answer, which has ended for `reason` unless the session
    /// made it end.
    pub async fn summary(&mut self, reason: EndReason) -> Outcome {
        let reason = if self.stopped() { EndReason::Stopped } else { reason };
        self.feed.end(End { reason, tokens: self.tokens() });
        let deadline = Instant::now() + self.patience * SUMMARY_PATIENCE;
        loop {
            if let Some(summary) = self.summary.take() {
                return summary;
            }
            self.note(deadline).await?;
        }
    }

    /// Whether the session made the answer end before its time.
    pub fn stopped(&self) -> bool {
        self.feed.was_cut()
    }

    /// What is said next of an answer whose chunks nobody asks for; none once its session has ended.
    pub async fn said(&mut self) -> Option<Annotation> {
        loop {
            let Note { index, outcome } = self.notes.recv().await?;
            match (index, outcome) {
                (Some(_), Ok(Some(annotation))) => return Some(annotation),
                (Some(_), _) => {}
                (None, outcome) => self.summary = Some(outcome),
            }
        }
    }

    /// What was said of tokens that no chunk has asked for, in order.
    pub fn drain(&mut self) -> Vec<Annotation> {
        std::mem::take(&mut self.ready).into_values().filter_map(|said| said.ok()?).collect()
    }

    /// How many tokens the answer has, the one that ended it included, as in its `usage`.
    fn tokens(&self) -> usize {
        self.alignment.next().max(self.feed.sampled())
    }

    /// Takes the next note, or says why there is none in time.
    async fn note(&mut self, deadline: Instant) -> Result<(), String> {
        match timeout_at(deadline, self.notes.recv()).await {
            Ok(Some(Note { index: Some(index), outcome })) => {
                self.ready.insert(index, outcome);
                Ok(())
            }
            Ok(Some(Note { index: None, outcome })) => {
                self.summary = Some(outcome);
                Ok(())
            }
            Ok(None) => Err("the session has ended".to_owned()),
            Err(_) => {
                self.late = true; // once is enough: no stream is slowed at one token after the other
                if self.feed.is_behind() {
                    // That steps were lost has been counted.
                    return Err("the plugin fell behind; the stream goes on without it".to_owned());
                }
                self.metrics.annotation_dropped(DropReason::Late);
                Err("the plugin is late; the stream goes on without it".to_owned())
            }
        }
    }
}
