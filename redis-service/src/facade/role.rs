//! What the node that answers is.
//!
//! A master that was made a replica still answers `PING`, and refuses every write. So a health check
//! asks for the node's role as well, now and then.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use circuit_layer::Moment;
use redis::Value;
use serde::Serialize;
use tower::ServiceExt;

use super::Shared;
use crate::request::{Raw, Request};

/// How old the answer to `ROLE` may grow before a health check asks again.
const EVERY: Duration = Duration::from_secs(10);

/// What a Redis node is, as it says itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Role {
    /// It takes writes.
    Master,
    /// It follows a master, and refuses writes unless it was told otherwise.
    Replica,
    /// It is no Redis for data at all.
    Sentinel,
}

/// The last answer.
#[derive(Debug, Default)]
pub(crate) struct Known(Mutex<Option<(Option<Role>, Moment)>>);

impl Known {
    pub(super) fn role(&self) -> Option<Role> {
        self.lock().and_then(|(role, _)| role)
    }

    fn is_old(&self, now: Moment) -> bool {
        self.lock().is_none_or(|(_, at)| now - at >= EVERY)
    }

    fn lock(&self) -> MutexGuard<'_, Option<(Option<Role>, Moment)>> {
        // Nothing panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// Asks for the role if the last answer is old. It goes past the breaker and the metrics, right
    /// after a `PING` that was answered; a node that does not tell has no role here.
    pub(super) async fn ask_role(&self) {
        let now = self.breaker.clock().now();
        if !self.role.is_old(now) {
            return;
        }
        let ask = Request::Raw(Raw::new(redis::cmd("ROLE")).read_only());
        let role = self.engine.clone().oneshot(ask).await.ok().as_ref().and_then(parse);
        let before = self.role.lock().replace((role, now));
        if role == Some(Role::Replica) && before.and_then(|(role, _)| role) != role {
            tracing::warn!("the redis node is a replica, and refuses writes");
        }
    }
}

fn parse(reply: &Value) -> Option<Role> {
    let Value::Array(parts) = reply else { return None };
    let Value::BulkString(name) = parts.first()? else { return None };
    match name.as_slice() {
        b"master" => Some(Role::Master),
        b"slave" | b"replica" => Some(Role::Replica),
        b"sentinel" => Some(Role::Sentinel),
        _ => None,
    }
}
