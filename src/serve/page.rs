//! The live page and the description of the API: files of `page/`, nothing from elsewhere.

use axum::{
    http::header,
    response::{Html, IntoResponse},
};

pub(super) async fn live() -> Html<&'static str> {
    Html(include_str!("page/live.html"))
}

pub(super) async fn openapi() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], include_str!("page/openapi.json"))
}
