//! The theme catalogue of the bundle in use, and swapping the bundle while serving.

use super::{ApiError, App};
use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{path::PathBuf, sync::Arc};

pub(super) async fn themes(State(app): State<Arc<App>>) -> Result<Json<Value>, ApiError> {
    let forecast = app.ready()?.forecast();
    let card = forecast.and_then(|forecast| forecast.card);
    let card = card.ok_or_else(|| ApiError::NotFound("no bundle is loaded".to_owned()))?;
    Ok(Json(json!({"themes": card.themes, "card": *card})))
}

/// Which bundle to take.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Swap {
    /// The bundle's folder on the server.
    path: PathBuf,
}

pub(super) async fn swap(
    State(app): State<Arc<App>>,
    body: Result<Json<Swap>, JsonRejection>,
) -> Result<Json<Value>, ApiError> {
    let Json(swap) = body?;
    let ready = app.ready()?;
    let forecast = crate::forecast::load(&swap.path, &*ready.host, &app.setting);
    app.metrics.bundle_reloaded(forecast.is_ok());
    let forecast = forecast
        .map_err(|error| ApiError::invalid("path", format!("{error:#}; the old bundle stays")))?;
    let card = forecast.card.clone();
    *ready.forecast.write() = Some(forecast);
    Ok(Json(json!({"loaded": swap.path, "themes": card.map(|card| card.themes.len())})))
}
