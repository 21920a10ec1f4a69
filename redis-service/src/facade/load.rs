//! Cache-aside in one call.

use std::error::Error as StdError;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use redis::{FromRedisValue, Value, from_redis_value};
use tower_service::Service;

use super::Redis;
use crate::error::Error;
use crate::fallback::{Answer, Source};
use crate::request::{Request, SetOptions};
use crate::{Arg, Operation};

impl<S> Redis<S>
where
    S: Service<Request> + Clone,
    Answer<Value>: From<S::Response>,
    Error: From<S::Error>,
{
    /// The value of a key; where Redis has none, what `loader` finds, which is then set for `ttl`.
    ///
    /// | Redis | the call |
    /// | --- | --- |
    /// | has a value | answers with it |
    /// | has none | loads, sets, answers |
    /// | is rejected or failing | answers from memory if that is no older than `ttl`, else loads |
    ///
    /// Callers who miss the same key at the same time load once: the others wait and get what it
    /// found, or its error. All keys together load at most
    /// [`max_loads`](crate::RedisBuilder::max_loads) at a time. If the load fails and the
    /// [fallback](crate::fallback) still remembers a value, one that has reached its end too, that is
    /// the answer, with its age; what was overwritten or deleted before its end is not remembered.
    ///
    /// The load is not bounded in time; a loader that can hang brings its own limit. Whether the value
    /// could be set afterwards does not matter to the answer.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "test-util")] {
    /// use std::io;
    /// use std::time::Duration;
    ///
    /// let redis = redis_service::Redis::memory();
    /// let load = || async { Ok::<_, io::Error>("from the database") };
    /// let user: String = redis.get_or_load("user:1", Duration::from_secs(60), load).await?;
    /// assert_eq!(user, "from the database");
    /// assert_eq!(redis.get::<String>("user:1").await?, Some(user));
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Load`] if the loader failed and nothing is remembered; [`Error::Redis`] if the key
    /// can not be read through a mistake of the caller, such as one that holds a list, or the client
    /// is closed; [`Error::Decode`] if the value is no `T`.
    ///
    /// # Cancellation
    ///
    /// A caller who goes away while it loads loses what it has done so far; the next of those who wait
    /// loads instead.
    pub async fn get_or_load<T, V, E, F>(
        &self,
        key: impl Arg,
        ttl: Duration,
        loader: impl FnOnce() -> F,
    ) -> Result<T, Error>
    where
        T: FromRedisValue,
        V: Arg,
        E: Into<Box<dyn StdError + Send + Sync>>,
        F: Future<Output = Result<V, E>>,
    {
        Ok(self.get_or_load_answer(key, ttl, loader).await?.value)
    }

    /// The same, with where the value comes from and how old it is.
    ///
    /// # Errors
    ///
    /// As [`get_or_load`](Self::get_or_load).
    pub async fn get_or_load_answer<T, V, E, F>(
        &self,
        key: impl Arg,
        ttl: Duration,
        loader: impl FnOnce() -> F,
    ) -> Result<Answer<T>, Error>
    where
        T: FromRedisValue,
        V: Arg,
        E: Into<Box<dyn StdError + Send + Sync>>,
        F: Future<Output = Result<V, E>>,
    {
        let (key, loads) = (key.into_bytes(), &self.shared.loads);
        let ended = loads.ended();
        let stale = match self.look_up(&key, ttl).await? {
            Seen::Found(answer) => return decode(answer),
            Seen::Missing(stale) => stale,
        };
        let (mut joined, by_us) = (loads.join(&key), AtomicBool::new(false));
        let load = || async {
            // Somebody may have loaded it after our look.
            if loads.ended() != ended
                && let Ok(Seen::Found(answer)) = self.look_up(&key, ttl).await
                && let Value::BulkString(value) = answer.value
            {
                return Ok(Bytes::from(value));
            }
            by_us.store(true, Ordering::Relaxed);
            loader().await.map(Arg::into_bytes).map_err(|error| Arc::from(error.into()))
        };
        let loaded = joined.lead_or_follow(load).await;
        if by_us.into_inner()
            && let Ok(value) = &loaded
        {
            self.keep(&key, value, ttl).await;
        }
        // Those who come from now on find what was set.
        drop(joined);
        match loaded {
            Ok(value) => {
                let (value, age) = (Value::BulkString(value.into()), Duration::ZERO);
                decode(Answer { value, source: Source::Loader, age })
            }
            Err(error) => decode(stale.ok_or(Error::Load(error))?),
        }
    }

    /// What Redis has, or what may be answered in its place if nothing better can be had.
    async fn look_up(&self, key: &Bytes, ttl: Duration) -> Result<Seen, Error> {
        match self.call_answer(Request::Get { key: key.clone() }).await {
            Ok(answer) if matches!(answer.value, Value::Nil) => Ok(Seen::Missing(self.ended(key))),
            Ok(answer) if answer.source == Source::Memory && answer.age > ttl => {
                Ok(Seen::Missing(Some(answer)))
            }
            Ok(answer) => Ok(Seen::Found(answer)),
            Err(Error::Rejected(_)) => Ok(Seen::Missing(self.ended(key))),
            Err(Error::Redis(error)) if error.counts() => Ok(Seen::Missing(self.ended(key))),
            Err(error) => Err(error),
        }
    }

    fn ended(&self, key: &Bytes) -> Option<Answer<Value>> {
        self.shared.fallback.as_ref().and_then(|fallback| fallback.ended(key))
    }

    /// A value that can not be set has been loaded all the same.
    async fn keep(&self, key: &Bytes, value: &Bytes, ttl: Duration) {
        let options = SetOptions::new().ttl(ttl);
        let set = Request::Set { key: key.clone(), value: value.clone(), options };
        if let Err(error) = self.call(set).await {
            tracing::debug!(%error, "a value that was loaded could not be set");
        }
    }
}

enum Seen {
    Found(Answer<Value>),
    /// With what is remembered, however old.
    Missing(Option<Answer<Value>>),
}

fn decode<T: FromRedisValue>(answer: Answer<Value>) -> Result<Answer<T>, Error> {
    let operation = Operation::Get;
    answer.try_map(|value| {
        from_redis_value(value).map_err(|source| Error::Decode { operation, source })
    })
}
