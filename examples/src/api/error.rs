//! What a caller gets when there is no answer: problem+json (RFC 9457), and when to come back.

use std::error::Error as StdError;
use std::time::Duration;

use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use circuit_layer::Rejected;
use serde_json::json;

use crate::pages::PageError;

/// No answer.
#[derive(Debug, thiserror::Error)]
#[error("{title}: {detail}")]
pub struct ApiError {
    status: StatusCode,
    title: &'static str,
    detail: String,
    retry_after: Option<Duration>,
}

impl ApiError {
    /// There is no such thing.
    #[must_use]
    pub fn not_found(what: &'static str) -> Self {
        Self::caller(StatusCode::NOT_FOUND, what, "there is none of this number")
    }

    /// The caller asked for something that can not be.
    #[must_use]
    pub fn caller(status: StatusCode, title: &'static str, detail: impl Into<String>) -> Self {
        Self { status, title, detail: detail.into(), retry_after: None }
    }

    /// A dependency rejects or fails: 503, and the rest of the breaker's wait where there is one.
    ///
    /// The detail tells what the breaker said, never what the dependency did: that may hold
    /// addresses, and goes to the log.
    #[must_use]
    pub fn unavailable(title: &'static str, error: &(dyn StdError + 'static)) -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let Some(rejected) = Rejected::find(error) else {
            tracing::debug!(error, "{title}");
            let detail = "the call failed".to_owned();
            return Self { status, title, detail, retry_after: Some(Duration::ZERO) };
        };
        let detail = rejected.to_string();
        let retry_after = Some(rejected.retry_after().unwrap_or_default());
        Self { status, title, detail, retry_after }
    }

    /// A bug here.
    #[must_use]
    pub fn internal(error: &(dyn StdError + 'static)) -> Self {
        tracing::error!(error, "internal error");
        Self::caller(StatusCode::INTERNAL_SERVER_ERROR, "Internal error", "see the log")
    }
}

impl From<PageError> for ApiError {
    fn from(error: PageError) -> Self {
        match error {
            PageError::Unavailable(error) => Self::unavailable("Database unavailable", &error),
            PageError::Json(error) => Self::internal(&error),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = json!({
            "title": self.title,
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(wait) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(whole_seconds(wait)));
        }
        response
    }
}

/// Rounded up, and at least one: a caller that comes back early comes for nothing.
fn whole_seconds(wait: Duration) -> u64 {
    let started = u64::from(wait.subsec_nanos() > 0);
    wait.as_secs().saturating_add(started).max(1)
}
