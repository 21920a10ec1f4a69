//! Writes that Redis did not get, and their end.
//!
//! A key that was written here while Redis was away holds something else there. Nobody may read that
//! when Redis is back. So a [deletion](super::deletion) of those keys goes ahead of any call that names
//! one of them, or could.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::deletion::Attempts;
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
    attempts: Mutex<Attempts>,
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

    /// Whether they can be deleted now.
    pub(super) fn is_due(&self) -> bool {
        self.any.load(Ordering::Acquire) && self.reachable.load(Ordering::Acquire)
    }

    /// Whether they must be deleted in Redis before this request.
    pub(super) fn comes_before(&self, request: &Request) -> bool {
        self.any.load(Ordering::Acquire) && {
            let keys = self.keys();
            !keys.is_empty() && could_name(request, &keys)
        }
    }

    pub(super) fn all(&self) -> Vec<Bytes> {
        self.keys().iter().cloned().collect()
    }

    pub(super) fn len(&self) -> usize {
        self.keys().len()
    }

    pub(super) fn remove(&self, gone: &[Bytes]) {
        let mut keys = self.keys();
        for key in gone {
            keys.remove(key);
        }
        self.any.store(!keys.is_empty(), Ordering::Release);
    }

    pub(super) fn attempts(&self) -> MutexGuard<'_, Attempts> {
        // Nothing panics while it holds one of these locks.
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keys(&self) -> MutexGuard<'_, HashSet<Bytes>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn could_name(request: &Request, keys: &HashSet<Bytes>) -> bool {
    if let Request::Delete { keys: named } = request {
        return named.iter().any(|key| keys.contains(key));
    }
    if let Request::Pipeline(pipeline) = request {
        return pipeline.requests().iter().any(|request| could_name(request, keys));
    }
    if let Request::Raw(raw) = request {
        // Which arguments are keys differs between commands, and a script makes some up.
        return raw.cmd().args_iter().len() > 1;
    }
    // What a transaction writes is decided on the way.
    matches!(request, Request::Transaction(_))
        || request.key().is_some_and(|key| keys.contains(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{Pipeline, Raw, Transaction};

    #[test]
    fn a_request_waits_for_the_deletion_if_it_could_name_a_key() {
        let local = Local::default();
        let get = |key: &'static str| Request::Get { key: key.into() };
        let raw = |words: &str| {
            let words: Vec<_> = words.split(' ').collect();
            Request::from(Raw::new(redis::Cmd::new().arg(words).take()))
        };
        let waits = |request: Request| local.comes_before(&request);
        assert!(!waits(get("k")) && !waits(raw("EVAL x 0")));
        local.admit(&Bytes::from("k"));
        assert!(waits(get("k")) && !waits(get("other")) && !waits(Request::Ping));
        assert!(waits(Request::Delete { keys: vec!["other".into(), "k".into()] }));
        assert!(!waits(Request::Delete { keys: vec!["other".into(), "another".into()] }));
        assert!(waits(Pipeline::new().get("other").get("k").into()));
        assert!(!waits(Pipeline::new().get("other").set("another", "k").into()));
        assert!(waits(Pipeline::new().raw(redis::cmd("EVAL").arg("x").take()).into()));
        assert!(waits(raw("EVAL x 0")) && !waits(raw("ROLE")));
        assert!(waits(Transaction::watch(["other"]).into()));
        local.remove(&["k".into()]);
        assert!(!waits(get("k")) && !waits(raw("EVAL x 0")));
    }
}
