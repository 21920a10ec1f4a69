//! Which calls a rate is made of.
//!
//! A rate over all time forgets nothing: after a million successes it takes a million failures to
//! reach a half. A window forgets, and there are two honest ways to do it:
//!
//! | window | holds | forgets | memory | each call |
//! | --- | --- | --- | --- | --- |
//! | [`Window::calls`] | exactly the last N | one call for each that comes | N bytes | O(1) |
//! | [`Window::time`] | the last stretch of time | a tenth of the stretch at a time | 10 buckets | O(1) |

mod calls;
mod time;

use std::time::Duration;

use self::calls::LastCalls;
use self::time::LastTime;
use crate::clock::Moment;

/// Which calls a rate is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window(pub(crate) Shape);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Calls(u32),
    Time(Duration),
}

impl Window {
    /// Exactly the last `n` calls.
    #[must_use]
    pub const fn calls(n: u32) -> Self {
        Self(Shape::Calls(n))
    }

    /// The calls of the last `stretch`, in ten sub-buckets that leave as a whole: the oldest call
    /// that counts is between nine and ten tenths of the stretch old.
    #[must_use]
    pub const fn time(stretch: Duration) -> Self {
        Self(Shape::Time(stretch))
    }
}

/// How a call ended, as far as a window cares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) failed: bool,
    pub(crate) slow: bool,
}

/// What a policy has counted of the closed state, as of the last call that it has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Counts {
    /// Calls in the window.
    pub calls: u64,
    /// Those that failed.
    pub failed: u64,
    /// Those that were slow, where the policy watches for that.
    pub slow: u64,
    /// Those that failed or were slow.
    pub failed_or_slow: u64,
}

impl Counts {
    fn add(&mut self, mark: Mark, times: u64) {
        self.calls += times;
        self.failed += times * u64::from(mark.failed);
        self.slow += times * u64::from(mark.slow);
        self.failed_or_slow += times * u64::from(mark.failed || mark.slow);
    }

    fn give(&mut self, more: Self) {
        self.calls += more.calls;
        self.failed += more.failed;
        self.slow += more.slow;
        self.failed_or_slow += more.failed_or_slow;
    }

    fn take(&mut self, gone: Self) {
        self.calls = self.calls.saturating_sub(gone.calls);
        self.failed = self.failed.saturating_sub(gone.failed);
        self.slow = self.slow.saturating_sub(gone.slow);
        self.failed_or_slow = self.failed_or_slow.saturating_sub(gone.failed_or_slow);
    }
}

/// A window and what is in it.
#[derive(Clone, Debug)]
pub(crate) enum Tally {
    Calls(LastCalls),
    Time(Box<LastTime>),
}

impl Tally {
    pub(crate) fn new(window: Window) -> Self {
        match window.0 {
            Shape::Calls(n) => Self::Calls(LastCalls::new(n)),
            Shape::Time(stretch) => Self::Time(Box::new(LastTime::new(stretch))),
        }
    }

    pub(crate) fn record(&mut self, mark: Mark, times: u32, now: Moment) {
        match self {
            Self::Calls(calls) => calls.record(mark, times),
            Self::Time(time) => time.record(mark, times, now),
        }
    }

    /// Lets go of what is too old by now.
    pub(crate) fn advance(&mut self, now: Moment) {
        match self {
            Self::Calls(_) => {}
            Self::Time(time) => time.advance(now),
        }
    }

    /// Takes over the newest of what another window of the same kind holds.
    pub(crate) fn take_over(&mut self, former: &Self, now: Moment) {
        match (self, former) {
            (Self::Calls(calls), Self::Calls(former)) => calls.take_over(former),
            (Self::Time(time), Self::Time(former)) => time.take_over(former, now),
            // Calls that are in order have no time, and those that have a time are in no order.
            (Self::Calls(_), Self::Time(_)) | (Self::Time(_), Self::Calls(_)) => {}
        }
    }

    /// What the window holds, as of the last record.
    pub(crate) fn totals(&self) -> Counts {
        match self {
            Self::Calls(calls) => calls.totals(),
            Self::Time(time) => time.totals(),
        }
    }

    /// Whether a good call would change nothing.
    pub(crate) fn is_quiet(&self) -> bool {
        match self {
            Self::Calls(calls) => calls.is_full_of_good(),
            Self::Time(_) => false,
        }
    }

    /// For how many good calls, and until when, nothing can happen that has to be seen at once.
    ///
    /// A window of calls has to be seen again when it is clean; a window of time when its sub-bucket
    /// ends.
    pub(crate) fn calm(&self) -> (u32, Moment) {
        match self {
            Self::Calls(calls) => (calls.until_clean().saturating_sub(1), Moment::NEVER),
            Self::Time(time) => (u32::MAX, time.bucket_end()),
        }
    }
}
