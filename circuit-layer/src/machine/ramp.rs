//! Letting traffic back in by and by.
//!
//! The moment a breaker closes, everything that was held back comes at once, to a dependency that
//! has just got up. For a while only a share of the calls is admitted: a tenth at first, then as much
//! of it as of the time has passed.

use std::time::Duration;

use crate::clock::{Moment, nanos};

/// The least share, in thousandths.
const LEAST: u64 = 100;
const WHOLE: u64 = 1_000;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Ramp {
    since: Moment,
    length: Duration,
    /// What the calls so far have left over, in thousandths of a call. Counting spreads the share
    /// evenly, where a dice would clump it.
    credit: u64,
}

impl Ramp {
    /// The first call is admitted.
    pub(crate) fn new(since: Moment, length: Duration) -> Self {
        Self { since, length, credit: WHOLE - LEAST }
    }

    pub(crate) fn end(&self) -> Moment {
        self.since + self.length
    }

    /// Whether this call is one of the share.
    pub(crate) fn admits(&mut self, now: Moment) -> bool {
        let passed = nanos(now - self.since).saturating_mul(WHOLE);
        let share = passed.checked_div(nanos(self.length)).unwrap_or(WHOLE).clamp(LEAST, WHOLE);
        self.credit += share;
        let admits = self.credit >= WHOLE;
        if admits {
            self.credit -= WHOLE;
        }
        admits
    }
}
