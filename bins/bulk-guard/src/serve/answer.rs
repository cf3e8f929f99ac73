//! Answers in JSON.

use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

/// An answer with `more` in its head.
pub(super) fn said<const N: usize>(
    status: StatusCode,
    more: [(HeaderName, &'static str); N],
    answer: &Value,
) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], more, format!("{answer}\n")).into_response()
}
