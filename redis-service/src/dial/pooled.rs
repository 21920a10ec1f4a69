//! Connections out of a pool that the user brings along.
//!
//! | | with the user's pool |
//! | --- | --- |
//! | how a connection is made: address, TLS, credentials | by the pool's manager |
//! | how many there may be | the pool's `max_size`, shared with its other users |
//! | the response timeout of redis-rs (500 ms by default) | holds beside the deadline of a call; the shorter one ends it |
//! | `connection_timeout`, `retry_connection` | no call waits for them: a dial ends by `dial_timeout`, with its true cause |
//! | `test_on_check_out` | one `PING` for each connection taken, not for each call; not needed |
//! | `max_lifetime`, `idle_timeout` | not while we hold the connection: the shared one is held until it dies |
//!
//! A pool whose other users hold all of its connections is a dial that fails. One of a single
//! connection leaves none for blocking commands and transactions.

use std::fmt;
use std::sync::Arc;

use bb8::{Pool, PooledConnection, RunError};
use bb8_redis::RedisConnectionManager;
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{Cmd, ErrorKind, Pipeline, RedisError, RedisFuture, Value};

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
        Ok(Borrowed { link: place.clone(), _place: Arc::new(place) })
    }

    fn address(&self) -> Arc<str> {
        "a bb8 pool".into()
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
    link: MultiplexedConnection,
    _place: Arc<PooledConnection<'static, RedisConnectionManager>>,
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
