//! The feed of annotations of running completions, for dashboards.

use super::App;
use axum::{
    extract::State,
    response::sse::{Event, KeepAlive, Sse},
};
use futures::Stream;
use parking_lot::RwLock;
use serde_json::{Value, json};
use std::{convert::Infallible, sync::Arc};
use tokio::sync::broadcast::{self, error::RecvError};

/// How many annotations a slow watcher may lag behind before it misses some.
const BEHIND: usize = 1024;

/// Sends annotations to whoever watches; nobody waits for a watcher. Empty once it was closed.
pub(super) struct Live(RwLock<Option<broadcast::Sender<Arc<str>>>>);

impl Default for Live {
    fn default() -> Self {
        Self(RwLock::new(Some(broadcast::Sender::new(BEHIND))))
    }
}

impl Live {
    /// Sends one annotation of completion `id`, with the text of its chunk.
    pub(super) fn send(&self, id: &str, text: &str, annotation: &Value) {
        let Some(feed) = self.0.read().clone() else { return };
        if feed.receiver_count() > 0 {
            let event = json!({"id": id, "text": text, "themecast": annotation});
            let _ = feed.send(event.to_string().into());
        }
    }

    /// Ends every feed, so that a server that stops waits for no watcher.
    pub(super) fn close(&self) {
        self.0.write().take();
    }
}

pub(super) async fn feed(
    State(app): State<Arc<App>>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let events = app.live.0.read().as_ref().map(broadcast::Sender::subscribe);
    let stream = async_stream::stream! {
        let Some(mut events) = events else { return };
        loop {
            match events.recv().await {
                Ok(event) => yield Ok(Event::default().data(&*event)),
                Err(RecvError::Lagged(missed)) => {
                    yield Ok(Event::default().event("missed").data(missed.to_string()));
                }
                Err(RecvError::Closed) => return,
            }
        }
    };
    Sse::new(stream).keep_alive(KeepAlive::default())
}
