//! Everything that is recorded, as plain data: no clock, no lock.

use std::time::Duration;

use super::recent::{Operation, Recent};
use super::report::{HealthReport, RecentOperation, millis};
use super::score::health_score;
use super::status::Status;
use super::window::{Tally, Window};
use crate::clock::{Moment, nanos};
use crate::state::State;

#[derive(Debug)]
pub(super) struct Records {
    pub(super) successes: u64,
    pub(super) failures: u64,
    pub(super) rejected: u64,
    window: Window,
    recent: Recent,
}

impl Records {
    pub(super) fn new() -> Self {
        Self {
            successes: 0,
            failures: 0,
            rejected: 0,
            window: Window::new(),
            recent: Recent::new(),
        }
    }

    pub(super) fn record(
        &mut self,
        now: Moment,
        name: &'static str,
        status: Status,
        latency: Duration,
    ) {
        let nanos = nanos(latency);
        let (count, judged) = match status {
            Status::Success => (&mut self.successes, true),
            Status::Failure => (&mut self.failures, true),
            Status::Rejected => (&mut self.rejected, false),
        };
        *count = count.saturating_add(1);
        let latency = if judged {
            self.window.add(now, status == Status::Success, nanos);
            Duration::from_nanos(nanos)
        } else {
            Duration::ZERO
        };
        self.recent.push(Operation { at: now, name, status, latency });
    }

    pub(super) fn requests(&self) -> u64 {
        self.successes.saturating_add(self.failures).saturating_add(self.rejected)
    }

    /// The last 60 seconds.
    pub(super) fn minute(&mut self, now: Moment) -> &Tally {
        self.window.total(now)
    }

    pub(super) fn score(&mut self, now: Moment, state: State, target: Duration) -> u8 {
        let minute = self.minute(now);
        health_score(state, minute.successes, minute.failures, minute.average(), target)
    }

    pub(super) fn report(
        &mut self,
        now: Moment,
        unix: Duration,
        state: State,
        target: Duration,
    ) -> HealthReport {
        let recent = self.recent.newest_first();
        let recent = recent.map(|operation| RecentOperation::new(operation, now, unix)).collect();
        let score = self.score(now, state, target);
        let (requests, successes, failures) = (self.requests(), self.successes, self.failures);
        let rejected = self.rejected;
        let minute = self.minute(now);
        HealthReport {
            state,
            score,
            success_rate: minute.success_rate(),
            requests,
            successes,
            failures,
            rejected,
            average_ms: millis(minute.average()),
            p50_ms: millis(minute.percentile(50)),
            p99_ms: millis(minute.percentile(99)),
            recent,
        }
    }
}
