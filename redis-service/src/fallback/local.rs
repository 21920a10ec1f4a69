//! Writes that Redis did not get, and their end.
//!
//! A key that was written here while Redis was away holds something else there. Nobody may read that
//! when Redis is back. So the first call that reaches it is a `DEL` of those keys: ahead of any call
//! that names one of them, or could, and ahead of every call once Redis is known to answer. While that
//! `DEL` is on its way the others wait for it, no longer than its deadline.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use redis::Value;
use tower::ServiceExt;
use tower_service::Service;

use super::Answer;
use super::layer::Core;
use super::plan::Plan;
use crate::error::Error;
use crate::request::Request;

/// The most keys that can be written locally.
const KEYS: usize = 10_000;

/// The keys that hold something else in Redis.
#[derive(Debug, Default)]
pub(super) struct Local {
    keys: Mutex<HashSet<Bytes>>,
    any: AtomicBool,
    /// Redis has answered since.
    reachable: AtomicBool,
    turn: tokio::sync::Mutex<()>,
}

impl Local {
    /// Makes room for one more key; `None` if there is none.
    pub(super) fn admit(&self, key: &Bytes) -> Option<()> {
        let mut keys = self.keys();
        if !keys.contains(key) && keys.len() >= KEYS {
            return None;
        }
        keys.insert(key.clone());
        self.any.store(true, Ordering::Release);
        drop(keys);
        Some(())
    }

    pub(super) fn reached(&self, reachable: bool) {
        if self.any.load(Ordering::Acquire) {
            self.reachable.store(reachable, Ordering::Release);
        }
    }

    /// Whether the keys must be deleted in Redis before this request.
    pub(super) fn comes_before(&self, request: &Request) -> bool {
        if !self.any.load(Ordering::Acquire) {
            return false;
        }
        self.reachable.load(Ordering::Acquire) || {
            let written = self.keys();
            if let Request::Delete { keys } = request {
                return keys.iter().any(|key| written.contains(key));
            }
            // Any key may stand in these.
            let any =
                matches!(request, Request::Pipeline(_) | Request::Raw(_) | Request::Transaction(_));
            any || request.key().is_some_and(|key| written.contains(key))
        }
    }

    pub(super) fn len(&self) -> usize {
        self.keys().len()
    }

    fn keys(&self) -> std::sync::MutexGuard<'_, HashSet<Bytes>> {
        self.keys.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn deleted(&self, gone: &[Bytes]) {
        let mut keys = self.keys();
        for key in gone {
            keys.remove(key);
        }
        self.any.store(!keys.is_empty(), Ordering::Release);
    }
}

impl Core {
    /// Deletes the keys in Redis, then sends the request. `ready` is the service that was readied.
    pub(super) async fn delete_first<S>(
        self: std::sync::Arc<Self>,
        mut ready: S,
        request: Request,
    ) -> Result<Answer<Value>, Error>
    where
        S: Service<Request, Response = Value> + Clone,
        Error: From<S::Error>,
    {
        let next = ready.clone();
        let turn = self.local.turn.lock().await;
        if self.local.comes_before(&request) {
            let begun = self.cache.stamp();
            let gone: Vec<_> = self.local.keys().iter().cloned().collect();
            let deleted = ready.call(Request::Delete { keys: gone.clone() }).await;
            if let Err(error) = deleted {
                let plan = Plan::of(&self, &request, self.clock.now());
                return self.resolve(plan, Err(error.into()), begun);
            }
            for key in &gone {
                self.cache.forget(key);
            }
            self.local.deleted(&gone);
            self.reached(begun);
        }
        drop(turn);
        let begun = self.cache.stamp();
        let plan = Plan::of(&self, &request, self.clock.now());
        let outcome = next.oneshot(request).await;
        self.resolve(plan, outcome.map_err(Error::from), begun)
    }
}
