//! Adds up the health of all dependencies and publishes what the service can still offer.
//!
//! The decision is [`Board`]'s. This file is the effects around it: one short lock, the channel
//! that holds the newest [`Snapshot`], events, and one line in the log for each change.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use circuit_layer::Clock;
use tokio::sync::{Notify, broadcast, watch};
use tokio::task::JoinSet;

use crate::board::{Board, Evaluated, LogEntry};
use crate::builder::DegradationBuilder;
use crate::snapshot::{Change, Snapshot};
use crate::sources::Sources;
use crate::status::{self, ShedCounters, StatusDocument};
use crate::time::Time;

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

impl DegradationManager {
    /// Starts with no dependency and the default rules.
    pub fn builder() -> DegradationBuilder {
        DegradationBuilder::new()
    }

    pub(crate) fn start(
        board: Board,
        clock: Clock,
        sources: Sources,
        run: impl FnOnce(&Arc<Shared>) -> JoinSet<()>,
    ) -> Self {
        let shared = Arc::new(Shared::new(board, clock, sources));
        let tasks = Arc::new(run(&shared));
        Self { shared, _tasks: tasks }
    }

    /// The newest snapshot.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.shared.newest()
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

    /// Everything there is to see, made now. See [`StatusDocument`].
    #[must_use]
    pub fn status(&self) -> StatusDocument {
        status::document(&self.shared)
    }

    /// The last 200 things that happened, the newest first.
    #[must_use]
    pub fn log(&self) -> Vec<LogEntry> {
        self.shared.look(|board, _| board.log())
    }

    pub(crate) const fn shared(&self) -> &Arc<Shared> {
        &self.shared
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
    pub(crate) sources: Sources,
    /// What the layers have rejected.
    pub(crate) shed: ShedCounters,
    published: watch::Sender<Arc<Snapshot>>,
    events: broadcast::Sender<Change>,
    /// Wakes the task that waits for the board's deadline.
    pub(crate) rearm: Notify,
}

impl Shared {
    fn new(mut board: Board, clock: Clock, sources: Sources) -> Self {
        let at = Time::read(&clock);
        let first = board.evaluate(at, None);
        first.change.iter().for_each(log);
        Self {
            board: Mutex::new(board),
            clock,
            sources,
            shed: ShedCounters::default(),
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
        let at = Time::read(&self.clock);
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

    /// Reads the board. What was decided last is [`newest`](Self::newest).
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Board, Time) -> T) -> T {
        let board = self.board.lock().unwrap_or_else(PoisonError::into_inner);
        look(&board, Time::read(&self.clock))
    }

    pub(crate) fn newest(&self) -> Arc<Snapshot> {
        Arc::clone(&self.published.borrow())
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
