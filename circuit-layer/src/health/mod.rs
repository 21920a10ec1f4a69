//! How a dependency is doing, as its callers experience it.
//!
//! A breaker knows whether to let calls through; it does not know how good they are. An operator,
//! a health page and the degradation level need that: how many of the last minute's calls failed,
//! how slow the others were, and what just happened. [`HealthMetrics`] keeps it in fixed memory
//! (about 70 KB each) and answers with numbers, with one score of 0–100 ([`health_score`]) and with
//! a [`HealthReport`] to serialise.
//!
//! | what | over |
//! | --- | --- |
//! | requests, successes, failures, rejected | since the start or the last [`reset`](HealthMetrics::reset) |
//! | success rate, average, p50, p99, score | the last 60 seconds |
//! | recent operations | the last 100 |
//!
//! ```
//! use circuit_layer::{Clock, HealthMetrics, State};
//! use std::time::Duration;
//!
//! let health = HealthMetrics::new(Duration::from_millis(100), Clock::default());
//! health.record_success("get", Duration::from_millis(2));
//! health.record_failure("get", Duration::from_millis(4));
//! assert_eq!(health.requests(), 2);
//! assert_eq!(health.average(), Duration::from_millis(3));
//! assert_eq!(health.score(State::Closed), 50);
//! ```

use std::time::Duration;

use crate::clock::{Clock, Moment};
use crate::snapshot::Snapshot;
use crate::state::State;
use crate::sync::{Mutex, lock};

mod latency;
mod recent;
mod records;
mod report;
mod score;
mod status;
#[cfg(test)]
mod tests;
mod window;

use records::Records;
pub use report::{HealthReport, RecentOperation};
pub use score::health_score;
pub use status::Status;

/// Counts, latencies and the last hundred operations of one dependency.
///
/// Recording takes one short lock and allocates nothing. Share it behind an `Arc`. No method
/// panics, whatever the clock does.
#[derive(Debug)]
pub struct HealthMetrics {
    target: Duration,
    clock: Clock,
    records: Mutex<Records>,
}

impl HealthMetrics {
    /// Nothing recorded yet.
    ///
    /// `target` is the average latency up to which the score loses nothing, `T` in
    /// [`health_score`]: 100 ms suits Redis, 5 s suits S3. `clock` is the breaker's.
    #[must_use]
    pub fn new(target: Duration, clock: Clock) -> Self {
        Self { target, clock, records: Mutex::new(Records::new()) }
    }

    /// The dependency did its part within `latency`.
    pub fn record_success(&self, operation: &'static str, latency: Duration) {
        self.record(self.clock.now(), operation, Status::Success, latency);
    }

    /// The dependency failed after `latency`.
    pub fn record_failure(&self, operation: &'static str, latency: Duration) {
        self.record(self.clock.now(), operation, Status::Failure, latency);
    }

    /// The breaker rejected the call: counted and listed, but in no rate, latency or score.
    pub fn record_rejected(&self, operation: &'static str) {
        self.record(self.clock.now(), operation, Status::Rejected, Duration::ZERO);
    }

    /// Records for a caller who has just read the clock and need not read it again.
    ///
    /// The `latency` of a rejected call is not used.
    pub fn record(&self, now: Moment, operation: &'static str, status: Status, latency: Duration) {
        lock(&self.records).record(now, operation, status, latency);
    }

    /// Forgets everything, as if just created.
    pub fn reset(&self) {
        let fresh = Records::new();
        let old = std::mem::replace(&mut *lock(&self.records), fresh);
        drop(old);
    }

    /// All calls: successes, failures and rejected ones.
    #[must_use]
    pub fn requests(&self) -> u64 {
        lock(&self.records).requests()
    }

    /// Calls that the dependency answered well.
    #[must_use]
    pub fn successes(&self) -> u64 {
        lock(&self.records).successes
    }

    /// Calls that failed at the dependency.
    #[must_use]
    pub fn failures(&self) -> u64 {
        lock(&self.records).failures
    }

    /// Calls that the breaker rejected.
    #[must_use]
    pub fn rejected(&self) -> u64 {
        lock(&self.records).rejected
    }

    /// The share of successes among the successes and failures of the last 60 seconds, 0–1; 1 if
    /// there were none.
    #[must_use]
    pub fn success_rate(&self) -> f64 {
        let now = self.clock.now();
        lock(&self.records).minute(now).success_rate()
    }

    /// The average latency of the successes and failures of the last 60 seconds; zero if there
    /// were none.
    #[must_use]
    pub fn average(&self) -> Duration {
        let now = self.clock.now();
        lock(&self.records).minute(now).average()
    }

    /// The latency that half of the successes and failures of the last 60 seconds did not exceed,
    /// within a quarter; zero if there were none.
    #[must_use]
    pub fn p50(&self) -> Duration {
        self.percentile(50)
    }

    /// The latency that 99 of 100 successes and failures of the last 60 seconds did not exceed,
    /// within a quarter; zero if there were none.
    #[must_use]
    pub fn p99(&self) -> Duration {
        self.percentile(99)
    }

    fn percentile(&self, percent: u64) -> Duration {
        let now = self.clock.now();
        lock(&self.records).minute(now).percentile(percent)
    }

    /// The score, 0–100, of the last 60 seconds under a breaker in this state: [`health_score`].
    #[must_use]
    pub fn score(&self, state: State) -> u8 {
        let now = self.clock.now();
        lock(&self.records).score(now, state, self.target)
    }

    /// Everything at one moment, with the state of the breaker that guards the dependency.
    #[must_use]
    pub fn report(&self, breaker: &Snapshot) -> HealthReport {
        let (now, unix) = (self.clock.now(), Clock::unix_time());
        lock(&self.records).report(now, unix, breaker.state, self.target)
    }
}
