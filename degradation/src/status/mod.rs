//! Everything there is to see, as one document.
//!
//! A page, a terminal and a script show the same things. If each asked the manager, the breakers
//! and the queues on its own, they would show different moments and disagree. So there is one
//! [`StatusDocument`], made at one moment by [`DegradationManager::status`], serialised as JSON and
//! read back by whoever shows it.
//!
//! Making it asks the breakers for their snapshots and the closures for their figures. What panics
//! is left out.
//!
//! [`DegradationManager::status`]: crate::DegradationManager::status

mod breaker;
mod calls;
mod document;
mod shed;
mod stores;

use std::sync::Arc;

pub use self::breaker::BreakerStatus;
pub use self::calls::{CallStatus, Fact, LastError};
pub(crate) use self::document::document;
pub(crate) use self::shed::ShedCounters;
pub use self::shed::ShedCounts;
pub use self::stores::{CacheStatus, Named, QueueStatus};
use crate::board::{History, LogEntry};
use crate::health::Status;
use crate::level::Level;
use crate::mode::{Flags, Mode};
use crate::snapshot::Order;

/// What the service can still offer, why, and how its dependencies do.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct StatusDocument {
    /// When it was made, in milliseconds since 1970.
    pub at_unix_ms: u64,
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
    /// When they last changed, in milliseconds since 1970.
    pub since_unix_ms: u64,
    /// What is the matter now, in one line; the cause may be older.
    pub now: Arc<str>,
    /// The level that the score gives, whatever an operator says.
    pub observed_level: Level,
    /// The mode that the set of what is down gives, whatever an operator says.
    pub observed_mode: Mode,
    /// The order that forces the level.
    pub forced_level: Option<Order>,
    /// The order that forces the mode.
    pub forced_mode: Option<Order>,
    /// Requests that the layers have rejected, since the start.
    pub shed: ShedCounts,
    /// Each dependency, in the order of the builder.
    pub dependencies: Vec<DependencyStatus>,
    /// Each queue, in the order of the builder.
    pub queues: Vec<Named<QueueStatus>>,
    /// Each cache, in the order of the builder.
    pub caches: Vec<Named<CacheStatus>>,
    /// The last 200 things that happened, the newest first.
    pub log: Vec<LogEntry>,
}

/// One dependency within a [`StatusDocument`].
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct DependencyStatus {
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
    /// The drill that makes it count as down.
    pub drill: Option<Order>,
    /// Milliseconds until it is tried again; 0 once the next call is a probe.
    pub next_probe_ms: Option<u64>,
    /// How often it went down since the start.
    pub outages: u64,
    /// Its breaker.
    pub breaker: Option<BreakerStatus>,
    /// Its calls.
    pub calls: Option<CallStatus>,
    /// How many calls something else has answered in its place, since the start.
    pub fallbacks: Option<u64>,
    /// The last error that is known of.
    pub last_error: Option<LastError>,
    /// What else its source tells.
    pub facts: Vec<Fact>,
    /// The last three minutes.
    pub history: History,
}

impl StatusDocument {
    /// The dependency of this name.
    #[must_use]
    pub fn dependency(&self, name: &str) -> Option<&DependencyStatus> {
        self.dependencies.iter().find(|dependency| &*dependency.name == name)
    }
}
