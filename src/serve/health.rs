//! Whether the process lives, whether it is ready, and its metrics.

use super::{ApiError, App};
use crate::host::Load;
use axum::{Json, extract::State, http::header, response::IntoResponse};
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) async fn live() -> Json<Value> {
    Json(json!({"status": "live"}))
}

pub(super) async fn ready(State(app): State<Arc<App>>) -> Result<Json<Value>, ApiError> {
    let ready = app.ready()?;
    Ok(Json(json!({
        "status": "ready",
        "model": ready.host.name(),
        "forecast": ready.forecast().map(|forecast| forecast.runner.plugin.name().to_owned()),
    })))
}

pub(super) async fn metrics(State(app): State<Arc<App>>) -> impl IntoResponse {
    let load = app.ready().map_or_else(|_| Load::default(), |ready| ready.host.load());
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], app.metrics.render(load))
}
