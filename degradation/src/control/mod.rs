//! Orders over HTTP, for operators and their tools.
//!
//! Whoever can force a level can switch the service off. So this is a router of its own that does
//! not exist until you make it, mount it where outsiders do not come, and give it a token. The
//! pages and endpoints that only show things need none of it.
//!
//! ```
//! use circuit_layer::CircuitBreaker;
//! use degradation::{ControlEndpoints, ControlToken, DegradationManager};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let manager = DegradationManager::builder()
//!     .dependency("redis", 100, CircuitBreaker::new("redis"))
//!     .build()?;
//! // From a secret store, and never a constant:
//! let token = ControlToken::new("correct horse battery staple")?;
//! let internal: axum::Router =
//!     axum::Router::new().nest("/control", ControlEndpoints::new(&manager, token).router());
//! # drop(internal);
//! # Ok(())
//! # }
//! ```
//!
//! Every request carries `Authorization: Bearer <token>`; bodies and answers are JSON. `reason` is
//! required, 1 to 500 characters, and is shown to everybody who sees the status. `seconds` limits an
//! order; without it the order stands until it is released.
//!
//! | request | body | does |
//! | --- | --- | --- |
//! | `GET /status` | | the [`StatusDocument`](crate::StatusDocument) |
//! | `POST /level` | `{"level": "normal" \| "degraded" \| "critical", "reason", "seconds"?}` | forces the level |
//! | `POST /mode` | `{"mode": "full" \| "minimal" \| "read_only", "reason", "seconds"?}` | forces the mode |
//! | `POST /release` | `{"reason"}` | ends a forced level and a forced mode |
//! | `POST /reset` | `{"reason"}` | ends every order, drills and forced breakers too |
//! | `POST /dependencies/{name}/drill` | `{"reason", "seconds"}` | acts as if it were down |
//! | `POST /dependencies/{name}/end-drill` | `{"reason"}` | ends that |
//! | `POST /dependencies/{name}/breaker` | `{"order": "force_open" \| "force_closed" \| "disable" \| "observe_only" \| "release" \| "reset", "reason", "seconds"?}` | [orders its breaker](crate::BreakerOrder) |
//! | `GET /queues/{name}/entries?limit=100` | | the oldest entries ([`QueueEntry`](crate::QueueEntry)) |
//! | `POST /queues/{name}/entries/{id}/retry` | `{"reason"}` | tries an entry again |
//! | `POST /queues/{name}/entries/{id}/drop` | `{"reason"}` | gives an entry up |
//!
//! An order that is carried out answers 200 with the [`StatusDocument`](crate::StatusDocument) after
//! it. The others answer `application/problem+json`:
//!
//! | status | when |
//! | --- | --- |
//! | 400, 415, 422 | the body is no JSON, is not said to be, or does not say what is needed |
//! | 401 | the token is missing or wrong |
//! | 404 | there is no such dependency, queue or entry |
//! | 409 | the dependency has no breaker |
//! | 502 | the queue could not do it |

mod body;
mod handlers;
mod problem;
#[cfg(test)]
mod tests;
mod token;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{get, post};

pub use self::token::{ControlToken, TokenError};
use crate::manager::DegradationManager;

/// The longest body that is read: a reason fits many times over.
const BODY_LIMIT: usize = 16 * 1024;

/// Builds the router of the control endpoints. See the [module](self).
#[derive(Clone, Debug)]
#[must_use = "control does nothing until made a router"]
pub struct ControlEndpoints {
    manager: DegradationManager,
    token: ControlToken,
}

impl ControlEndpoints {
    /// Orders to this manager, from those who know the token.
    pub fn new(manager: &DegradationManager, token: ControlToken) -> Self {
        Self { manager: manager.clone(), token }
    }

    /// The router. Nest it wherever outsiders do not come.
    pub fn router(self) -> Router {
        let guard = middleware::from_fn_with_state(self.token, token::require);
        Router::new()
            .route("/status", get(handlers::status))
            .route("/level", post(handlers::level))
            .route("/mode", post(handlers::mode))
            .route("/release", post(handlers::release))
            .route("/reset", post(handlers::reset))
            .route("/dependencies/{name}/drill", post(handlers::drill))
            .route("/dependencies/{name}/end-drill", post(handlers::end_drill))
            .route("/dependencies/{name}/breaker", post(handlers::breaker))
            .route("/queues/{name}/entries", get(handlers::entries))
            .route("/queues/{name}/entries/{id}/retry", post(handlers::retry))
            .route("/queues/{name}/entries/{id}/drop", post(handlers::remove))
            .layer(DefaultBodyLimit::max(BODY_LIMIT))
            .layer(guard)
            .with_state(self.manager)
    }
}
