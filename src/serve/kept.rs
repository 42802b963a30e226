//! Answers that the host keeps for requests to go on from (`previous_response_id`): the latest ones,
//! since mistral.rs 0.8.1 forgets none by itself.

use axum::{Router, body::Body, http::Request, response::IntoResponse};
use parking_lot::Mutex;
use std::collections::VecDeque;
use tower::ServiceExt;

/// How many are kept.
const MOST: usize = 64;

/// The ids of the answers that are kept, the oldest first.
#[derive(Default)]
pub(super) struct Kept(Mutex<VecDeque<String>>);

impl Kept {
    /// The host behind `routes` may have kept an answer that begins with `head`: the oldest one is
    /// forgotten where that is one too many.
    pub(super) async fn add(&self, head: &[u8], routes: Router) {
        let Some(oldest) = id(head).and_then(|id| self.remember(id)) else { return };
        let request = Request::delete(format!("/v1/responses/{oldest}")).body(Body::empty());
        if let Ok(request) = request {
            let answered = routes.oneshot(request).await.into_response();
            tracing::debug!(oldest, status = %answered.status(), "a kept answer is forgotten");
        }
    }

    /// Remembers `id`; the one that is to be forgotten for it.
    fn remember(&self, id: String) -> Option<String> {
        let mut ids = self.0.lock();
        ids.push_back(id);
        if ids.len() > MOST { ids.pop_front() } else { None }
    }
}

/// The id of an answer that begins so, as a body or as events.
fn id(head: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(head);
    let (_, rest) = head.split_once("\"id\":\"resp_")?;
    let (id, _) = rest.split_once('"')?;
    Some(format!("resp_{id}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_one_goes() {
        let kept = Kept::default();
        let gone: Vec<String> =
            (0..MOST + 2).filter_map(|number| kept.remember(number.to_string())).collect();
        assert_eq!(gone, ["0", "1"]);
    }

    #[test]
    fn ids_are_found_in_bodies_and_events() {
        let check = |head: &str, found: Option<&str>| {
            assert_eq!(id(head.as_bytes()).as_deref(), found, "{head}");
        };
        check("{\"id\":\"resp_1a-b\",\"object\":\"response\"", Some("resp_1a-b"));
        check("event: response.created\ndata: {\"response\":{\"id\":\"resp_2\",", Some("resp_2"));
        check("{\"error\":{\"message\":\"no\"}}", None);
        check("{\"id\":\"resp_cut", None);
    }
}
