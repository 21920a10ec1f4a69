//! Health as a value: to serialise, to show, to compare.

use std::time::Duration;

use super::Status;
use super::recent::Operation;
use crate::clock::Moment;
use crate::state::State;

/// The health of a dependency at one moment. With the feature `serde` it is `Serialize`.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct HealthReport {
    /// Of the breaker that guards it.
    pub state: State,
    /// 0–100, see [`health_score`](super::health_score).
    pub score: u8,
    /// 0–1, over the last 60 seconds; 1 without calls.
    pub success_rate: f64,
    /// All calls since the start: the three counts that follow, added up.
    pub requests: u64,
    /// Calls that it answered well, since the start.
    pub successes: u64,
    /// Calls that failed at it, since the start.
    pub failures: u64,
    /// Calls that the breaker rejected, since the start.
    pub rejected: u64,
    /// Milliseconds, over the last 60 seconds; 0 without calls.
    pub average_ms: f64,
    /// Milliseconds that half of the last 60 seconds' calls did not exceed, within a quarter.
    pub p50_ms: f64,
    /// Milliseconds that 99 of 100 of the last 60 seconds' calls did not exceed, within a quarter.
    pub p99_ms: f64,
    /// The last 100 operations, the newest first.
    pub recent: Vec<RecentOperation>,
}

/// One of the last hundred operations.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct RecentOperation {
    /// When it ended, in milliseconds of the breaker's clock.
    pub clock_ms: u64,
    /// When it ended, in milliseconds since 1970, for people: reckoned back from the wall time of
    /// the report, so it moves when the wall clock is set.
    pub unix_ms: u64,
    /// Its name, as in the label `operation`.
    pub operation: &'static str,
    /// What became of it.
    pub outcome: Status,
    /// How long it took, in milliseconds; 0 if it was rejected.
    pub latency_ms: f64,
}

impl RecentOperation {
    pub(super) fn new(operation: &Operation, now: Moment, unix: Duration) -> Self {
        let age = now - operation.at;
        Self {
            clock_ms: whole_millis(Duration::from_nanos(operation.at.as_nanos())),
            unix_ms: whole_millis(unix.saturating_sub(age)),
            operation: operation.name,
            outcome: operation.status,
            latency_ms: millis(operation.latency),
        }
    }
}

pub(super) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

fn whole_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
