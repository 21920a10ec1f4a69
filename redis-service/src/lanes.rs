//! The connections of a service: one shared lane, the pool behind it, and the dialling.
//!
//! A pooled connection per call can never pass the speed of unpipelined Redis; one connection that
//! everybody shares is 4–8 times faster. So the calls share a *lane*: a connection leased from the
//! pool for as long as it lives, on which a crowd of callers is [combined](crate::combiner). What remains is to replace it when it dies, without a herd.
//!
//! ```text
//! call ──▶ shared lane there? ──yes──▶ send
//!              │ no
//!              ▼
//!       a dial just failed? ──yes──▶ its true cause, at once
//!              │ no
//!              ▼
//!       join the one dial, which runs in a task of its own
//! ```
//!
//! Nobody dials unless a call wants a connection: while the breaker is open Redis is left alone,
//! and the first probe dials at once.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use bb8::Pool;
use circuit_layer::Clock;
use serde::Serialize;
use tokio::sync::{Notify, Semaphore};

use crate::combiner::CROWD;
use crate::dial::Dial;
use crate::dialling::{Dialling, Joined, Lease};
use crate::error::RedisError;
use crate::lane::Lane;
use crate::manager::{Manager, Pulse};

pub(crate) struct Lanes<D: Dial> {
    pub(crate) shared: ArcSwapOption<Lease<D>>,
    pub(crate) pool: Pool<Manager<D>>,
    pub(crate) dialling: Mutex<Dialling<D>>,
    pub(crate) clock: Clock,
    pub(crate) address: Arc<str>,
    pub(crate) cluster: bool,
    pub(crate) alone: Arc<Semaphore>,
    places: usize,
    pub(crate) closed: AtomicBool,
    in_flight: AtomicUsize,
    drained: Notify,
    retired: AtomicU64,
}

/// The limits of the connections of one service.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) connections: u32,
    pub(crate) dial: Duration,
    pub(crate) pause: Duration,
}

impl<D: Dial> Lanes<D> {
    pub(crate) fn new(dial: D, limits: Limits, clock: Clock) -> Self {
        let manager = Manager::new(dial, limits.dial);
        let (address, cluster) = (manager.address(), manager.is_cluster());
        // One for the shared lane and one that can be checked out.
        let connections = limits.connections.max(2);
        // The check at checkout reads a mark and asks nobody.
        let pool = Pool::builder()
            .max_size(connections)
            .test_on_check_out(true)
            .retry_connection(false)
            .connection_timeout(limits.dial)
            .max_lifetime(None)
            .build_unchecked(manager);
        let places = usize::try_from(connections.saturating_sub(1)).unwrap_or(1);
        Self {
            shared: ArcSwapOption::empty(),
            pool,
            dialling: Mutex::new(Dialling::new(limits.pause)),
            clock,
            address,
            cluster,
            alone: Arc::new(Semaphore::new(places)),
            places,
            closed: AtomicBool::new(false),
            in_flight: AtomicUsize::new(0),
            drained: Notify::new(),
            retired: AtomicU64::new(0),
        }
    }

    /// The shared lane; dials if there is none.
    ///
    /// # Cancellation
    ///
    /// A caller that goes away leaves the dial running for the others.
    pub(crate) async fn shared(self: &Arc<Self>) -> Result<Lane<D::Conn>, RedisError> {
        if let Some(lane) = self.live() {
            return Ok(lane);
        }
        let mut outcome = match self.join()? {
            Joined::Lane(lane) => return Ok(lane),
            Joined::Dial(outcome) => outcome,
        };
        let known = outcome.wait_for(Option::is_some).await.ok().and_then(|known| known.clone());
        match known {
            Some(Ok(lease)) => Ok(lease.lane.clone()),
            Some(Err(error)) => Err(RedisError::Dial(error)),
            // The task of the dial has gone, with its runtime or by a panic in a user's `Dial`.
            None => Err(RedisError::Dial(self.refused("the dial was given up"))),
        }
    }

    /// Whether so many calls are in flight that their commands travel together. Those that have a
    /// connection to themselves are no company.
    pub(crate) fn is_crowded(&self) -> bool {
        let apart = self.places.saturating_sub(self.alone.available_permits());
        self.in_flight.load(Ordering::Relaxed).saturating_sub(apart) > CROWD
    }

    pub(crate) fn live(&self) -> Option<Lane<D::Conn>> {
        let lease = self.shared.load();
        let lane = &lease.as_ref()?.lane;
        (!lane.pulse().is_retired()).then(|| lane.clone())
    }

    /// Nobody uses this connection again; the answers on their way still arrive.
    pub(crate) fn retire(&self, pulse: &Arc<Pulse>, reason: &'static str) {
        if !pulse.retire() {
            return;
        }
        self.retired.fetch_add(1, Ordering::Relaxed);
        tracing::debug!(address = %self.address, reason, "redis connection retired");
        let current = self.shared.load();
        if current.as_ref().is_some_and(|lease| Arc::ptr_eq(lease.lane.pulse(), pulse)) {
            self.shared.compare_and_swap(&current, None);
        }
        // What idles in the pool came from the same life of the server. What is in use finds out.
        while let Some(lease) = self.idle() {
            lease.lane.pulse().retire();
        }
    }

    /// Refuses new calls and waits for those in flight, each of which has a deadline.
    pub(crate) async fn close(&self) {
        {
            let _order = self.dialling();
            self.closed.store(true, Ordering::SeqCst);
        }
        self.alone.close();
        loop {
            let drained = self.drained.notified();
            if self.in_flight.load(Ordering::SeqCst) == 0 {
                break;
            }
            drained.await;
        }
        if let Some(lease) = self.shared.swap(None) {
            lease.lane.pulse().release();
        }
        while let Some(lease) = self.idle() {
            lease.lane.pulse().release();
        }
    }

    // One order of all, here and in `close`: the one looks at what the other has just written.
    pub(crate) fn enter(&self) -> Result<(), RedisError> {
        self.in_flight.fetch_add(1, Ordering::SeqCst);
        if self.closed.load(Ordering::SeqCst) {
            self.leave();
            return Err(RedisError::Closed);
        }
        Ok(())
    }

    pub(crate) fn leave(&self) {
        if self.in_flight.fetch_sub(1, Ordering::SeqCst) == 1 && self.closed.load(Ordering::SeqCst)
        {
            self.drained.notify_waiters();
        }
    }

    pub(crate) fn report(&self) -> PoolReport {
        let state = self.pool.state();
        PoolReport {
            max_size: self.pool.config().max_size,
            connections: state.connections,
            idle: state.idle_connections,
            in_flight: self.in_flight.load(Ordering::Relaxed),
            connected: self.live().is_some(),
            retired: self.retired.load(Ordering::Relaxed),
        }
    }
}

/// The connections of a service.
#[derive(Clone, Copy, Debug, Serialize)]
#[non_exhaustive]
pub struct PoolReport {
    /// The most connections there may be.
    pub max_size: u32,
    /// Connections there are, the shared lane among them.
    pub connections: u32,
    /// Those that nobody uses.
    pub idle: u32,
    /// Calls that wait for an answer.
    pub in_flight: usize,
    /// Whether there is a shared lane.
    pub connected: bool,
    /// Connections given up so far: broken, stalled, or read-only after a failover.
    pub retired: u64,
}
