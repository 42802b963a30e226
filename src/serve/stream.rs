//! A streamed reply: server-sent events, each chunk with its annotation, `[DONE]` at the end.

use super::{ApiError, annotate::Annotator, meter::Meter};
use crate::host::{Answer, Event as Answered};
use axum::response::{
    IntoResponse, Response,
    sse::{Event, KeepAlive, Sse},
};
use futures::{Stream, StreamExt};
use std::{
    convert::Infallible,
    sync::Arc,
    time::{Duration, Instant},
};
use themecast_plugin_api::EndReason;

/// How often an idle stream says that it lives, as mistral.rs does.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

pub(super) fn reply(
    first: Answered,
    rest: Answer,
    annotator: Annotator,
    meter: Arc<Meter>,
) -> Response {
    let events = events(futures::stream::iter([first]).chain(rest), annotator, meter);
    Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()
}

fn events(
    mut answered: impl Stream<Item = Answered> + Send + Unpin + 'static,
    mut annotator: Annotator,
    meter: Arc<Meter>,
) -> impl Stream<Item = Result<Event, Infallible>> + Send + 'static {
    async_stream::stream! {
        meter.first_token();
        let mut before = Instant::now();
        let mut status = 200;
        while let Some(event) = answered.next().await {
            match event {
                Answered::Chunk { json, text, finish } => {
                    if let Some(finish) = &finish {
                        let reason = EndReason::from_finish_reason(finish);
                        let json = annotator.last(json, &text, reason).await;
                        meter.usage(&json, annotator.finish(finish));
                        yield Ok(Event::default().data(json));
                        break;
                    }
                    yield Ok(Event::default().data(annotator.chunk(json, &text).await));
                    meter.next_token(before);
                    before = Instant::now();
                }
                Answered::Done { json, .. } => yield Ok(Event::default().data(json)),
                Answered::Failed(error) => {
                    let error = ApiError::from(error);
                    status = error.status().as_u16();
                    yield Ok(Event::default().data(error.body().to_string()));
                    break;
                }
            }
        }
        meter.ended(status);
        yield Ok(Event::default().data("[DONE]"));
    }
}
