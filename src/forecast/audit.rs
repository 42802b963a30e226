//! Audits: a share of answers is labelled by the real labeller, off the hot path.
//!
//! The current-theme head decides what came, and forecasts are judged by it; whether both hold up
//! is seen by labelling some answers as collections are labelled. One thread does that, from a
//! bounded queue: an answer that finds it full is not audited, and counted.

use super::{Setting, encoder::Encoder};
use crate::metrics::Metrics;
use anyhow::{Context, Result, ensure};
use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};
use themecast_forecast::{bundle::Card, events::SegmentEnded};
use themecast_lab::{
    Split,
    label::{Classified, Classifier, Labeler, Segment},
};

/// How many answers may wait to be audited.
const QUEUE: usize = 64;
/// Segments of fewer characters say too little to be labelled, as in collections.
const LEAST_CHARS: usize = 20;

/// What was heard of one segment.
pub(super) struct Heard {
    text: String,
    theme: usize,
    /// *Shape* `[ahead][themes]`.
    forecasts: Vec<Vec<f32>>,
}

impl Heard {
    pub(super) fn new(event: &SegmentEnded<'_>) -> Self {
        let text = event.text.trim().to_owned();
        Self { text, theme: event.theme, forecasts: event.forecasts.to_vec() }
    }
}

/// Takes answers to be audited.
pub(super) struct Auditor {
    queue: SyncSender<Vec<Heard>>,
    share: f64,
    metrics: Arc<Metrics>,
}

impl Auditor {
    /// Starts the thread that audits answers of the bundle with this `card`.
    ///
    /// # Errors
    /// Where the labeller has other themes than the bundle, or there is no thread.
    pub(super) fn start(setting: &Setting, card: &Card) -> Result<Self> {
        let classifier = Classifier::read(None)?;
        let themes = card.themes.iter().map(|theme| theme.id.as_str());
        ensure!(
            themes.eq(classifier.themes()),
            "audits: the bundle's themes are not those of the shipped labeller; set [audit] share to 0"
        );
        setting.metrics.audits_begin(card.horizons);
        let (queue, answers) = sync_channel(QUEUE);
        let work =
            Work { classifier, encoder: setting.encoder.clone(), metrics: setting.metrics.clone() };
        let builder = thread::Builder::new().name("themecast-audit".to_owned());
        builder.spawn(move || work.run(&answers)).context("no thread for audits")?;
        Ok(Self { queue, share: setting.audited, metrics: setting.metrics.clone() })
    }

    /// Whether the answer `id` is audited; each with the same probability.
    pub(super) fn takes(&self, id: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        (hasher.finish() as f64) < self.share * u64::MAX as f64
    }

    /// Audits one answer, later.
    pub(super) fn audit(&self, answer: Vec<Heard>) {
        if self.queue.try_send(answer).is_err() {
            self.dropped();
        }
    }

    /// An answer that was to be audited is not.
    pub(super) fn dropped(&self) {
        self.metrics.audit_dropped();
    }
}

struct Work {
    classifier: Classifier,
    encoder: Arc<Encoder>,
    metrics: Arc<Metrics>,
}

impl Work {
    fn run(self, answers: &Receiver<Vec<Heard>>) {
        while let Ok(answer) = answers.recv() {
            if let Err(error) = self.audit(&answer) {
                tracing::warn!(%error, "an answer could not be audited");
                self.metrics.audit_dropped();
            }
        }
    }

    fn audit(&self, answer: &[Heard]) -> themecast_lab::Result<()> {
        let themes = labels(&self.classifier, &self.encoder, answer)?;
        for (heard, &theme) in answer.iter().zip(&themes) {
            if heard.text.chars().count() < LEAST_CHARS {
                continue;
            }
            self.metrics.labels_agree(heard.theme == theme);
            for (ahead, forecast) in heard.forecasts.iter().enumerate() {
                self.metrics.forecast_audited(ahead, forecast, theme);
            }
        }
        self.metrics.audited();
        Ok(())
    }
}

/// The themes of an answer's segments, by the labeller.
fn labels(
    classifier: &Classifier,
    encoder: &Encoder,
    answer: &[Heard],
) -> themecast_lab::Result<Vec<usize>> {
    let segment = |(number, heard): (usize, &Heard)| Segment {
        document: String::new(),
        split: Split::Test,
        segment: number as u32,
        first_token: number as u32,
        end_token: number as u32 + 1,
        text: heard.text.clone(),
    };
    let segments: Vec<Segment> = answer.iter().enumerate().map(segment).collect();
    if segments.is_empty() {
        return Ok(Vec::new());
    }
    let labeler =
        Classified { classifier: classifier.clone(), name: "shipped".into(), embedder: encoder };
    let labeling = labeler.label(&segments, &|_| {})?;
    Ok(labeling.assigned.into_iter().map(|theme| theme as usize).collect())
}
