//! mistral.rs's own other routes: who may use them, and which would pass by the alarms.

use super::{ApiError, App, keys};
use axum::{
    extract::{Request, State},
    http::Method,
    response::{IntoResponse, Response},
};
use std::sync::Arc;
use tower::ServiceExt;

/// Hands a request to the host's own routes.
pub(super) async fn pass(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, ApiError> {
    let routes = app.ready()?.other_routes.clone();
    let routes = routes.ok_or(ApiError::NotFound("no such route".to_owned()))?;
    match Kind::of(request.method(), request.uri().path()) {
        Kind::Changes if !keys::administers(&app, request.headers()) => Err(ApiError::Unauthorized),
        Kind::Answers if app.stops() => Err(ApiError::Invalid {
            message: "this server ends answers on alarms, which it cannot do on this route: use \
                      /v1/chat/completions or /v1/completions"
                .to_owned(),
            param: None,
        }),
        _ => Ok(routes.oneshot(request).await.into_response()),
    }
}

/// What a route of the host does.
#[derive(Debug, PartialEq, Eq)]
enum Kind {
    /// It tells something, or embeds.
    Tells,
    /// It writes an answer that no plugin sees.
    Answers,
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
            (_, path) if path.starts_with("/v1/models") || path.starts_with("/v1/system") => {
                Self::Changes
            }
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
            (Method::POST, "/v1/responses", Kind::Answers),
            (Method::POST, "/a/route/of/tomorrow", Kind::Answers),
        ] {
            assert_eq!(Kind::of(&method, path), kind, "{method} {path}");
        }
    }
}
