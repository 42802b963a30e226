//! mistral.rs's responses as events, and what a request holds while it runs.

use super::pool::Place;
use crate::host::{Answer, Event, HostError};
use futures::StreamExt;
use mistralrs_core::{ChatCompletionChunkResponse, CompletionChunkResponse, Response};
use serde::Serialize;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use themecast_tap::Lease;
use tokio::sync::mpsc::Receiver;

/// A request that an engine runs, and what it holds there.
pub(super) struct Running {
    pub(super) responses: Receiver<Response>,
    pub(super) place: Place,
    pub(super) lease: Option<Lease>,
    pub(super) cancelled: Arc<AtomicBool>,
}

/// Cancels a request that is dropped before its end.
///
/// The responses are taken to the end all the same: mistral.rs 0.8.1 kills its engine when it
/// can't deliver an answer that is not streamed.
struct CancelOnDrop(Option<Running>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        let Some(mut running) = self.0.take() else { return };
        running.cancelled.store(true, Ordering::Relaxed);
        running.lease = None;
        let runtime = running.place.runtime();
        runtime.spawn(async move {
            while running.responses.recv().await.is_some() {}
            running.place.free();
        });
    }
}

pub(super) fn events(running: Running) -> Answer {
    let stream = async_stream::stream! {
        let mut guard = CancelOnDrop(Some(running));
        let mut last = None;
        while let Some(response) = guard.next().await {
            let event = event(response);
            if let Event::Chunk { json, finish: None, .. } = &event {
                last = Some(json.clone());
                yield event;
                continue;
            }
            guard.0 = None; // it has ended: nothing is left to cancel
            yield event;
            return;
        }
        let died = guard.0.take().is_some_and(|running| running.place.free());
        yield match (died, last) {
            (true, _) => Event::Failed(HostError::EngineDied),
            (false, Some(last)) => closing(&last),
            (false, None) => Event::Failed(HostError::Model("the model gave no answer".to_owned())),
        };
    };
    stream.boxed()
}

impl CancelOnDrop {
    async fn next(&mut self) -> Option<Response> {
        self.0.as_mut()?.responses.recv().await
    }
}

fn event(response: Response) -> Event {
    match response {
        Response::Chunk(chunk) => chat_chunk(&chunk),
        Response::CompletionChunk(chunk) => completion_chunk(&chunk),
        Response::Done(body) => {
            let finish = body.choices.first().map(|choice| choice.finish_reason.clone());
            Event::Done { json: json(&body), finish: finish.unwrap_or_default() }
        }
        Response::CompletionDone(body) => {
            let finish = body.choices.first().map(|choice| choice.finish_reason.clone());
            Event::Done { json: json(&body), finish: finish.unwrap_or_default() }
        }
        Response::ValidationError(error) => Event::Failed(HostError::Invalid(error.to_string())),
        Response::InternalError(error) => Event::Failed(HostError::Model(error.to_string())),
        Response::ModelError(message, _) => Event::Failed(HostError::Model(message)),
        Response::CompletionModelError(message, _) => Event::Failed(HostError::Model(message)),
        _ => Event::Failed(HostError::Model(
            "the model answered with something else than text".to_owned(),
        )),
    }
}

fn chat_chunk(chunk: &ChatCompletionChunkResponse) -> Event {
    let choice = chunk.choices.first();
    let content = choice.and_then(|choice| choice.delta.content.clone());
    Event::Chunk {
        json: json(chunk),
        text: content.unwrap_or_default(),
        finish: choice.and_then(|choice| choice.finish_reason.clone()),
    }
}

fn completion_chunk(chunk: &CompletionChunkResponse) -> Event {
    let choice = chunk.choices.first();
    Event::Chunk {
        json: json(chunk),
        text: choice.map(|choice| choice.text.clone()).unwrap_or_default(),
        finish: choice.and_then(|choice| choice.finish_reason.clone()),
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}"))
}

/// The last chunk that mistral.rs leaves out when an answer ends within a character.
fn closing(last: &str) -> Event {
    let mut chunk: serde_json::Value = serde_json::from_str(last).unwrap_or_default();
    if let Some(choice) = chunk.pointer_mut("/choices/0") {
        choice["finish_reason"] = "length".into();
        let text = if choice.get("delta").is_some() {
            &mut choice["delta"]["content"]
        } else {
            &mut choice["text"]
        };
        *text = "".into();
    }
    Event::Chunk { json: chunk.to_string(), text: String::new(), finish: Some("length".to_owned()) }
}
