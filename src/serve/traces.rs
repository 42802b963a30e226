//! Every annotation of recent completions, bounded in memory, the oldest dropped first.

use super::{ApiError, App};
use axum::{
    extract::{Path, State},
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
    /// Keeps the annotations of completion `id`.
    pub(super) fn keep(&self, id: &str, annotations: &[Value], summary: &Value) {
        let trace = json!({"id": id, "annotations": annotations, "summary": summary}).to_string();
        self.0.lock().keep(id, trace.into(), KEPT_BYTES);
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
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
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
