//! A connection that one caller has to itself.
//!
//! A command that blocks would hold up everybody on a shared connection, a big one delays them, and
//! under `WATCH` every other caller's command would be part of the transaction. So these check out a
//! connection of the pool.
//!
//! ```text
//! fair semaphore ──▶ an idle connection, or a new one ──▶ … ──▶ back, if all was answered
//!                                                        └────▶ closed, if not
//! ```
//!
//! bb8 starves those who wait (a newcomer takes what was meant for the longest waiter: of 256 callers
//! on 50 connections 200 got one turn or none in 3 s), so a first-come-first-served semaphore stands
//! in front of it.

use std::sync::Arc;

use redis::{ErrorKind, Value};
use tokio::sync::OwnedSemaphorePermit;

use crate::dial::Dial;
use crate::dialling::Lease;
use crate::error::{CallError, RedisError};
use crate::lanes::Lanes;
use crate::manager::Pulse;
use crate::request::{Decision, Pipeline, Transaction, Wire};

/// The right to one connection.
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
}

/// A connection that is checked out of the pool.
///
/// It goes back only if what was sent has been answered. Given up before that, Redis may still be
/// at work on it (a cancelled `BLPOP` blocks its connection until it ends) or watch keys for it, so
/// it is closed.
pub(crate) struct Alone<D: Dial> {
    lease: Lease<D>,
    busy: bool,
    _place: Place,
}

impl<D: Dial> Lanes<D> {
    /// Waits for a place among those who want a connection to themselves, in the order of arrival.
    pub(crate) async fn place(&self) -> Result<Place, RedisError> {
        let permit = Arc::clone(&self.alone).acquire_owned().await;
        permit.map(|_permit| Place { _permit }).map_err(|_closed| RedisError::Closed)
    }

    /// A connection for one caller alone.
    pub(crate) async fn alone(&self, place: Place) -> Result<Alone<D>, RedisError> {
        let lease = match self.idle() {
            Some(lease) => lease,
            None => {
                self.willing(&self.dialling())?;
                self.lease().await.map_err(RedisError::Dial)?
            }
        };
        Ok(Alone { lease, busy: false, _place: place })
    }
}

impl<D: Dial> Alone<D> {
    pub(crate) fn pulse(&self) -> &Arc<Pulse> {
        self.lease.lane.pulse()
    }

    pub(crate) async fn send(&mut self, wire: &mut Wire) -> Result<Value, CallError> {
        self.busy = true;
        let answer = self.lease.lane.send(wire, false).await;
        // One that a connection's own timeout has ended is still with Redis.
        self.busy = answer.as_ref().is_err_and(|error| !error.is_over());
        answer
    }

    /// Watches, reads and decides; what is to be written, if anything.
    pub(crate) async fn prepare(
        &mut self,
        transaction: &Transaction,
    ) -> Result<Option<Pipeline>, CallError> {
        let prepared = self.watched(transaction).await.map_err(CallError::while_reading);
        if !matches!(prepared, Ok(Some(_))) {
            // The connection watches the keys until it is told otherwise.
            self.busy = true;
            if self.send(&mut Wire::One(redis::cmd("UNWATCH"))).await.is_err() {
                self.busy = true;
            }
        }
        prepared
    }

    async fn watched(&mut self, transaction: &Transaction) -> Result<Option<Pipeline>, CallError> {
        let mut watch = redis::cmd("WATCH");
        for key in &transaction.watched {
            watch.arg(&key[..]);
        }
        self.send(&mut Wire::One(watch)).await?;
        let replies = self.send(&mut Wire::Many(transaction.reads.to_commands())).await;
        // From here to EXEC or UNWATCH a caller who goes away leaves keys watched.
        self.busy = true;
        match transaction.decide(replies?) {
            Decision::Leave => Ok(None),
            Decision::Write(writes) if writes.is_empty() => Ok(None),
            Decision::Write(writes) => Transaction::refusal_of(&writes)
                .map_or_else(|| Ok(Some(writes.atomic())), |why| Err(refused(why))),
            Decision::Mistyped => Err(refused(
                "what a transaction has read is of another type than its closure takes",
            )),
        }
    }
}

/// The caller's own mistake, found before anything was sent that changes something.
pub(crate) fn refused(why: &'static str) -> CallError {
    CallError::new((ErrorKind::Client, why).into())
}

impl<D: Dial> Drop for Alone<D> {
    fn drop(&mut self) {
        if self.busy {
            self.lease.lane.pulse().retire();
        }
    }
}
