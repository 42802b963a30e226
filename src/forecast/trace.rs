//! The forecast's part of a request's trace: its segments, its forecasts, its alarms.

use parking_lot::Mutex;
use themecast_forecast::events::Raised;
use themecast_telemetry::{Evaluation, end_segment, evaluation, forecast_span, segment_span};
use tracing::Span;

/// The spans of one answer, children of the request's.
pub(super) struct Trace {
    request: Span,
    id: String,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    segment: Option<Span>,
    /// From a segment's end to the forecasts of the next ones.
    forecast: Option<Span>,
    segments: usize,
}

impl Trace {
    /// Of the answer `id`, whose request's span is the current one.
    pub(super) fn here(id: &str) -> Self {
        Self { request: Span::current(), id: id.to_owned(), open: Mutex::default() }
    }

    pub(super) fn segment_begins(&self) {
        let mut open = self.open.lock();
        open.forecast = None;
        open.segment = Some(segment_span(&self.request, open.segments));
    }

    /// The segment has ended before token `end`.
    pub(super) fn segment_ended(
        &self,
        end: usize,
        theme: Option<&str>,
        surprise_nats: Option<f32>,
    ) {
        let mut open = self.open.lock();
        if let Some(segment) = open.segment.take() {
            end_segment(segment, theme, surprise_nats.map(f64::from));
        }
        open.segments += 1;
        open.forecast = Some(forecast_span(&self.request, end, open.segments));
    }

    pub(super) fn alarm(&self, event: &Raised<'_>, label: &str) {
        let explanation = match event.watch {
            Some(watch) => format!("watch {watch}: a watched theme became likely"),
            None => format!("detector {} reached its alarm level", event.detector.name()),
        };
        evaluation(
            &self.request,
            Evaluation {
                detector: event.detector.name(),
                response_id: &self.id,
                score: f64::from(event.score),
                label,
                token: event.token,
                segment: event.segment,
                explanation: &explanation,
            },
        );
    }

    /// The answer has ended: what is open ends with it.
    pub(super) fn ended(&self) {
        *self.open.lock() = Open::default();
    }
}
