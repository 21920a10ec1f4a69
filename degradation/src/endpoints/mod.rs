//! Health over HTTP, for those who must act on it: the kubelet, the balancer, people and alerts.
//!
//! They ask three different questions, and one answer for all has taken whole fleets down: a
//! breaker that opens in every instance made every instance unready, and a service that could have
//! served most of its requests served none. So:
//!
//! | path | question | depends on |
//! | --- | --- | --- |
//! | `/livez` | should this process be restarted? | nothing: it answers, so no |
//! | `/readyz` | should this instance get traffic? | local facts ([`Readiness`]); never a breaker, unless asked |
//! | `/health` | how does the service do? | everything: `application/health+json` |
//! | `/status` | what is wrong, and since when? | everything, for people: a live page |
//!
//! They answer from memory: no check runs because somebody asks. The page brings `/status.json` and
//! `/status/events` with it.

mod health;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

use crate::level::Level;
use crate::manager::DegradationManager;
pub(crate) use crate::readiness::Readiness;

const NO_CACHE: (HeaderName, HeaderValue) = (CACHE_CONTROL, HeaderValue::from_static("no-cache"));
const HEALTH_JSON: (HeaderName, HeaderValue) =
    (CONTENT_TYPE, HeaderValue::from_static("application/health+json"));

/// Builds the router of the health endpoints.
///
/// ```
/// use circuit_layer::CircuitBreaker;
/// use degradation::{DegradationLayer, DegradationManager, Endpoints, Readiness};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let manager = DegradationManager::builder()
///     .dependency("database", 100, CircuitBreaker::new("database"))
///     .build()?;
/// let readiness = Readiness::starting();
/// let app: axum::Router = axum::Router::new()
///     .route("/items", axum::routing::get(|| async { "none" }))
///     .layer(DegradationLayer::new(&manager))
///     .merge(Endpoints::new(&manager).readiness(readiness.clone()).version("1.4.0").router());
/// // … connect, warm up, and then:
/// readiness.ready();
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "endpoints do nothing until made a router"]
pub struct Endpoints {
    manager: DegradationManager,
    readiness: Readiness,
    unready_at: Option<Level>,
    version: Option<String>,
}

impl Endpoints {
    /// Endpoints of this manager; ready from the start.
    pub fn new(manager: &DegradationManager) -> Self {
        let readiness = Readiness::starting();
        readiness.ready();
        Self { manager: manager.clone(), readiness, unready_at: None, version: None }
    }

    /// What `/readyz` answers.
    pub fn readiness(self, readiness: Readiness) -> Self {
        Self { readiness, ..self }
    }

    /// Makes `/readyz` say no at this level and at worse ones. Off by default, and for a reason:
    /// all instances share their dependencies, so all would be unready together.
    pub const fn unready_at(mut self, level: Level) -> Self {
        self.unready_at = Some(level);
        self
    }

    /// The service's version, shown by `/health`.
    pub fn version(self, version: impl Into<String>) -> Self {
        Self { version: Some(version.into()), ..self }
    }

    /// The router: `/livez`, `/readyz`, `/health`, `/status` with `/status.json` and `/status/events`.
    ///
    /// The page asks nobody for leave: names, reasons and errors are shown to whoever can reach it,
    /// so mount it where outsiders do not come. It orders nothing.
    ///
    /// A stream of events ends when the [`Readiness`] says no, so that a drain need not wait for those
    /// who watch. At most 32 watch at once; one who takes nothing for five seconds makes room. A connection
    /// that is full of what its watcher no longer reads lasts until TCP gives it up, or the drain its wait.
    pub fn router(self) -> Router {
        let page = crate::page::router(&self.manager, &self.readiness);
        Router::new()
            .route("/livez", get(livez))
            .route("/readyz", get(readyz))
            .route("/health", get(health))
            .with_state(self)
            .merge(page)
    }

    fn unready(&self, level: Level) -> Option<String> {
        let by_level = self.unready_at.filter(|limit| level >= *limit);
        self.readiness.reason().or_else(|| by_level.map(|_| format!("level is {level}")))
    }
}

async fn livez() -> Response {
    ([NO_CACHE], "alive").into_response()
}

async fn readyz(State(endpoints): State<Endpoints>) -> Response {
    let snapshot = endpoints.manager.snapshot();
    let reason = endpoints.unready(snapshot.level);
    let status = if reason.is_some() { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    let body = json!({
        "ready": reason.is_none(),
        "reason": reason,
        "level": snapshot.level,
        "mode": snapshot.mode,
    });
    (status, [NO_CACHE], Json(body)).into_response()
}

async fn health(State(endpoints): State<Endpoints>) -> Response {
    let snapshot = endpoints.manager.snapshot();
    let overall = health::overall(&snapshot);
    let body = health::document(&snapshot, endpoints.version.as_deref());
    let status = match overall {
        health::Verdict::Pass | health::Verdict::Warn => StatusCode::OK,
        health::Verdict::Fail => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, [NO_CACHE, HEALTH_JSON], body.to_string()).into_response()
}

#[cfg(test)]
mod tests;
