//! Putting annotations into chunks and bodies, and keeping them for traces and the live feed.

use super::{
    App,
    ask::{Ask, Every},
    traces::Said,
};
use crate::session::{Annotations, Outcome};
use serde_json::{Value, json};
use std::{pin::pin, sync::Arc};
use themecast_plugin_api::EndReason;

/// OpenAI's `finish_reason` of answers that are ended before their time.
const CONTENT_FILTER: &str = "content_filter";

/// Annotates one answer.
pub(super) struct Annotator {
    app: Arc<App>,
    id: String,
    every: Option<Every>,
    /// The session; or nothing to say; or why there is no session.
    annotations: Result<Option<Annotations>, String>,
    said: Said,
    told: bool,
    /// Chunks may carry tokens that were held back because they could be a call of a tool.
    held_back: bool,
    /// The trace of the whole answer is kept.
    ended: bool,
}

impl Annotator {
    pub(super) fn new(
        app: Arc<App>,
        id: String,
        asked: Option<Ask>,
        annotations: Result<Option<Annotations>, String>,
    ) -> Self {
        let every = asked.map(|ask| ask.every);
        let (said, told, held_back, ended) = (Said::default(), false, false, false);
        Self { app, id, every, annotations, said, told, held_back, ended }
    }

    /// The same for an answer that may call tools.
    pub(super) fn with_tools(mut self, tools: bool) -> Self {
        self.held_back = tools;
        self
    }

    /// Waits for an answer that is not streamed; what is said of it is taken as it comes, so that it
    /// neither piles up nor reaches the live feed all at once.
    pub(super) async fn meanwhile<T>(&mut self, answer: impl Future<Output = T>) -> T {
        let mut answer = pin!(answer);
        loop {
            let Ok(Some(annotations)) = &mut self.annotations else { return answer.await };
            let said = tokio::select! {
                biased;
                answered = &mut answer => return answered,
                said = annotations.said() => said,
            };
            let Some(said) = said else { return answer.await };
            self.keep("", Some(&plain(&said.value)));
        }
    }

    /// A chunk that is not the last, with its annotation where one is due.
    pub(super) async fn chunk(&mut self, json: String, text: &str) -> String {
        let outcome = self.of_chunk(text).await;
        let due = match (&outcome, self.every) {
            (_, None | Some(Every::Final)) => false,
            (Ok(Some(annotation)), Some(Every::Segment)) => annotation.milestone,
            (Err(_), Some(Every::Segment)) => !std::mem::replace(&mut self.told, true),
            (_, Some(Every::Token)) => true,
            (Ok(None), Some(Every::Segment)) => false,
        };
        let value = value(outcome);
        self.keep(text, value.as_ref());
        self.mark(json, value.filter(|_| due))
    }

    /// The last chunk, with the summary of the whole answer.
    pub(super) async fn last(&mut self, json: String, text: &str, reason: EndReason) -> String {
        if let Ok(Some(_)) = &self.annotations {
            let outcome = self.of_chunk(text).await;
            self.keep(text, value(outcome).as_ref());
        }
        self.whole(json, reason).await
    }

    /// A whole body, with the summary of the answer.
    pub(super) async fn whole(&mut self, json: String, reason: EndReason) -> String {
        let outcome = match &mut self.annotations {
            Ok(Some(annotations)) => annotations.summary(reason).await,
            Ok(None) => return self.mark(json, None),
            Err(error) => Err(error.clone()),
        };
        if let Ok(Some(annotations)) = &mut self.annotations {
            let rest = annotations.drain();
            rest.iter().for_each(|annotation| self.keep("", Some(&plain(&annotation.value))));
        }
        let summary = value(outcome);
        self.app.traces.keep(&self.id, &self.said, summary.as_ref());
        if let Some(summary) = &summary {
            self.app.live.send(&self.id, "", summary);
        }
        self.ended = true;
        let due = self.every.is_some();
        let json = if self.stopped() { content_filter(json) } else { json };
        self.mark(json, summary.filter(|_| due))
    }

    /// The `finish_reason` of the answer: the host's, unless it was ended before its time.
    pub(super) fn finish<'a>(&self, host: &'a str) -> &'a str {
        if self.stopped() { CONTENT_FILTER } else { host }
    }

    /// What was said of a chunk; of its other tokens the trace and the live feed hear alone.
    async fn of_chunk(&mut self, text: &str) -> Outcome {
        let annotations = match &mut self.annotations {
            Ok(Some(annotations)) => annotations,
            Ok(None) => return Ok(None),
            Err(error) => return Err(error.clone()),
        };
        let outcome = match self.held_back {
            true => annotations.of_held_chunk(text).await,
            false => annotations.of_chunk().await,
        };
        let passed = annotations.passed().iter();
        for value in passed.map(|annotation| plain(&annotation.value)) {
            self.app.live.send(&self.id, "", &value);
            self.said.push(&value);
        }
        outcome
    }

    fn stopped(&self) -> bool {
        matches!(&self.annotations, Ok(Some(annotations)) if annotations.stopped())
    }

    fn keep(&mut self, text: &str, value: Option<&Value>) {
        if let Some(value) = value {
            self.app.live.send(&self.id, text, value);
            self.said.push(value);
        }
    }

    /// The host's own JSON, to the byte, for those who ask for nothing; otherwise with the
    /// completion's id, under which its trace is found, and the annotation where one is due.
    fn mark(&self, json: String, annotation: Option<Value>) -> String {
        if self.every.is_none() {
            return json;
        }
        let Ok(Value::Object(mut chunk)) = serde_json::from_str(&json) else { return json };
        chunk.insert("id".to_owned(), self.id.clone().into());
        if let Some(annotation) = annotation {
            chunk.insert("themecast".to_owned(), annotation);
        }
        Value::Object(chunk).to_string()
    }
}

impl Drop for Annotator {
    /// Of an answer that failed or whose client left, what was said so far is kept.
    fn drop(&mut self) {
        if !self.ended && !self.said.is_empty() {
            self.app.traces.keep(&self.id, &self.said, None);
        }
    }
}

/// The last chunk or the body of an answer that was ended before its time.
fn content_filter(json: String) -> String {
    let Ok(mut body) = serde_json::from_str::<Value>(&json) else { return json };
    match body.pointer_mut("/choices/0/finish_reason") {
        Some(reason) => *reason = CONTENT_FILTER.into(),
        None => return json,
    }
    body.to_string()
}

fn value(outcome: Outcome) -> Option<Value> {
    match outcome {
        Ok(annotation) => annotation.map(|annotation| plain(&annotation.value)),
        Err(error) => Some(json!({"error": error})),
    }
}

fn plain(value: &themecast_plugin_api::Value) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}
