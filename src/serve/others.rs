//! mistral.rs's own other routes: who may use them, which would pass by the alarms, and a place on
//! an engine for those that write answers.

use super::{ApiError, App, BODY_LIMIT, answer, keys};
use crate::host::{Held, Host, HostError};
use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::Method,
    response::{IntoResponse, Response},
};
use futures::{
    StreamExt,
    channel::{
        mpsc::{self, UnboundedSender},
        oneshot,
    },
};
use serde_json::Value;
use std::sync::Arc;
use tower::ServiceExt;

/// How the event begins with which mistral.rs says that an engine writes a streamed answer. From
/// then on the engine ends the answer by itself when nobody takes it.
const WRITING: &[u8] = b"event: response.in_progress";

/// Hands a request to the host's own routes.
pub(super) async fn pass(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, ApiError> {
    let ready = app.ready()?;
    let routes = ready.other_routes.clone();
    let routes = routes.ok_or(ApiError::NotFound("no such route".to_owned()))?;
    let kind = Kind::of(request.method(), request.uri().path());
    match kind {
        Kind::Changes | Kind::Tests if !keys::administers(&app, request.headers()) => {
            Err(ApiError::Unauthorized)
        }
        Kind::Changes => Err(invalid(
            "taps and forecasts are tied to the weights that this server has loaded: to serve \
             others, start it again with another --model",
        )),
        Kind::Answers if app.stops() => Err(invalid(
            "this server ends answers on alarms, which it cannot do on this route: use \
             /v1/chat/completions or /v1/completions",
        )),
        Kind::Answers => answers(&*ready.host, request).await,
        Kind::Tells | Kind::Tests => Ok(routes.oneshot(request).await.into_response()),
    }
}

fn invalid(message: &str) -> ApiError {
    ApiError::Invalid { message: message.to_owned(), param: None }
}

/// Lets a request that writes an answer through once an engine has a place for it.
async fn answers(host: &dyn Host, request: Request) -> Result<Response, ApiError> {
    let request = checked(request, host.at_once()).await?;
    let (routes, place) = host.answering_routes().await?;
    to_the_end(routes, request, place).await
}

/// Refuses what would run beside other answers, though its request holds one place.
async fn checked(request: Request, at_once: usize) -> Result<Request, ApiError> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, BODY_LIMIT).await.map_err(|_| ApiError::TooLarge(BODY_LIMIT))?;
    // What is no JSON the host refuses by itself.
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    answer::one_sequence(&asked, at_once)?;
    if asked["background"] == true {
        let why = "must be false: this server writes no answer that nobody waits for";
        return Err(ApiError::invalid("background", why));
    }
    Ok(Request::from_parts(parts, Body::from(body)))
}

/// Runs a request to its end in a task that holds its place, whether its client stays or not:
/// mistral.rs 0.8.1 kills its engine when it can't deliver an answer that is not streamed.
async fn to_the_end(routes: Router, request: Request, place: Held) -> Result<Response, ApiError> {
    let (reply, response) = oneshot::channel();
    tokio::spawn(async move {
        let (parts, body) = routes.oneshot(request).await.into_response().into_parts();
        let (client, pieces) = mpsc::unbounded::<Result<Bytes, axum::Error>>();
        let _ = reply.send(Response::from_parts(parts, Body::from_stream(pieces)));
        hand_on(body, client).await;
        drop(place);
    });
    response.await.map_err(|_| HostError::EngineDied.into())
}

/// Hands on a body piece by piece; to its end without a client too, unless the engine is writing and
/// so will end the answer at the next token.
async fn hand_on(body: Body, client: UnboundedSender<Result<Bytes, axum::Error>>) {
    let (mut pieces, mut writing) = (body.into_data_stream(), false);
    while let Some(piece) = pieces.next().await {
        writing |= piece.as_ref().is_ok_and(|piece| piece.starts_with(WRITING));
        if client.unbounded_send(piece).is_err() && writing {
            return;
        }
    }
}

/// What a route of the host does.
#[derive(Debug, PartialEq, Eq)]
enum Kind {
    /// It tells something, embeds, or forgets an answer that was kept.
    Tells,
    /// It writes an answer that no plugin sees.
    Answers,
    /// It tries out the machine.
    Tests,
    /// It changes the model that everybody uses.
    Changes,
}

impl Kind {
    fn of(method: &Method, path: &str) -> Self {
        let path = path.trim_end_matches('/');
        match (method, path) {
            (&Method::GET | &Method::HEAD | &Method::OPTIONS, _)
            | (_, "/v1/embeddings" | "/v1/models/status") => Self::Tells,
            (_, "/re_isq") => Self::Changes,
            (_, path) if path.starts_with("/v1/models") => Self::Changes,
            (_, path) if path.starts_with("/v1/system") => Self::Tests,
            (_, path) if path.starts_with("/v1/responses/") => Self::Tells,
            _ => Self::Answers,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_that_change_the_model_and_such_that_answer_are_told_apart() {
        for (method, path, kind) in [
            (Method::GET, "/v1/models", Kind::Tells),
            (Method::POST, "/v1/embeddings", Kind::Tells),
            (Method::POST, "/v1/models/unload", Kind::Changes),
            (Method::POST, "/v1/models/tune/", Kind::Changes),
            (Method::POST, "/re_isq", Kind::Changes),
            (Method::POST, "/v1/system/doctor", Kind::Tests),
            (Method::POST, "/v1/responses", Kind::Answers),
            (Method::POST, "/v1/responses/", Kind::Answers),
            (Method::DELETE, "/v1/responses/resp_1", Kind::Tells),
            (Method::POST, "/v1/responses/resp_1/cancel", Kind::Tells),
            (Method::POST, "/a/route/of/tomorrow", Kind::Answers),
        ] {
            assert_eq!(Kind::of(&method, path), kind, "{method} {path}");
        }
    }

    /// How many of `pieces` are taken for a client that has gone.
    async fn taken(pieces: &'static [&'static str]) -> usize {
        let (sender, received) = std::sync::mpsc::channel();
        let body = futures::stream::iter(pieces).map(move |piece| {
            let _ = sender.send(());
            Ok::<_, axum::Error>(*piece)
        });
        let (client, _) = mpsc::unbounded(); // whoever would receive is gone at once
        hand_on(Body::from_stream(body), client).await;
        received.iter().count()
    }

    #[tokio::test]
    async fn without_its_client_an_answer_goes_on_until_its_engine_can_end_it() {
        const CREATED: &str = "event: response.created\ndata: event: response.in_progress";
        assert_eq!(taken(&["{", "}"]).await, 2);
        assert_eq!(taken(&[CREATED, ": alive", "event: response.in_progress", "x"]).await, 3);
    }
}
