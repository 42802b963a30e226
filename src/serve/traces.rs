//! Every annotation of recent completions, bounded in memory, the oldest dropped first.

use super::{ApiError, App};
use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::header,
    response::{IntoResponse, Response},
};
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

/// How many bytes of traces are kept.
const KEPT_BYTES: usize = 64 << 20;

/// How many bytes of one answer's annotations are kept; the rest of them is left out.
const ANSWER_BYTES: usize = 4 << 20;

/// What was said of one answer so far, as JSON.
#[derive(Default)]
pub(super) struct Said {
    /// Separated by commas.
    annotations: String,
    truncated: bool,
}

impl Said {
    /// Adds an annotation, unless the answer has too many.
    pub(super) fn push(&mut self, annotation: &Value) {
        self.push_within(annotation, ANSWER_BYTES);
    }

    fn push_within(&mut self, annotation: &Value, limit: usize) {
        if self.truncated {
            return;
        }
        let annotation = annotation.to_string();
        self.truncated = self.annotations.len() + annotation.len() > limit;
        if self.truncated {
            return;
        }
        if !self.annotations.is_empty() {
            self.annotations.push(',');
        }
        self.annotations.push_str(&annotation);
    }

    /// Nothing was said yet.
    pub(super) fn is_empty(&self) -> bool {
        self.annotations.is_empty()
    }

    /// The trace of completion `id`.
    fn trace(&self, id: &str, summary: Option<&Value>) -> String {
        let Self { annotations, truncated } = self;
        let (id, summary) = (json!(id), summary.unwrap_or(&Value::Null));
        let truncated = if *truncated { r#""truncated":true,"# } else { "" };
        format!(r#"{{"id":{id},{truncated}"annotations":[{annotations}],"summary":{summary}}}"#)
    }
}

/// The traces of recent completions.
#[derive(Default)]
pub(super) struct Traces(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    by_id: HashMap<String, Arc<str>>,
    oldest: VecDeque<String>,
    bytes: usize,
}

impl Traces {
    /// Keeps what was said of completion `id`.
    pub(super) fn keep(&self, id: &str, said: &Said, summary: Option<&Value>) {
        self.0.lock().keep(id, said.trace(id, summary).into(), KEPT_BYTES);
    }

    fn get(&self, id: &str) -> Option<Arc<str>> {
        self.0.lock().by_id.get(id).cloned()
    }
}

impl Kept {
    fn keep(&mut self, id: &str, trace: Arc<str>, limit: usize) {
        self.bytes += trace.len();
        self.by_id.insert(id.to_owned(), trace);
        self.oldest.push_back(id.to_owned());
        while self.bytes > limit {
            let Some(oldest) = self.oldest.pop_front() else { return };
            self.bytes -= self.by_id.remove(&oldest).map_or(0, |trace| trace.len());
        }
    }
}

pub(super) async fn get(
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let Path(id) =
        id.map_err(|error| ApiError::Invalid { message: error.body_text(), param: None })?;
    let unknown = || {
        ApiError::NotFound(format!(
            "no trace of completion '{id}': it is unknown, runs still, or is too old"
        ))
    };
    let trace = app.traces.get(&id).ok_or_else(unknown)?;
    Ok(([(header::CONTENT_TYPE, "application/json")], trace.to_string()).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_json_and_ends_where_it_would_be_too_long() {
        let mut said = Said::default();
        for token in 0..3 {
            said.push_within(&json!({"token": token}), 24);
        }
        let trace: Value = serde_json::from_str(&said.trace("a\"b", Some(&json!(7)))).unwrap();
        let annotations = json!([{"token": 0}, {"token": 1}]);
        let all =
            json!({"id": "a\"b", "truncated": true, "annotations": annotations, "summary": 7});
        assert_eq!(trace, all);
        let empty: Value = serde_json::from_str(&Said::default().trace("c", None)).unwrap();
        assert_eq!(empty, json!({"id": "c", "annotations": [], "summary": null}));
    }

    #[test]
    fn the_oldest_go_first() {
        let mut kept = Kept::default();
        for id in ["a", "b", "c"] {
            kept.keep(id, "0123456789".into(), 25);
        }
        assert!(!kept.by_id.contains_key("a"));
        assert!(kept.by_id.contains_key("b") && kept.by_id.contains_key("c"));
        assert_eq!((kept.bytes, kept.oldest.len()), (20, 2));
    }
}
