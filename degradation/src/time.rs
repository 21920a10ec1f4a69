//! Two clocks read together: one to compute with, one to show people.

use std::time::Duration;

use circuit_layer::{Clock, Moment};

use crate::snapshot::Order;

/// A moment on the manager's clock, and the wall time at it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Time {
    pub(crate) now: Moment,
    pub(crate) unix: Duration,
}

impl Time {
    pub(crate) fn read(clock: &Clock) -> Self {
        Self { now: clock.now(), unix: Clock::unix_time() }
    }

    pub(crate) fn unix_ms(self) -> u64 {
        millis(self.unix)
    }

    /// An order that is given now.
    pub(crate) fn order(self, reason: &str, limit: Option<Duration>) -> Order {
        let later = |limit| Self { now: self.now + limit, unix: self.unix.saturating_add(limit) };
        let until = limit.map(later);
        Order {
            reason: reason.into(),
            until: until.map(|until| until.now),
            until_unix_ms: until.map(Self::unix_ms),
        }
    }
}

/// Whole milliseconds; what is too long for them is as long as they can tell.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
