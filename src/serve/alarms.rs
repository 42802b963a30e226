//! The alarms of recent answers: where an operator goes on from a dashboard.

use super::{ApiError, App};
use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use themecast_alarms::Detector;

/// Which alarms are wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// Of this detector alone.
    detector: Option<Detector>,
    /// At most so many, the newest first.
    limit: Option<usize>,
}

pub(super) async fn recent(
    State(app): State<Arc<App>>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<Value>, ApiError> {
    let Query(wanted) =
        wanted.map_err(|error| ApiError::Invalid { message: error.body_text(), param: None })?;
    let alarms = app.setting.recent.newest(wanted.limit.unwrap_or(usize::MAX), |alarm| {
        wanted.detector.is_none_or(|detector| alarm.detector == detector)
    });
    let listed = alarms.iter().map(|alarm| {
        let mut value = serde_json::to_value(&**alarm).unwrap_or_default();
        value["trace"] = format!("/v1/themecast/traces/{}", alarm.completion_id).into();
        value
    });
    Ok(Json(json!({"alarms": listed.collect::<Vec<_>>()})))
}
