//! Dialling: one at a time, in a task of its own, and the true cause for everyone.
//!
//! When a connection dies, all callers want a new one at the same moment. If each dialled, a Redis
//! that has just come back would drown in handshakes; if the dial belonged to one of them, it would
//! end with that caller's patience. So the first caller starts a task, the others listen, and after
//! a failure everybody gets its cause at once until the pause is over.

use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use bb8::{AddError, PooledConnection, RunError};
use futures_util::FutureExt;
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::dial::Dial;
use crate::error::{DialError, RedisError};
use crate::lane::Lane;
use crate::lanes::Lanes;
use crate::manager::Manager;
use crate::pause::Pause;

/// A connection of the pool, taken until it is dropped.
pub(crate) struct Lease<D: Dial> {
    pub(crate) lane: Lane<D::Conn>,
    _place: PooledConnection<'static, Manager<D>>,
}

impl<D: Dial> Lease<D> {
    fn of(place: PooledConnection<'static, Manager<D>>) -> Self {
        Self { lane: Lane::of(&place), _place: place }
    }

    /// For everybody. Keys of several nodes fit into no pipeline.
    fn shared(self, cluster: bool) -> Self {
        if cluster { self } else { Self { lane: self.lane.combining(), ..self } }
    }
}

type Outcome<D> = Result<Arc<Lease<D>>, DialError>;
type Listener<D> = watch::Receiver<Option<Outcome<D>>>;

/// What is known about dialling.
pub(crate) struct Dialling<D: Dial> {
    running: Option<Listener<D>>,
    failed: Option<DialError>,
    pause: Pause,
}

impl<D: Dial> Dialling<D> {
    pub(crate) const fn new(cap: Duration) -> Self {
        Self { running: None, failed: None, pause: Pause::new(cap) }
    }
}

/// What a caller without a lane gets.
pub(crate) enum Joined<D: Dial> {
    /// There is one again.
    Lane(Lane<D::Conn>),
    /// The dial to wait for.
    Dial(Listener<D>),
}

impl<D: Dial> Lanes<D> {
    pub(crate) fn join(self: &Arc<Self>) -> Result<Joined<D>, RedisError> {
        let mut dialling = self.dialling();
        if self.closed.load(Ordering::Acquire) {
            return Err(RedisError::Closed);
        }
        // Somebody else's dial may have ended since we looked.
        if let Some(lane) = self.live() {
            return Ok(Joined::Lane(lane));
        }
        if let Some(running) = &dialling.running
            && running.has_changed().is_ok()
        {
            return Ok(Joined::Dial(running.clone()));
        }
        self.willing(&dialling)?;
        let (tell, outcome) = watch::channel(None);
        dialling.running = Some(outcome.clone());
        drop(dialling);
        let this = Arc::clone(self);
        tokio::spawn(async move {
            let outcome = this.dial().await;
            tell.send_replace(Some(outcome));
        });
        Ok(Joined::Dial(outcome))
    }

    /// Answers with the cause of a dial that has just failed, instead of dialling again.
    pub(crate) fn willing(&self, dialling: &Dialling<D>) -> Result<(), RedisError> {
        match &dialling.failed {
            Some(error) if dialling.pause.holds(self.clock.now()) => {
                Err(RedisError::Dial(error.clone()))
            }
            _ => Ok(()),
        }
    }

    async fn dial(&self) -> Outcome<D> {
        let outcome = self.lease().await.map(|lease| Arc::new(lease.shared(self.cluster)));
        let mut dialling = self.dialling();
        dialling.running = None;
        match &outcome {
            Ok(lease) => {
                dialling.failed = None;
                dialling.pause.end();
                if !self.closed.load(Ordering::Acquire) {
                    self.shared.store(Some(Arc::clone(lease)));
                }
            }
            Err(error) => {
                tracing::debug!(address = %self.address, %error, "redis can not be reached");
                dialling.failed = Some(error.clone());
                dialling.pause.begin(self.clock.now(), fastrand::f64());
            }
        }
        drop(dialling);
        outcome
    }

    /// A new connection, entered into the pool's books: bb8's own way to one hides the cause of a
    /// failure behind "timed out".
    pub(crate) async fn lease(&self) -> Result<Lease<D>, DialError> {
        let conn = self.pool.dedicated_connection().await?;
        if let Err(AddError::NoCapacity(_) | AddError::Broken(_)) = self.pool.add(conn) {
            // Whoever may have one always finds room, or one that idles: it was given back meanwhile.
            tracing::trace!(address = %self.address, "a connection too many");
        }
        match self.pool.get_owned().await {
            Ok(place) => Ok(Lease::of(place)),
            Err(RunError::User(error)) => Err(error),
            Err(RunError::TimedOut) => Err(self.refused("the pool gave no connection in time")),
        }
    }

    /// A connection that idles in the pool. Asked while there is none, bb8 would dial.
    pub(crate) fn idle(&self) -> Option<Lease<D>> {
        // A call may be dropped outside of its runtime, where the pool can not be asked.
        if self.pool.state().idle_connections == 0 || Handle::try_current().is_err() {
            return None;
        }
        self.pool.get_owned().now_or_never()?.ok().map(Lease::of)
    }

    pub(crate) fn dialling(&self) -> MutexGuard<'_, Dialling<D>> {
        // Nothing panics while it holds the lock.
        self.dialling.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn refused(&self, why: &'static str) -> DialError {
        DialError::new(&self.address, io::Error::other(why).into())
    }
}
