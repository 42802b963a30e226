//! The theme catalogue of the bundle in use, and swapping the bundle while serving.

use super::{ApiError, App};
use crate::host::HostError;
use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

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
    // Reading and checking a bundle takes a while, which streams must not notice.
    let taken = tokio::task::spawn_blocking(move || app.take(&swap.path)).await;
    taken.map_err(|error| HostError::Model(format!("the bundle was not taken: {error}")))?
}

impl App {
    /// Takes the bundle in a folder for the answers that begin from now on; swaps take turns.
    fn take(&self, folder: &Path) -> Result<Json<Value>, ApiError> {
        let ready = self.ready()?;
        let _turn = ready.swaps.lock();
        let forecast = crate::forecast::load(folder, &*ready.host, &self.setting);
        self.metrics.bundle_reloaded(forecast.is_ok());
        let forecast = forecast.map_err(|error| {
            ApiError::invalid("path", format!("{error:#}; the old bundle stays"))
        })?;
        let themes = forecast.card.as_ref().map(|card| card.themes.len());
        let warnings = forecast.warnings.clone();
        *ready.forecast.write() = Some(forecast);
        Ok(Json(json!({"loaded": folder, "themes": themes, "warnings": warnings})))
    }
}
