//! mistral.rs's responses as events, and what a request holds while it runs.

use super::{ending::Ending, pool::Place};
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

/// What comes of a request that runs, whose answer ends as `ending` says.
pub(super) fn events(running: Running, mut ending: Ending) -> Answer {
    let mut guard = CancelOnDrop(Some(running));
    let stream = async_stream::stream! {
        while let Some(response) = guard.next().await {
            let event = event(response, &mut ending);
            if matches!(&event, Event::Chunk { finish: None, .. }) {
                yield event;
                continue;
            }
            drop(guard.0.take()); // it has ended: nothing is left to cancel
            yield event;
            return;
        }
        let died = guard.0.take().is_some_and(|running| running.place.free());
        yield if died { Event::Failed(HostError::EngineDied) } else { ending.closing() };
    };
    stream.boxed()
}

impl CancelOnDrop {
    async fn next(&mut self) -> Option<Response> {
        self.0.as_mut()?.responses.recv().await
    }
}

fn event(response: Response, ending: &mut Ending) -> Event {
    match response {
        Response::Chunk(chunk) => chat_chunk(&chunk, ending),
        Response::CompletionChunk(chunk) => completion_chunk(&chunk, ending),
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

fn chat_chunk(chunk: &ChatCompletionChunkResponse, ending: &mut Ending) -> Event {
    let reasons = chunk.choices.iter().map(|choice| (choice.index, &choice.finish_reason));
    let finish = ending.finish(reasons);
    let content = chunk.choices.first().and_then(|choice| choice.delta.content.clone());
    ending.chunk(json(chunk), content.unwrap_or_default(), finish)
}

fn completion_chunk(chunk: &CompletionChunkResponse, ending: &mut Ending) -> Event {
    let reasons = chunk.choices.iter().map(|choice| (choice.index, &choice.finish_reason));
    let finish = ending.finish(reasons);
    let text = chunk.choices.first().map(|choice| choice.text.clone());
    ending.chunk(json(chunk), text.unwrap_or_default(), finish)
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}"))
}
