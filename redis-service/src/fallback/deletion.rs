//! Deletes in Redis what was written locally, and lets as little as possible wait for it.
//!
//! | the `DEL` | a call that names one of the keys, or could | any other call |
//! | --- | --- | --- |
//! | is due: Redis has answered | sends it, in a task of its own, and waits | sends it, and goes its own way |
//! | is on its way | waits for that one | goes its own way |
//! | has failed | has its failure, until a pause of 50 ms to 1 s is over | goes its own way |
//! | is refused, by an ACL say | goes on once those keys are given up | goes its own way |
//!
//! So a Redis that takes no writes, or a shard that is down, fails only those calls that would read what
//! nobody may read. A group of keys that is refused is halved until it is known which keys are; those
//! are given up with a warning, because to wait would be in vain.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Shared, WeakShared};
use futures_util::{FutureExt, TryFutureExt};
use redis::Value;
use tokio::runtime::Handle;
use tower::ServiceExt;
use tower_service::Service;

use super::Answer;
use super::layer::{Core, is_outage};
use super::plan::Plan;
use crate::error::{Error, RedisError};
use crate::pause::Pause;
use crate::request::Request;

/// The longest pause after a failure.
const LAST_PAUSE: Duration = Duration::from_secs(1);

type Deletion = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// The deletion on its way, if any, and how the last one failed.
pub(super) struct Attempts {
    running: Option<WeakShared<Deletion>>,
    failed: Option<Error>,
    pause: Pause,
}

impl Default for Attempts {
    fn default() -> Self {
        Self { running: None, failed: None, pause: Pause::new(LAST_PAUSE) }
    }
}

impl Core {
    /// Waits for the deletion of the keys in Redis where it must, then sends the request.
    ///
    /// # Deadline
    ///
    /// One for both, if it is known: that of the request, where the ordinary one is this.
    ///
    /// # Cancellation
    ///
    /// The deletion goes on; outside of a runtime, whoever waits for it too takes over.
    pub(super) async fn send_behind<S>(
        self: Arc<Self>,
        service: S,
        request: Request,
        deadline: Option<Duration>,
    ) -> Result<Answer<Value>, Error>
    where
        S: Service<Request, Response = Value> + Clone + Send + 'static,
        S::Future: Send,
        Error: From<S::Error>,
    {
        let (begun, since) = (self.cache.stamp(), self.clock.now());
        let limit = deadline.map(|ordinary| request.plan(ordinary).1);
        let deleted = self.deleted_before(service.clone(), &request);
        let deleted = within(limit, limit, false, deleted).await;
        let plan = || Plan::of(&self, &request, self.clock.now());
        match deleted {
            Ok(None) => {}
            // It was heard of when it failed, and says nothing of Redis now.
            Ok(Some(earlier)) => return self.instead(plan(), earlier, None),
            Err(error) => return self.resolve(plan(), Err(error), begun),
        }
        let (begun, now) = (self.cache.stamp(), self.clock.now());
        let plan = Plan::of(&self, &request, now);
        let sent = service.oneshot(request).map_err(Error::from);
        let left = limit.map(|limit| limit.saturating_sub(now - since));
        let outcome = within(left, limit, true, sent).await;
        self.resolve(plan, outcome, begun)
    }

    /// Some if it is not deleted, because that has failed a moment ago.
    async fn deleted_before<S>(
        self: &Arc<Self>,
        service: S,
        request: &Request,
    ) -> Result<Option<Error>, Error>
    where
        S: Service<Request, Response = Value> + Clone + Send + 'static,
        S::Future: Send,
        Error: From<S::Error>,
    {
        // One that was on its way already does not know of keys written since.
        while self.local.comes_before(request) {
            match self.deletion(&service) {
                Ok(running) => running.await?,
                Err(earlier) => return Ok(Some(earlier)),
            }
        }
        Ok(None)
    }

    /// The one deletion on its way, begun if there is none; or why the last one has just failed.
    pub(super) fn deletion<S>(self: &Arc<Self>, service: &S) -> Result<Shared<Deletion>, Error>
    where
        S: Service<Request, Response = Value> + Clone + Send + 'static,
        S::Future: Send,
        Error: From<S::Error>,
    {
        let mut attempts = self.local.attempts();
        let running = attempts.running.as_ref().and_then(WeakShared::upgrade);
        if let Some(running) = running.filter(|running| running.peek().is_none()) {
            return Ok(running);
        }
        if attempts.pause.holds(self.clock.now())
            && let Some(error) = &attempts.failed
        {
            return Err(error.clone());
        }
        let deletion: Deletion = Box::pin(Arc::clone(self).delete(service.clone()));
        let deletion = deletion.shared();
        attempts.running = deletion.downgrade();
        drop(attempts);
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(deletion.clone());
        }
        Ok(deletion)
    }

    async fn delete<S>(self: Arc<Self>, service: S) -> Result<(), Error>
    where
        S: Service<Request, Response = Value> + Clone,
        Error: From<S::Error>,
    {
        let mut groups = vec![self.local.all()];
        let mut given_up = Vec::new();
        let mut outcome = Ok(());
        while let Some(mut keys) = groups.pop().filter(|keys| !keys.is_empty()) {
            let begun = self.cache.stamp();
            let request = Request::Delete { keys: keys.clone() };
            let Err(error) = service.clone().oneshot(request).await.map_err(Error::from) else {
                self.over(&keys);
                self.reached(begun);
                continue;
            };
            if is_outage(&error) {
                // Of these keys: whether it is of all of Redis, ordinary calls find out.
                self.local.reached(false);
            } else {
                self.answered(&error, begun);
            }
            if !is_refusal(&error) {
                outcome = Err(error);
                break;
            }
            if keys.len() > 1 {
                let half = keys.split_off(keys.len().div_ceil(2));
                groups.extend([half, keys]);
            } else {
                self.over(&keys);
                given_up.push(error);
            }
        }
        if let Some(error) = given_up.first() {
            tracing::warn!(
                keys = given_up.len(),
                %error,
                "keys written locally may not be deleted in redis, which keeps what it held"
            );
        }
        self.local.attempts().end(outcome.as_ref().err(), self.clock.now());
        outcome
    }

    /// What was written locally to these keys is no more.
    fn over(&self, keys: &[Bytes]) {
        for key in keys {
            self.cache.forget(key);
        }
        self.local.remove(keys);
    }
}

impl Attempts {
    fn end(&mut self, error: Option<&Error>, now: circuit_layer::Moment) {
        self.failed = error.cloned();
        match error {
            // The breaker sees to the pace; and it has cost Redis nothing.
            Some(Error::Rejected(_)) => {}
            Some(_) => self.pause.begin(now, fastrand::f64()),
            None => self.pause.end(),
        }
    }
}

/// The outcome, if it comes within what is `left` of the deadline.
async fn within<T>(
    left: Option<Duration>,
    deadline: Option<Duration>,
    sent: bool,
    outcome: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let (Some(left), Some(after)) = (left, deadline) else { return outcome.await };
    let late = RedisError::Timeout { maybe_applied: sent, after };
    tokio::time::timeout(left, outcome).await.unwrap_or_else(|_elapsed| Err(late.into()))
}

/// Whether Redis will not do it however often it is asked. All else may pass.
fn is_refusal(error: &Error) -> bool {
    matches!(error, Error::Redis(error) if error.code() == Some("NOPERM"))
}

impl fmt::Debug for Attempts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempts").field("failed", &self.failed).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "deletion_tests.rs"]
mod tests;
