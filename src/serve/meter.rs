//! Measuring one request: its metrics and its trace.

use super::App;
use crate::{
    host::{Route, Tokens},
    metrics::{Alive, Served},
};
use axum::http::{HeaderMap, StatusCode};
use parking_lot::Mutex;
use serde_json::Value;
use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use themecast_telemetry::{Finish, Operation, RequestSpan};
use tracing::Span;

/// The status under which requests are counted whose client went away.
const CLIENT_GONE: u16 = 499;

/// Measures one request; one that is dropped before its end was left by its client.
pub(super) struct Meter {
    pub(super) route: Route,
    app: Arc<App>,
    begun: Instant,
    ended: AtomicBool,
    span: OnceLock<Span>,
    /// The span until the first token.
    prefill: Mutex<Option<Span>>,
    used: Mutex<Used>,
    _in_flight: Alive,
}

/// What an answer took, once it is known.
#[derive(Default)]
struct Used {
    prompt: Option<u64>,
    completion: Option<u64>,
    finish: String,
}

impl Meter {
    pub(super) fn new(app: &Arc<App>, route: Route) -> Arc<Self> {
        Arc::new(Self {
            route,
            _in_flight: app.metrics.request(),
            app: app.clone(),
            begun: Instant::now(),
            ended: AtomicBool::new(false),
            span: OnceLock::new(),
            prefill: Mutex::default(),
            used: Mutex::default(),
        })
    }

    /// Begins the trace of the answer `id` of `model`, as a part of the client's where it has one.
    pub(super) fn trace(&self, body: &Value, headers: &HeaderMap, (model, id): (&str, &str)) {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let operation = match self.route {
            Route::Chat => Operation::Chat,
            Route::Completion => Operation::TextCompletion,
        };
        let span = themecast_telemetry::request_span(RequestSpan {
            traceparent: header("traceparent"),
            tracestate: header("tracestate"),
            max_tokens: body["max_tokens"].as_u64(),
            temperature: body["temperature"].as_f64(),
            stream: body["stream"].as_bool().unwrap_or(false),
            ..RequestSpan::new(operation, model, id)
        });
        *self.prefill.lock() = Some(themecast_telemetry::prefill_span(&span));
        let _ = self.span.set(span);
    }

    /// The trace that the request belongs to: ours, or at least its client's.
    pub(super) fn trace_id(&self, headers: &HeaderMap) -> Option<String> {
        let client = || {
            let header = headers.get("traceparent")?.to_str().ok()?;
            themecast_telemetry::client_trace_id(header)
        };
        themecast_telemetry::trace_id(&self.span()).or_else(client)
    }

    /// The request's span; one that does nothing where there is no trace.
    pub(super) fn span(&self) -> Span {
        self.span.get().cloned().unwrap_or_else(Span::none)
    }

    /// The request has been answered with `status`.
    pub(super) fn ended(&self, status: StatusCode) {
        if self.ended.swap(true, Ordering::AcqRel) {
            return;
        }
        self.app.metrics.answered(Served::Forecast(self.route), status);
        self.prefill.lock().take();
        let used = self.used.lock();
        self.app.metrics.tokens(used.prompt.unwrap_or(0), used.completion.unwrap_or(0));
        let finish = Finish {
            input_tokens: used.prompt,
            output_tokens: used.completion,
            finish_reason: if status.as_u16() >= 400 { "error" } else { &used.finish },
            status: status.as_u16(),
        };
        themecast_telemetry::finish(&self.span(), finish);
    }

    /// The first token has come.
    pub(super) fn first_token(&self) {
        self.prefill.lock().take();
        self.app.metrics.first_token(self.begun.elapsed());
    }

    /// A further token has come, `gap` after the one before.
    pub(super) fn next_token(&self, gap: Duration) {
        self.app.metrics.inter_token(gap);
    }

    /// Takes the tokens that the host has counted so far: all that is known of an answer whose client
    /// leaves, and of one without `usage`.
    pub(super) fn counted(&self, tokens: Option<Tokens>) {
        let Some(Tokens { prompt, completion }) = tokens else { return };
        let mut used = self.used.lock();
        (used.prompt, used.completion) = (Some(prompt), Some(completion));
    }

    /// Takes the tokens that a body or last chunk says were used; the answer ended for `finish`.
    pub(super) fn usage(&self, json: &str, finish: &str) {
        let body: Value = serde_json::from_str(json).unwrap_or_default();
        let said = |kind: &str| body["usage"][kind].as_u64();
        let mut used = self.used.lock();
        used.prompt = said("prompt_tokens").or(used.prompt);
        used.completion = said("completion_tokens").or(used.completion);
        finish.clone_into(&mut used.finish);
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.ended(StatusCode::from_u16(CLIENT_GONE).unwrap_or(StatusCode::BAD_REQUEST));
    }
}
