//! A streamed reply: server-sent events, each chunk with its annotation, `[DONE]` at the end.

use super::{ApiError, annotate::Annotator, meter::Meter};
use crate::host::{Answer, Event as Answered};
use axum::http::StatusCode;
use axum::response::{
    IntoResponse, Response,
    sse::{Event, KeepAlive, Sse},
};
use futures::{Stream, StreamExt};
use std::{
    convert::Infallible,
    sync::Arc,
    task::Poll,
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
        let (mut before, mut first) = (None::<Instant>, true);
        let mut status = StatusCode::OK;
        loop {
            let (event, waited) = next(&mut answered).await;
            let Some(event) = event else { break };
            // The first one was waited for before there was a stream.
            let came = (std::mem::take(&mut first) || waited).then(Instant::now);
            match event {
                Answered::Chunk { json, text, finish, tokens } => {
                    meter.counted(tokens);
                    if let Some(finish) = &finish {
                        let reason = EndReason::from_finish_reason(finish);
                        let json = annotator.last(json, &text, reason).await;
                        meter.usage(&json, annotator.finish(finish));
                        yield Ok(Event::default().data(json));
                        break;
                    }
                    if let (Some(before), Some(came)) = (before, came) {
                        meter.next_token(came - before);
                    }
                    before = came;
                    yield Ok(Event::default().data(annotator.chunk(json, &text).await));
                }
                Answered::Done { json, .. } => yield Ok(Event::default().data(json)),
                Answered::Failed(error) => {
                    let error = ApiError::from(error);
                    status = error.status();
                    yield Ok(Event::default().data(error.body().to_string()));
                    break;
                }
            }
        }
        meter.ended(status);
        yield Ok(Event::default().data("[DONE]"));
    }
}

/// The next event, and whether it had to be waited for: one that lay there already, because the
/// client reads slowly, does not tell when it came.
async fn next(answered: &mut (impl Stream<Item = Answered> + Unpin)) -> (Option<Answered>, bool) {
    let mut next = answered.next();
    match futures::poll!(&mut next) {
        Poll::Ready(event) => (event, false),
        Poll::Pending => (next.await, true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::channel::mpsc;

    #[tokio::test]
    async fn what_lay_there_already_was_not_waited_for() {
        let done = || Answered::Done { json: String::new(), finish: String::new() };
        let (sender, mut answered) = mpsc::unbounded();
        sender.unbounded_send(done()).unwrap();
        assert!(matches!(next(&mut answered).await, (Some(_), false)));
        let later = tokio::spawn(async move {
            tokio::task::yield_now().await;
            sender.unbounded_send(done()).unwrap();
        });
        assert!(matches!(next(&mut answered).await, (Some(_), true)));
        later.await.unwrap();
    }
}
