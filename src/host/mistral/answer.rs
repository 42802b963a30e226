//! mistral.rs's responses as events, and what a request holds while it runs.

use super::{ending::Ending, pool::Place};
use crate::host::{Answer, Event, HostError};
use futures::{StreamExt, stream};
use mistralrs_core::{ChatCompletionChunkResponse, CompletionChunkResponse, Response};
use serde::Serialize;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use themecast_tap::Lease;
use tokio::sync::mpsc::{self, Receiver, UnboundedReceiver, UnboundedSender};

/// A request that an engine runs, and what it holds there.
pub(super) struct Running {
    pub(super) responses: Receiver<Response>,
    /// Given back before the place, where the next request takes its own.
    pub(super) lease: Option<Lease>,
    pub(super) place: Place,
    pub(super) cancelled: Arc<AtomicBool>,
}

/// Cancels a request whose answer nobody waits for any more.
struct CancelOnDrop(Arc<AtomicBool>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What comes of a request that runs, whose answer ends as `ending` says.
///
/// A task takes it to its end, whether its client reads, stalls or has left: so a client holds an
/// engine only while that writes, and mistral.rs 0.8.1, which kills its engine when it can't deliver
/// an answer that is not streamed, always can. What was not read yet waits, at most a whole answer.
pub(super) fn events(running: Running, ending: Ending) -> Answer {
    let (client, events) = mpsc::unbounded_channel();
    let waiting = CancelOnDrop(running.cancelled.clone());
    running.place.runtime().spawn(running.run(ending, client));
    let next = |(mut events, waiting): (UnboundedReceiver<Event>, CancelOnDrop)| async move {
        Some((events.recv().await?, (events, waiting)))
    };
    stream::unfold((events, waiting), next).boxed()
}

impl Running {
    async fn run(mut self, mut ending: Ending, client: UnboundedSender<Event>) {
        while let Some(response) = self.next(&client).await {
            let event = event(response, &mut ending);
            if matches!(&event, Event::Chunk { finish: None, .. }) {
                let _ = client.send(event);
                continue;
            }
            drop(self); // whoever hears of the end finds the place free
            let _ = client.send(event);
            return;
        }
        let died = self.place.free();
        let _ = client.send(match died {
            true => Event::Failed(HostError::EngineDied),
            false => ending.closing(),
        });
    }

    /// The next response; nothing is tapped once the client has left.
    async fn next(&mut self, client: &UnboundedSender<Event>) -> Option<Response> {
        if self.lease.is_some() {
            tokio::select! {
                response = self.responses.recv() => return response,
                () = client.closed() => self.lease = None,
            }
        }
        self.responses.recv().await
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
