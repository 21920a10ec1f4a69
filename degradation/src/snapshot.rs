//! What everybody reads: one consistent picture of the service's health.
//!
//! Handlers, pages, logs and the layer must never see a level from one moment and a mode from
//! another, so all of it is one value that is replaced as a whole.

use std::sync::Arc;
use std::time::Duration;

use circuit_layer::Moment;

use crate::health::Status;
use crate::level::Level;
use crate::mode::{Flags, Mode};

/// The shortest wait that a rejected caller is told.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);

/// What a rejected caller is told when nobody can know, as while an operator's order without a
/// limit stands. Ours: long enough to matter, short enough to notice the end.
const UNKNOWN_WAIT: Duration = Duration::from_secs(5);

/// Level, mode and everything that led to them.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Snapshot {
    /// The level that is enforced.
    pub level: Level,
    /// The mode that is enforced.
    pub mode: Mode,
    /// The replacements in use.
    pub flags: Flags,
    /// The weighted score, 0–100.
    pub score: u8,
    /// Why level, mode and flags last changed.
    pub cause: Arc<str>,
    /// When they last changed, on the manager's clock.
    #[serde(skip)]
    pub since: Moment,
    /// When they last changed, in milliseconds since 1970. For people only: wall time steps.
    pub since_unix_ms: u64,
    /// The level that the score gives, whatever an operator says.
    pub observed_level: Level,
    /// The mode that the set of what is down gives, whatever an operator says.
    pub observed_mode: Mode,
    /// The order that forces the level.
    pub forced_level: Option<Order>,
    /// The order that forces the mode.
    pub forced_mode: Option<Order>,
    /// Each dependency, in the order of the builder.
    pub dependencies: Vec<Dependency>,
    /// When the level may change or an order ends by the passing of time alone.
    #[serde(skip)]
    pub next_change: Option<Moment>,
}

/// One dependency within a [`Snapshot`].
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Dependency {
    /// Its name.
    pub name: Arc<str>,
    /// Its weight, 0–100.
    pub weight: u8,
    /// What counts: its score, what was known last while it is unknown, 0 in a drill.
    pub score: u8,
    /// What counts: whether the modes see it as down.
    pub down: bool,
    /// What its source said last.
    pub status: Status,
    /// Why, in its source's words.
    pub detail: Option<Arc<str>>,
    /// When it is tried again, on the manager's clock.
    #[serde(skip)]
    pub retry_at: Option<Moment>,
    /// The drill that makes it count as down.
    pub drill: Option<Order>,
}

/// What an operator ordered: a forced level or mode, or a drill.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Order {
    /// Why.
    pub reason: Arc<str>,
    /// When it ends by itself, on the manager's clock.
    #[serde(skip)]
    pub until: Option<Moment>,
    /// When it ends by itself, in milliseconds since 1970; None if it stands until released.
    pub until_unix_ms: Option<u64>,
}

/// Level, mode, flags or orders changed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Change {
    /// The level before and after.
    pub level: (Level, Level),
    /// The mode before and after.
    pub mode: (Mode, Mode),
    /// The flags after.
    pub flags: Flags,
    /// The score after.
    pub score: u8,
    /// Why.
    pub cause: Arc<str>,
    /// When, on the manager's clock.
    #[serde(skip)]
    pub at: Moment,
    /// When, in milliseconds since 1970.
    pub at_unix_ms: u64,
}

impl Snapshot {
    /// The dependency of this name.
    #[must_use]
    pub fn dependency(&self, name: &str) -> Option<&Dependency> {
        self.dependencies.iter().find(|dependency| &*dependency.name == name)
    }

    /// Whether the dependency of this name is down. False for one that does not exist.
    #[must_use]
    pub fn is_down(&self, name: &str) -> bool {
        self.dependency(name).is_some_and(|dependency| dependency.down)
    }

    /// Whether to write to `database`: it is not down and the mode is not read-only.
    #[must_use]
    pub fn can_write_database(&self) -> bool {
        self.mode != Mode::ReadOnly && !self.is_down("database")
    }

    /// Whether `redis` serves, so that what is cached is shared.
    #[must_use]
    pub fn can_cache(&self) -> bool {
        !self.is_down("redis")
    }

    /// Whether `s3` takes objects at once. If not, uploads may still be queued: see [`Flags`].
    #[must_use]
    pub fn can_store_objects(&self) -> bool {
        !self.is_down("s3")
    }

    /// Whether `openai` answers.
    #[must_use]
    pub fn can_generate(&self) -> bool {
        !self.is_down("openai")
    }

    /// How long a rejected caller should wait: until the next probe of what is down, else until
    /// something may change by itself. At least a second; five if nobody can know.
    #[must_use]
    pub fn retry_after(&self, now: Moment) -> Duration {
        let probes = self.dependencies.iter().filter(|dependency| dependency.down);
        let next = probes.filter_map(|dependency| dependency.retry_at).min().or(self.next_change);
        next.map_or(UNKNOWN_WAIT, |at| (at - now).max(SHORTEST_WAIT))
    }
}
