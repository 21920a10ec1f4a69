//! Adds up the health of all dependencies and publishes what the service can still offer.
//!
//! The decision is [`Board`]'s. This file is the effects around it: one short lock, the channel
//! that holds the newest [`Snapshot`], events, and one line in the log for each change.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use circuit_layer::Clock;
use thiserror::Error;
use tokio::sync::{Notify, broadcast, watch};
use tokio::task::JoinSet;

use crate::board::{Board, Evaluated, Time};
use crate::builder::DegradationBuilder;
use crate::level::Level;
use crate::mode::Mode;
use crate::snapshot::{Change, Snapshot};

/// How many changes a slow listener may lag behind before it misses the oldest.
const EVENTS: usize = 128;

/// Knows the health of all dependencies, and the level and mode that follow from it.
///
/// ```
/// use std::time::Duration;
/// use circuit_layer::CircuitBreaker;
/// use degradation::{DegradationManager, Health, Level, LevelRules, Mode};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // The defaults: two breakers, asked every second and whenever they change.
/// let (database, redis) = (CircuitBreaker::new("database"), CircuitBreaker::new("redis"));
/// let manager = DegradationManager::builder()
///     .dependency("database", 70, database)
///     .dependency("redis", 30, redis.clone())
///     .build()?;
/// assert_eq!(manager.snapshot().score, 100);
///
/// let mut watching = manager.subscribe();
/// redis.force_open("maintenance", None);
/// let snapshot = watching.wait_for(|snapshot| snapshot.is_down("redis")).await?.clone();
/// assert_eq!((snapshot.score, snapshot.level), (70, Level::Normal));
/// assert!(snapshot.flags.cache_fallback());
///
/// // Customised: a closure as a source, no dwelling, another pace.
/// let manager = DegradationManager::builder()
///     .dependency("search", 100, || Health::up(40).detail("index is being rebuilt"))
///     .levels(LevelRules::exact())
///     .check_every(Duration::from_millis(250))
///     .build()?;
/// assert_eq!(manager.snapshot().level, Level::Degraded);
/// manager.force_mode(Mode::ReadOnly, "moving the disks", Some(Duration::from_secs(600)));
/// assert_eq!(manager.snapshot().mode, Mode::ReadOnly);
/// # Ok(())
/// # }
/// ```
///
/// # Clone
///
/// Clones are handles of one manager, and so are the layers made from it. Its background tasks end
/// when the last of them is dropped; until then sources are kept alive.
#[derive(Clone)]
pub struct DegradationManager {
    shared: Arc<Shared>,
    /// Dropped with the last handle, which ends the tasks. They hold `shared`, never this.
    _tasks: Arc<JoinSet<()>>,
}

/// There is no dependency of this name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("no dependency is named `{name}`")]
#[non_exhaustive]
pub struct UnknownDependency {
    /// The name that was asked for.
    pub name: Box<str>,
}

impl DegradationManager {
    /// Starts with no dependency and the default rules.
    pub fn builder() -> DegradationBuilder {
        DegradationBuilder::new()
    }

    pub(crate) fn start(
        board: Board,
        clock: Clock,
        run: impl FnOnce(&Arc<Shared>) -> JoinSet<()>,
    ) -> Self {
        let shared = Arc::new(Shared::new(board, clock));
        let tasks = Arc::new(run(&shared));
        Self { shared, _tasks: tasks }
    }

    /// The newest snapshot.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.shared.published.borrow())
    }

    /// A channel that always holds the newest snapshot. A new one is sent when anything in it
    /// changes. It closes with the manager, and its last value stays readable.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.shared.published.subscribe()
    }

    /// Each change of level, mode, flags or orders from now on, in order. A listener that lags more
    /// than 128 changes behind is told how many it missed.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<Change> {
        self.shared.events.subscribe()
    }

    /// The clock of the moments in snapshots.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// Enforces this level, whatever the score, until [`release`](Self::release) or the limit.
    /// Forcing again replaces the order.
    pub fn force_level(&self, level: Level, reason: &str, limit: Option<Duration>) {
        self.shared.apply(None, |board, at| board.force_level(level, reason, limit, at));
    }

    /// Enforces this mode, whatever is down, until [`release`](Self::release) or the limit. The
    /// flags stay those of what is down. Forcing again replaces the order.
    pub fn force_mode(&self, mode: Mode, reason: &str, limit: Option<Duration>) {
        self.shared.apply(None, |board, at| board.force_mode(mode, reason, limit, at));
    }

    /// Ends a forced level and a forced mode. Without one it does nothing.
    pub fn release(&self, reason: &str) {
        self.shared.apply(Some(&format!("released: {reason}")), |board, _| board.release());
    }

    /// Acts as if a dependency were down, for so long. Score, level, mode and flags follow as in an
    /// outage. Its breaker is left alone: to have calls rejected too, force that open as well.
    ///
    /// # Errors
    ///
    /// [`UnknownDependency`] if no dependency has this name.
    pub fn drill(
        &self,
        dependency: &str,
        reason: &str,
        limit: Duration,
    ) -> Result<(), UnknownDependency> {
        self.set_drill(dependency, None, Some((reason, limit)))
    }

    /// Ends a drill before its time. Without one it does nothing.
    ///
    /// # Errors
    ///
    /// [`UnknownDependency`] if no dependency has this name.
    pub fn end_drill(&self, dependency: &str) -> Result<(), UnknownDependency> {
        self.set_drill(dependency, Some("drill ended"), None)
    }

    fn set_drill(
        &self,
        dependency: &str,
        why: Option<&str>,
        drill: Option<(&str, Duration)>,
    ) -> Result<(), UnknownDependency> {
        let found = self.shared.apply(why, |board, at| board.drill(dependency, drill, at));
        if found { Ok(()) } else { Err(UnknownDependency { name: dependency.into() }) }
    }
}

impl fmt::Debug for DegradationManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DegradationManager")
            .field("snapshot", &self.snapshot())
            .finish_non_exhaustive()
    }
}

/// What handles and tasks share.
pub(crate) struct Shared {
    board: Mutex<Board>,
    pub(crate) clock: Clock,
    published: watch::Sender<Arc<Snapshot>>,
    events: broadcast::Sender<Change>,
    /// Wakes the task that waits for the board's deadline.
    pub(crate) rearm: Notify,
}

impl Shared {
    fn new(mut board: Board, clock: Clock) -> Self {
        let at = Time { now: clock.now(), unix: Clock::unix_time() };
        let first = board.evaluate(at, None);
        first.change.iter().for_each(log);
        Self {
            board: Mutex::new(board),
            clock,
            published: watch::Sender::new(first.snapshot),
            events: broadcast::Sender::new(EVENTS),
            rearm: Notify::new(),
        }
    }

    /// Tells the board something, decides, and publishes. The snapshot and the event leave under the
    /// lock, so that nobody sees them out of order; the log, being foreign code, does not.
    pub(crate) fn apply<T>(
        &self,
        why: Option<&str>,
        tell: impl FnOnce(&mut Board, Time) -> T,
    ) -> T {
        let mut board = self.board.lock().unwrap_or_else(PoisonError::into_inner);
        let at = Time { now: self.clock.now(), unix: Clock::unix_time() };
        let told = tell(&mut board, at);
        let Evaluated { snapshot, is_new, change } = board.evaluate(at, why);
        if is_new {
            self.published.send_replace(snapshot);
            self.rearm.notify_one();
        }
        if let Some(change) = &change {
            // An error says that nobody listens.
            drop(self.events.send(change.clone()));
        }
        drop(board);
        change.iter().for_each(log);
        told
    }

    pub(crate) fn deadline(&self) -> Option<circuit_layer::Moment> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner).deadline()
    }
}

fn log(change: &Change) {
    tracing::warn!(
        level.from = change.level.0.as_str(),
        level.to = change.level.1.as_str(),
        mode.from = change.mode.0.as_str(),
        mode.to = change.mode.1.as_str(),
        flags = ?change.flags,
        score = change.score,
        cause = &*change.cause,
        "degradation changed"
    );
}

#[cfg(test)]
#[path = "manager_tests.rs"]
mod tests;
