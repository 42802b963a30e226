//! The HTTP server: OpenAI's routes with the `themecast` field, and Themecast's own.
//!
//! The only place that answers HTTP. `ask` reads what a client wants, `refused` says what it may not,
//! `answer` runs a request, `stream` and `annotate` write it out, `error` is the one map from errors to
//! statuses, `others` lets mistral.rs's own routes through where they may be, `said` hears what their
//! answers say of themselves and `kept` bounds what those keep; the other modules are one route or layer
//! each. What never lives here: how a model runs or how a forecast is made.

mod alarms;
mod annotate;
mod answer;
mod app;
mod ask;
mod bundles;
mod error;
mod health;
mod kept;
mod keys;
mod live;
mod meter;
mod others;
mod page;
mod refused;
mod said;
mod stream;
mod traces;

pub use app::{App, Forecast, Ready};
pub use error::ApiError;
pub use keys::Keys;

use crate::host::Route;
use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderName, Method, StatusCode, Uri, header},
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use std::{net::SocketAddr, sync::Arc};
use tokio::net::TcpListener;
use tower_http::cors::{Any, CorsLayer};

/// The largest request body that is read, in bytes: mistral.rs's own.
pub const BODY_LIMIT: usize = 50 << 20;

/// Every route over `app`.
pub fn router(app: Arc<App>) -> Router {
    let admin = Router::new()
        .route("/v1/themecast/live", get(live::feed))
        .route("/v1/themecast/alarms", get(alarms::recent))
        .route("/v1/themecast/bundle", put(bundles::swap))
        .method_not_allowed_fallback(wrong_method)
        .route_layer(middleware::from_fn_with_state(app.clone(), keys::admin));
    let api = Router::new()
        .route(Route::Chat.path(), post(answer::chat))
        .route(Route::Completion.path(), post(answer::completion))
        .route("/v1/themecast/themes", get(bundles::themes))
        .route("/v1/themecast/traces/{id}", get(traces::get))
        .method_not_allowed_fallback(wrong_method)
        .fallback(elsewhere)
        .layer(middleware::from_fn_with_state(app.clone(), keys::api))
        .layer(cors());
    Router::new()
        .route("/", get(page::live))
        .route("/openapi.json", get(page::openapi))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/metrics", get(health::metrics))
        .method_not_allowed_fallback(wrong_method)
        .merge(admin)
        .merge(api)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(app)
}

/// Lets pages of any origin ask, as mistral.rs does, and with our header. Outside of the keys, so
/// that what a browser asks first needs none and refusals can be read. Not where answers of others
/// are told (`/v1/themecast/live`, alarms): a page that somebody visits must not read those.
fn cors() -> CorsLayer {
    let ours = HeaderName::from_static(ask::HEADER);
    CorsLayer::new()
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::CONTENT_TYPE, header::AUTHORIZATION, ours])
        .allow_origin(Any)
}

/// Hands a request that is none of ours to the host's own routes.
async fn elsewhere(state: State<Arc<App>>, request: Request) -> Result<Response, ApiError> {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let mut response = others::pass(state, request).await?;
    // Their layer and ours both append it; of all other headers ours replaces theirs.
    response.headers_mut().remove(header::VARY);
    // Where there is no such route or method axum answers without a body; a route of theirs always
    // has one.
    let bare = !response.headers().contains_key(header::CONTENT_TYPE);
    match response.status() {
        StatusCode::NOT_FOUND if bare => Err(ApiError::NotFound(format!("no such route: {path}"))),
        StatusCode::METHOD_NOT_ALLOWED if bare => {
            let allow = response.headers_mut().remove(header::ALLOW);
            let mut refused = ApiError::WrongMethod { method, path }.into_response();
            refused.headers_mut().extend(allow.map(|allow| (header::ALLOW, allow)));
            Ok(refused)
        }
        _ => Ok(response),
    }
}

async fn wrong_method(method: Method, uri: Uri) -> ApiError {
    ApiError::WrongMethod { method, path: uri.path().to_owned() }
}

/// Binds the address to listen on.
///
/// # Errors
/// One line that says which address and why, such as a port in use.
pub async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        anyhow::anyhow!("cannot listen on {address}: {error}; choose another one with --listen")
    })
}

/// Serves until `stop` resolves, then ends the live feeds and lets the running answers end.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    app: Arc<App>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let live = app.clone();
    let stop = async move {
        stop.await;
        live.live.close();
    };
    axum::serve(listener, router(app)).with_graceful_shutdown(stop).await
}
