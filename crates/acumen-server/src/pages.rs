//! The pages: what happens now, and what can be asked. They work without the internet.

use axum::http::header;
use axum::response::{Html, IntoResponse};

/// The live page.
pub(crate) async fn home() -> Html<&'static str> {
    Html(include_str!("pages/home.html"))
}

/// A page on which lists can be tried.
pub(crate) async fn lists() -> Html<&'static str> {
    Html(include_str!("pages/lists.html"))
}

/// Every route, read off the description that the server itself serves.
pub(crate) async fn docs() -> Html<&'static str> {
    Html(include_str!("pages/docs.html"))
}

/// The description of every route, as OpenAPI 3.1.
pub(crate) async fn openapi(json: String) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], json)
}
