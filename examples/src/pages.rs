//! Finished pages, from the nearest place that has them.
//!
//! A page is read through Redis. While Redis rejects, it comes from the database, whose own limit
//! bounds what the missing cache costs it; while the database fails too, from what this process
//! served last, which is better than nothing and is marked.
//!
//! ```text
//!  Redis has it ─▶ redis       else the database answers ─▶ database (and into Redis)
//!                              else served here before   ─▶ memory, stale
//! ```
//!
//! Two traps of every cache are minded here:
//!
//! * **A write must reach the cache even when the cache is down.** A page that could not be removed
//!   from Redis is remembered, and Redis is not asked for it again until it could be.
//! * **A caller keeps asking a cache that is down**, instead of looking at the state of its breaker
//!   first: the calls are what the breaker probes with.
//!
//! A reader that loads an old page just before a write, and stores it just after, leaves it in Redis
//! for the time to live.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use quick_cache::sync::Cache;
use redis_service::{Redis, SetOptions};
use serde::Serialize;

use crate::database::DatabaseError;

/// How many pages this process remembers.
const REMEMBERED: usize = 1_000;

/// What served a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the three places that there are")]
pub enum ServedBy {
    /// Redis.
    Redis,
    /// The database.
    Database,
    /// This process's memory: it may be out of date.
    Memory,
}

impl ServedBy {
    /// As in the header `x-served-by`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Redis => "redis",
            Self::Database => "database",
            Self::Memory => "memory",
        }
    }
}

/// No page.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PageError {
    /// The database failed, and nobody else has the page.
    #[error("the page can not be loaded")]
    Database(#[from] DatabaseError),
    /// It can not be written as JSON, which is a bug here.
    #[error("the page can not be written")]
    Json(#[from] serde_json::Error),
}

/// The pages. Clones share them.
#[derive(Clone)]
pub struct Pages {
    redis: Redis,
    ttl: Duration,
    remembered: Arc<Cache<String, Bytes>>,
    /// Pages that were changed while Redis could not be told.
    outdated: Arc<Mutex<HashSet<String>>>,
}

impl Pages {
    /// Pages that stay in Redis for `ttl`.
    #[must_use]
    pub fn new(redis: Redis, ttl: Duration) -> Self {
        let remembered = Arc::new(Cache::new(REMEMBERED));
        Self { redis, ttl, remembered, outdated: Arc::default() }
    }

    /// The page of this key; `load` asks the database for it. None if there is no such page.
    ///
    /// # Errors
    ///
    /// [`PageError`]; a failure of Redis is none.
    pub async fn read<T: Serialize>(
        &self,
        key: &str,
        load: impl Future<Output = Result<Option<T>, DatabaseError>>,
    ) -> Result<Option<(Bytes, ServedBy)>, PageError> {
        if self.settle(key).await
            && let Ok(Some(page)) = self.redis.get::<Bytes>(key).await
        {
            self.remembered.insert(key.to_owned(), page.clone());
            return Ok(Some((page, ServedBy::Redis)));
        }
        match load.await {
            Ok(Some(value)) => {
                let page = Bytes::from(serde_json::to_vec(&value)?);
                self.keep(key, &page).await;
                Ok(Some((page, ServedBy::Database)))
            }
            Ok(None) => Ok(None),
            Err(error) => match self.remembered.get(key) {
                Some(page) => Ok(Some((page, ServedBy::Memory))),
                None => Err(error.into()),
            },
        }
    }

    /// These pages have changed.
    pub async fn changed(&self, keys: &[String]) {
        for key in keys {
            self.remembered.remove(key);
            self.outdated().insert(key.clone());
            self.settle(key).await;
        }
    }

    async fn keep(&self, key: &str, page: &Bytes) {
        self.remembered.insert(key.to_owned(), page.clone());
        let kept = self.redis.set_with(key, page, SetOptions::new().ttl(self.ttl)).await;
        if let Err(error) = kept {
            tracing::debug!(key, %error, "a page was not cached");
        }
    }

    /// Whether what Redis has of this page may be believed; removes it there if it was outdated.
    async fn settle(&self, key: &str) -> bool {
        if !self.outdated().contains(key) {
            return true;
        }
        let removed = self.redis.delete(key).await.is_ok();
        if removed {
            self.outdated().remove(key);
        }
        removed
    }

    fn outdated(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.outdated.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").field("ttl", &self.ttl).finish_non_exhaustive()
    }
}
