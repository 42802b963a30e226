//! The live page: one file, nothing from elsewhere.

use axum::response::Html;

pub(super) async fn live() -> Html<&'static str> {
    Html(include_str!("page/live.html"))
}
