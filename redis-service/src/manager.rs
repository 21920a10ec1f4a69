//! Our connections as a bb8 pool sees them.
//!
//! The manager of bb8-redis never notices that a connection has broken, so its users either pay one
//! `PING` per checkout (6–10 times slower) or never heal. Here the calls themselves notice, and
//! leave a mark on the connection; the pool only reads that mark.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use bb8::ManageConnection;
use redis::RedisError;
use redis::aio::ConnectionLike;

use crate::classify::{ErrorKind, Stage, classify};
use crate::dial::Dial;
use crate::error::DialError;

/// Timeouts in a row, with no answer in between, after which a connection is given up. redis-rs
/// never does so by itself; a hung master and a failover that nobody announced need it.
const STALL: u32 = 3;

/// Shares of the slots of a Redis Cluster that are watched apart, and one for calls without a key.
/// Each master owns some neighbouring slots, so that a hung one shows in shares of its own, whatever
/// the others answer. A single node has one share.
pub(crate) const SHARES: usize = 17;

/// The mark on a connection, shared by everyone who uses it.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    retired: AtomicBool,
    given_up: AtomicBool,
    timeouts: [AtomicU32; SHARES],
}

impl Pulse {
    pub(crate) fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Acquire)
    }

    /// It is of no more use. True for the first who says so.
    pub(crate) fn retire(&self) -> bool {
        self.given_up.store(true, Ordering::Release);
        !self.retired.swap(true, Ordering::AcqRel)
    }

    /// It is not needed any more, and as good as new.
    pub(crate) fn release(&self) {
        self.retired.store(true, Ordering::Release);
    }

    /// Redis answered, whatever it said.
    pub(crate) fn answered(&self, share: usize) {
        if let Some(timeouts) = self.timeouts.get(share)
            && timeouts.load(Ordering::Relaxed) != 0
        {
            timeouts.store(0, Ordering::Relaxed);
        }
    }

    /// A call got no answer in time. True if that was one too many.
    pub(crate) fn timed_out(&self, share: usize) -> bool {
        self.timeouts.get(share).is_some_and(|timeouts| {
            timeouts.fetch_add(1, Ordering::Relaxed).saturating_add(1) >= STALL
        })
    }
}

/// A connection of the pool.
#[derive(Debug)]
pub(crate) struct Conn<C> {
    pub(crate) link: C,
    pub(crate) pulse: Arc<Pulse>,
}

/// Makes connections for the pool and says which are of no more use.
#[derive(Debug)]
pub(crate) struct Manager<D> {
    dial: D,
    address: Arc<str>,
    limit: Duration,
}

impl<D: Dial> Manager<D> {
    /// `limit` bounds one dial, from the first packet to the answer of the first `PING`.
    pub(crate) fn new(dial: D, limit: Duration) -> Self {
        let address = dial.address();
        Self { dial, address, limit }
    }

    pub(crate) fn address(&self) -> Arc<str> {
        Arc::clone(&self.address)
    }

    pub(crate) fn is_cluster(&self) -> bool {
        self.dial.is_cluster()
    }

    async fn reach(&self) -> Result<D::Conn, RedisError> {
        let mut link = self.dial.dial().await?;
        // There a PING goes to every master, and one that is down must not hide the others.
        if self.dial.is_cluster() {
            return Ok(link);
        }
        // A server that loads its data, or wants a password that nobody sends, accepts connections
        // all the same. Without this it would be dialled again and again, thousands of times a
        // second. Other refusals, such as NOPERM, show that it serves.
        let pong = link.req_packed_command(&redis::cmd("PING")).await?;
        match pong.extract_error() {
            Ok(_) => Ok(link),
            Err(error) if classify(&error, Stage::Call).kind == ErrorKind::Client => Ok(link),
            Err(error) => Err(error),
        }
    }
}

impl<D: Dial> ManageConnection for Manager<D> {
    type Connection = Conn<D::Conn>;
    type Error = DialError;

    async fn connect(&self) -> Result<Self::Connection, DialError> {
        let reached = match tokio::time::timeout(self.limit, self.reach()).await {
            Ok(reached) => reached,
            Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
        };
        match reached {
            Ok(link) => Ok(Conn { link, pulse: Arc::default() }),
            Err(error) => Err(DialError::new(&self.address, error)),
        }
    }

    async fn is_valid(&self, conn: &mut Self::Connection) -> Result<(), DialError> {
        if self.has_broken(conn) {
            let gone = io::Error::from(io::ErrorKind::BrokenPipe);
            return Err(DialError::new(&self.address, gone.into()));
        }
        Ok(())
    }

    fn has_broken(&self, conn: &mut Self::Connection) -> bool {
        if conn.pulse.given_up.load(Ordering::Acquire) {
            self.dial.give_up(&conn.link);
        }
        conn.pulse.is_retired()
    }
}
