//! Connections out of a pool that the user brings along.
//!
//! | | with the user's pool |
//! | --- | --- |
//! | how a connection is made: address, TLS, credentials | by the pool's manager |
//! | how many there may be | the pool's `max_size`, shared with its other users |
//! | the response timeout of redis-rs (500 ms by default) | holds for the pool's other users; here the deadline of a call ends it |
//! | `connection_timeout`, `retry_connection` | no call waits for them: a dial ends by `dial_timeout`, with its true cause |
//! | `test_on_check_out` | one `PING` for each connection taken, not for each call; not needed |
//! | `max_lifetime`, `idle_timeout` | not while we hold the connection: the shared one is held until it dies |
//!
//! A pool whose other users hold all of its connections is a dial that fails. One of a single
//! connection leaves none for blocking commands and transactions.
//!
//! bb8-redis takes every connection back as healthy. So one that we gave up, on which Redis may still be
//! at work or watch keys (a blocking call that was dropped, a Redis that hung), is replaced by a new one
//! before its place goes back; for the time of that dial it waits in Redis for what it was told to.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bb8::{Pool, PooledConnection, RunError};
use bb8_redis::RedisConnectionManager;
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{Cmd, ErrorKind, Pipeline, RedisError, RedisFuture, Value};
use tokio::runtime::Handle;

use super::Dial;

/// Takes connections out of a bb8 pool of bb8-redis. Made by [`Redis::from_pool`](crate::Redis::from_pool).
///
/// While one is in use here, its place in the pool is taken.
#[derive(Clone)]
pub struct Pooled {
    pool: Pool<RedisConnectionManager>,
}

impl Pooled {
    /// Takes connections out of this pool.
    #[must_use]
    pub const fn new(pool: Pool<RedisConnectionManager>) -> Self {
        Self { pool }
    }

    pub(crate) fn size(&self) -> u32 {
        self.pool.config().max_size
    }
}

impl Dial for Pooled {
    type Conn = Borrowed;

    async fn dial(&self) -> Result<Borrowed, RedisError> {
        // Asked for a connection, bb8 waits for up to 30 s and hides the cause; so we make one, and
        // give it to the pool. Where the pool is full, somebody has to give one back.
        let fresh = self.pool.dedicated_connection().await?;
        let full = self.pool.add(fresh).is_err();
        tracing::trace!(full, "a connection for the pool");
        let mut place = match self.pool.get_owned().await {
            Ok(place) => place,
            Err(RunError::User(error)) => return Err(error),
            Err(RunError::TimedOut) => {
                return Err((ErrorKind::Io, "the pool gave no connection in time").into());
            }
        };
        // Without `test_on_check_out`, the pool hands out what has long been dead.
        if redis::cmd("PING").exec_async(&mut *place).await.is_err() {
            *place = self.pool.dedicated_connection().await?;
        }
        let mut link = place.clone();
        // A setting of this handle alone. There is no way to say "none".
        link.set_response_timeout(Duration::MAX);
        let (pool, given_up) = (self.pool.clone(), AtomicBool::new(false));
        Ok(Borrowed { link, loan: Arc::new(Loan { place: Some(place), pool, given_up }) })
    }

    fn address(&self) -> Arc<str> {
        "a bb8 pool".into()
    }

    fn give_up(&self, conn: &Borrowed) {
        conn.loan.given_up.store(true, Ordering::Release);
    }
}

impl fmt::Debug for Pooled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pooled").field("state", &self.pool.state()).finish_non_exhaustive()
    }
}

/// A connection of the user's pool. It goes back when its last clone is dropped.
#[derive(Clone)]
pub struct Borrowed {
    // Dropped first: a socket is closed with the last handle on it, and the loan has another.
    link: MultiplexedConnection,
    loan: Arc<Loan>,
}

type Place = PooledConnection<'static, RedisConnectionManager>;

/// A place of the user's pool, until it goes back.
struct Loan {
    place: Option<Place>,
    pool: Pool<RedisConnectionManager>,
    given_up: AtomicBool,
}

impl Drop for Loan {
    fn drop(&mut self) {
        if let Some(place) = self.place.take()
            && self.given_up.load(Ordering::Acquire)
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(renew(place, self.pool.clone()));
        }
    }
}

/// Puts a new connection in the place of one that may not go back as it is.
async fn renew(mut place: Place, pool: Pool<RedisConnectionManager>) {
    loop {
        if let Ok(fresh) = pool.dedicated_connection().await {
            *place = fresh;
            return;
        }
        // None can be had. Where this one has ended, or answers, nothing of ours is left on it; where it
        // does neither, that took as long as redis-rs waits, and is the pause before the next dial.
        let asked = redis::cmd("UNWATCH").exec_async(&mut *place).await;
        if !asked.is_err_and(|error| error.is_timeout()) {
            return;
        }
    }
}

impl ConnectionLike for Borrowed {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        self.link.req_packed_command(cmd)
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        self.link.req_packed_commands(pipeline, offset, count)
    }

    fn get_db(&self) -> i64 {
        self.link.get_db()
    }
}

impl fmt::Debug for Borrowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.link.fmt(f)
    }
}
