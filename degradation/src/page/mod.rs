//! The live status page, for whoever has to find out at three in the morning what is wrong.
//!
//! It has to work when nothing else does: it needs no dependency, no build step and no asset from
//! elsewhere, and reads from memory. It shows what is wrong first, turns grey when it hears nothing,
//! and comes back by itself after a restart of the server.
//!
//! | path | what |
//! | --- | --- |
//! | `/status` | the page, one embedded file |
//! | `/status.json` | the [`StatusDocument`](crate::StatusDocument) |
//! | `/status/events` | the same as server-sent events, a whole document in each: at once, at each change, and every second |
//!
//! It shows names, reasons and errors to everybody who can reach it, and orders nothing; for orders
//! there is [`control`](crate::control). The events end when the instance is not ready, so that a
//! drain need not wait for those who watch.

mod feed;
mod seats;

use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY, RETRY_AFTER,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};

use self::feed::Feed;
use crate::endpoints::Readiness;
use crate::manager::DegradationManager;

const PAGE: &str = include_str!("status.html");

/// What the page may do: run its own script, use its own style, listen to where it came from, and
/// nothing else. The hashes are of exactly those two elements; a test says when they are out of date.
const POLICY: &str = concat!(
    "default-src 'none'; ",
    "script-src 'sha256-0RIsfCD3Qw0r9DvCqRfeIiDrQWJ9R7KWwMr0w5aeqYo='; ",
    "style-src 'sha256-x9ZZreWQ6dunsZRD7puSp9IHiPEzJ1Pd16h5/YmlO8I='; ",
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
);

pub(crate) fn router(manager: &DegradationManager, readiness: &Readiness) -> Router {
    Router::new()
        .route("/status", get(page))
        .route("/status.json", get(document))
        .route("/status/events", get(events))
        .with_state(Feed::new(manager, readiness))
}

async fn page() -> Response {
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, PAGE).into_response()
}

async fn document(State(feed): State<Feed>) -> Response {
    ([(CACHE_CONTROL, "no-store")], Json(feed.manager.status())).into_response()
}

async fn events(State(feed): State<Feed>) -> Response {
    let Some(frames) = feed.open() else {
        let told = "too many are watching; come back in a few seconds";
        return (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "5")], told).into_response();
    };
    let headers = [
        (CONTENT_TYPE, "text/event-stream"),
        (CACHE_CONTROL, "no-store"),
        // nginx would hold frames back until they fill a buffer.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, Body::from_stream(frames)).into_response()
}

#[cfg(test)]
mod tests;
