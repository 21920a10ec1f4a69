//! Finished pages, from the nearest place that has them.
//!
//! A page is read through Redis, by `get_or_load`: callers that miss at the same time load once, a
//! crowd is kept off the database, and while Redis rejects or the database fails the process's own
//! memory answers, which is better than nothing and is marked.
//!
//! ```text
//!  Redis has it ─▶ redis       else the database answers ─▶ database (and into Redis)
//!                              else served here before   ─▶ memory, maybe out of date
//! ```
//!
//! A caller keeps asking a cache that is down, instead of looking at the state of its breaker first:
//! the calls are what the breaker probes with.

use std::time::Duration;

use bytes::Bytes;
use redis_service::{Error as RedisError, Redis, Source};
use serde::Serialize;

use crate::database::QueryError;

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
    Unavailable(#[source] RedisError),
    /// It can not be written or read as JSON, which is a bug here.
    #[error("the page is no JSON")]
    Json(#[from] serde_json::Error),
}

/// Why the database had no page.
#[derive(Debug, thiserror::Error)]
enum LoadError {
    #[error(transparent)]
    Database(#[from] QueryError),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

/// That there is no page is an answer too. Were it the failure of a load, the one that was there before
/// would be served in its place.
const GONE: &[u8] = b"null";

/// The pages. Clones share them.
#[derive(Clone, Debug)]
pub struct Pages {
    redis: Redis,
    ttl: Duration,
}

impl Pages {
    /// Pages that stay in Redis for `ttl`.
    #[must_use]
    pub const fn new(redis: Redis, ttl: Duration) -> Self {
        Self { redis, ttl }
    }

    /// The page of this key; `load` asks the database for it. None if there is no such page.
    ///
    /// # Errors
    ///
    /// [`PageError`]; a failure of Redis alone is none.
    pub async fn read<T: Serialize>(
        &self,
        key: &str,
        load: impl Future<Output = Result<Option<T>, QueryError>>,
    ) -> Result<Option<(Bytes, ServedBy)>, PageError> {
        let load = || async { Ok::<_, LoadError>(serde_json::to_vec(&load.await?)?) };
        let answer = self.redis.get_or_load_answer::<Bytes, _, _, _>(key, self.ttl, load).await;
        let answer = answer.map_err(PageError::Unavailable)?;
        if answer.value != GONE {
            return Ok(Some((answer.value, served_by(answer.source))));
        }
        // Nobody keeps it: it may be there a moment later, and there are as many as there are numbers.
        self.changed(&[key.to_owned()]).await;
        Ok(None)
    }

    /// These pages have changed. What Redis can not be told now, its client tells it before it is
    /// used again.
    pub async fn changed(&self, keys: &[String]) {
        for key in keys {
            if let Err(error) = self.redis.delete(key.as_str()).await {
                tracing::debug!(key, %error, "a page will be removed later");
            }
        }
    }
}

fn served_by(source: Source) -> ServedBy {
    if source == Source::Redis {
        ServedBy::Redis
    } else if source == Source::Loader {
        ServedBy::Database
    } else {
        ServedBy::Memory
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use redis_service::{FallbackConfig, Memory, Redis};

    use super::{Pages, ServedBy};

    const TTL: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn a_page_that_is_gone_is_not_served_from_memory() {
        let memory = Memory::new();
        let fallback = FallbackConfig::default().local_writes(true);
        let redis = Redis::builder().memory(&memory).fallback(fallback).connect().await.unwrap();
        let pages = Pages::new(redis, TTL);
        let read = async |kettle| pages.read("page", async move { Ok(kettle) }).await.unwrap();
        let (page, by) = read(Some("kettle")).await.unwrap();
        assert_eq!((&*page, by), (&b"\"kettle\""[..], ServedBy::Database));
        let (_, by) = read(None).await.unwrap();
        assert_eq!(by, ServedBy::Redis, "nobody has said that it is gone");

        tokio::time::advance(TTL).await;
        assert_eq!(read(None).await, None);
        let (_, by) = read(Some("kettle")).await.unwrap();
        assert_eq!(by, ServedBy::Database, "it is back");
        tokio::time::advance(TTL).await;
        assert_eq!(read(None).await, None);
        memory.go_down();
        assert_eq!(read(None).await, None, "and it stays so");
    }
}
