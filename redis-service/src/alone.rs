//! A connection that one caller has to itself.

use std::sync::Arc;

use redis::Value;
use tokio::sync::OwnedSemaphorePermit;

use crate::dial::Dial;
use crate::dialling::Lease;
use crate::error::{CallError, RedisError};
use crate::lanes::Lanes;
use crate::manager::Pulse;
use crate::request::Wire;

/// A connection that is checked out of the pool.
///
/// It goes back only if what was sent has been answered. Given up before that, Redis may still be
/// at work on it (a cancelled `BLPOP` blocks its connection until it ends), so it is closed.
pub(crate) struct Alone<D: Dial> {
    lease: Lease<D>,
    busy: bool,
    _permit: OwnedSemaphorePermit,
}

impl<D: Dial> Lanes<D> {
    /// A connection for one caller alone.
    ///
    /// bb8 starves those who wait for one, so a fair semaphore stands in front of it.
    pub(crate) async fn alone(&self) -> Result<Alone<D>, RedisError> {
        let permit = Arc::clone(&self.alone).acquire_owned().await;
        let permit = permit.map_err(|_closed| RedisError::Closed)?;
        let lease = if self.pool.state().idle_connections > 0 {
            self.checked_out().await
        } else {
            self.willing(&self.dialling())?;
            self.lease().await
        };
        Ok(Alone { lease: lease.map_err(RedisError::Dial)?, busy: false, _permit: permit })
    }
}

impl<D: Dial> Alone<D> {
    pub(crate) const fn pulse(&self) -> &Arc<Pulse> {
        &self.lease.lane.pulse
    }

    pub(crate) async fn send(&mut self, wire: &Wire) -> Result<Value, CallError> {
        self.busy = true;
        let answer = self.lease.lane.send(wire).await;
        self.busy = false;
        answer
    }
}

impl<D: Dial> Drop for Alone<D> {
    fn drop(&mut self) {
        if self.busy {
            self.lease.lane.pulse.retire();
        }
    }
}
