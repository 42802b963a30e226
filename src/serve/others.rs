//! mistral.rs's own other routes: who may use them, which would pass by the alarms, and a place on
//! an engine for those that write answers.

use super::{ApiError, App, ask, keys, refused, said::Said};
use crate::{
    host::{Held, Host, HostError},
    metrics::{Alive, Served},
};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::{FromRequest, Request, State},
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
use serde_json::{Map, Value};
use std::sync::Arc;
use tower::ServiceExt;

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
        Kind::Answers => {
            let answered = answers(&app, &*ready.host, request).await;
            answered.inspect_err(|error| app.metrics.answered(Served::Other, error.status()))
        }
        Kind::Tells | Kind::Tests => Ok(routes.oneshot(request).await.into_response()),
    }
}

fn invalid(message: &str) -> ApiError {
    ApiError::Invalid { message: message.to_owned(), param: None }
}

/// Lets a request that writes an answer through once an engine has a place for it.
async fn answers(app: &Arc<App>, host: &dyn Host, request: Request) -> Result<Response, ApiError> {
    let in_flight = app.metrics.request();
    let request = checked(request, host.at_once()).await?;
    let (routes, place) = host.answering_routes().await?;
    to_the_end(app.clone(), (routes, request), (place, in_flight)).await
}

/// Refuses what would run beside other answers, though its request holds one place.
async fn checked(request: Request, at_once: usize) -> Result<Request, ApiError> {
    let (parts, body) = request.into_parts();
    let body = Bytes::from_request(Request::from_parts(parts.clone(), body), &()).await?;
    // mistral.rs reads some bodies that this can't hold, or that are no object: they would pass unseen.
    let asked: Map<String, Value> = serde_json::from_slice(&body)
        .map_err(|error| invalid(&format!("the body must be a JSON object: {error}")))?;
    let asked = Value::Object(asked);
    if asked.get("themecast").is_some() || parts.headers.contains_key(ask::HEADER) {
        let why = "is for /v1/chat/completions and /v1/completions alone";
        return Err(ApiError::invalid("themecast", why));
    }
    refused::check(&asked, at_once)?;
    if asked["background"] == true {
        let why = "must be false: this server writes no answer that nobody waits for";
        return Err(ApiError::invalid("background", why));
    }
    Ok(Request::from_parts(parts, Body::from(body)))
}

/// Runs a request to its end in a task that holds its place, whether its client stays or not:
/// mistral.rs 0.8.1 kills its engine when it can't deliver an answer that is not streamed.
async fn to_the_end(
    app: Arc<App>,
    (routes, request): (Router, Request),
    held: (Held, Alive),
) -> Result<Response, ApiError> {
    let (reply, response) = oneshot::channel();
    tokio::spawn(async move {
        let (parts, body) = routes.clone().oneshot(request).await.into_response().into_parts();
        let (client, pieces) = mpsc::unbounded::<Result<Bytes, axum::Error>>();
        let status = parts.status;
        let _ = reply.send(Response::from_parts(parts, Body::from_stream(pieces)));
        let mut said = hand_on(body, client).await;
        drop(held);
        app.metrics.answered(Served::Other, status);
        if let Some(tokens) = said.tokens() {
            app.metrics.tokens(tokens.prompt, tokens.completion);
        }
        app.kept.add(&said.head, routes).await;
    });
    response.await.map_err(|_| HostError::EngineDied.into())
}

/// Hands on a body piece by piece, and takes it to its end without a client too: until then the engine
/// writes. Returns what it says of itself.
async fn hand_on(body: Body, client: UnboundedSender<Result<Bytes, axum::Error>>) -> Said {
    let (mut pieces, mut said) = (body.into_data_stream(), Said::default());
    while let Some(piece) = pieces.next().await {
        if let Ok(piece) = &piece {
            said.take(piece);
        }
        let _ = client.unbounded_send(piece);
    }
    said
}

/// mistral.rs 0.8.1's routes that write answers, beside the two that are ours.
const WRITES: [&str; 3] = ["/v1/responses", "/v1/images/generations", "/v1/audio/speech"];

/// What a route of the host does.
#[derive(Debug, PartialEq, Eq)]
enum Kind {
    /// It tells something, embeds, or forgets an answer that was kept; or it is none.
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
        match (method, path.trim_end_matches('/')) {
            (&Method::POST, "/v1/models/status") => Self::Tells,
            (&Method::POST, "/v1/models/unload" | "/v1/models/reload" | "/v1/models/tune")
            | (&Method::POST, "/re_isq") => Self::Changes,
            (&Method::POST, "/v1/system/doctor") => Self::Tests,
            (&Method::POST, path) if WRITES.contains(&path) => Self::Answers,
            _ => Self::Tells,
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
            (Method::POST, "/v1/images/generations", Kind::Answers),
            (Method::POST, "/v1/models", Kind::Tells),
            (Method::POST, "/no/route", Kind::Tells),
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
    async fn without_its_client_an_answer_goes_on_to_its_end() {
        assert_eq!(taken(&["{", "}"]).await, 2);
        assert_eq!(taken(&["event: response.created", ": alive", "data: x"]).await, 3);
    }
}
