//! A share of failures in a window.

use std::any::Any;
use std::time::Duration;

use super::{Call, Deferral, TripPolicy};
use crate::cause::Cause;
use crate::clock::Moment;
use crate::config_error::ConfigError;
use crate::window::{Counts, Mark, Shape, Tally, Window};

/// What a rate must have seen before it may trip, unless it is told otherwise. A window of fewer
/// calls must be full.
const MIN_CALLS: u32 = 20;

/// Trips when the share of failures in a window reaches a threshold.
///
/// Thresholds are inclusive: five of ten reach 0.5. The rate is looked at after every outcome, so the
/// success that completes [`min_calls`](Self::min_calls) may trip as well, unless
/// [`trip_on_success`](Self::trip_on_success) says no.
///
/// ```
/// use circuit_layer::{CircuitBreaker, ConsecutiveFailures, FailureRate, TripPolicy, Window};
///
/// let breaker = CircuitBreaker::builder("inventory")
///     .policy(FailureRate::new(0.5, Window::calls(100)).or(ConsecutiveFailures::new(5)))
///     .build()?;
/// # Ok::<(), circuit_layer::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct FailureRate {
    rate: Rate,
    slow: Option<Duration>,
}

impl FailureRate {
    /// Trips at `threshold`, a share from 0 to 1.
    #[must_use]
    pub fn new(threshold: f64, window: Window) -> Self {
        Self { rate: Rate::new(threshold, window), slow: None }
    }

    /// How many calls the window must hold before its rate counts. Default 20, or the whole window
    /// where it holds fewer.
    #[must_use]
    pub const fn min_calls(mut self, calls: u32) -> Self {
        self.rate.min_calls = calls;
        self
    }

    /// Whether a good call may trip: the one that completes [`min_calls`](Self::min_calls), or that comes
    /// when older good ones have left the window. Default yes, because the evidence is the same; with no
    /// the next bad call trips.
    #[must_use]
    pub const fn trip_on_success(mut self, trips: bool) -> Self {
        self.rate.trip_on_success = trips;
        self
    }

    /// Counts calls that take strictly longer than `threshold` as failures too. One that is slow and
    /// fails counts once.
    #[must_use]
    pub const fn counting_slow(mut self, threshold: Duration) -> Self {
        self.slow = Some(threshold);
        self
    }

    fn reached(&self) -> Option<Cause> {
        let totals = self.rate.tally.totals();
        match self.slow {
            Some(_) => self.rate.reached(totals.failed_or_slow).map(Cause::FailedOrSlow),
            None => self.rate.reached(totals.failed).map(Cause::FailureRate),
        }
    }
}

impl TripPolicy for FailureRate {
    fn record(&mut self, call: Call, now: Moment) -> Option<Cause> {
        let slow = self.slow.is_some_and(|threshold| call.is_slow(threshold, now));
        let mark = Mark { failed: call.failed, slow };
        self.rate.tally.record(mark, 1, now);
        self.reached().filter(|_| self.rate.may_trip(mark))
    }

    fn quiet(&self) -> bool {
        self.rate.tally.is_quiet()
    }

    fn deferral(&self) -> Deferral {
        self.rate.deferral()
    }

    fn record_successes(&mut self, count: u32, now: Moment) {
        self.rate.tally.record(Mark::default(), count, now);
    }

    fn slow_threshold(&self) -> Option<Duration> {
        self.slow
    }

    fn verdict(&mut self, now: Moment) -> Option<Cause> {
        self.rate.tally.advance(now);
        self.reached()
    }

    fn take_over(&mut self, former: &dyn Any, now: Moment) {
        if let Some(former) = former.downcast_ref::<Self>() {
            self.rate.tally.take_over(&former.rate.tally, now);
        }
    }

    fn counts(&mut self, now: Moment) -> Counts {
        self.rate.tally.advance(now);
        self.rate.tally.totals()
    }

    fn check(&self) -> Result<(), ConfigError> {
        self.rate.check(self.slow)
    }
}

/// A window with a threshold.
#[derive(Clone, Debug)]
pub(super) struct Rate {
    threshold: f64,
    window: Window,
    pub(super) min_calls: u32,
    pub(super) trip_on_success: bool,
    pub(super) tally: Tally,
}

impl Rate {
    pub(super) fn new(threshold: f64, window: Window) -> Self {
        let min_calls = match window.0 {
            Shape::Calls(n) => n.min(MIN_CALLS),
            Shape::Time(_) => MIN_CALLS,
        };
        Self { threshold, window, min_calls, trip_on_success: true, tally: Tally::new(window) }
    }

    /// The percentage of bad calls, rounded down, if it has reached the threshold.
    pub(super) fn reached(&self, bad: u64) -> Option<u32> {
        let calls = self.tally.totals().calls;
        if calls < u64::from(self.min_calls) || bad == 0 {
            return None;
        }
        // A division, because 7/100 is the double 0.07 and 0.07·100 is more than 7.
        let reached = float(bad) / float(calls) >= self.threshold;
        let percent = bad.saturating_mul(100).checked_div(calls).unwrap_or(100);
        reached.then(|| u32::try_from(percent).unwrap_or(100))
    }

    /// Whether a call that ended so is one to trip on.
    pub(super) fn may_trip(&self, mark: Mark) -> bool {
        self.trip_on_success || mark.failed || mark.slow
    }

    pub(super) fn deferral(&self) -> Deferral {
        let calls = self.tally.totals().calls;
        let missing = u64::from(self.min_calls).saturating_sub(calls);
        let (calm, until) = self.tally.calm();
        match missing {
            0 => Deferral::new(calm, until),
            // The one that completes `min_calls` may trip.
            _ => Deferral::new(calm.min(u32::try_from(missing - 1).unwrap_or(u32::MAX)), until),
        }
    }

    pub(super) fn check(&self, slow: Option<Duration>) -> Result<(), ConfigError> {
        let (empty, too_many) = match self.window.0 {
            Shape::Calls(n) => (n == 0, self.min_calls > n),
            Shape::Time(stretch) => (stretch.is_zero(), false),
        };
        if !(self.threshold > 0.0 && self.threshold <= 1.0) {
            Err(ConfigError::RateThreshold)
        } else if empty {
            Err(ConfigError::EmptyWindow)
        } else if self.min_calls == 0 {
            Err(ConfigError::ZeroMinCalls)
        } else if too_many {
            Err(ConfigError::MinCallsAboveWindow)
        } else if slow == Some(Duration::ZERO) {
            Err(ConfigError::ZeroSlowThreshold)
        } else {
            Ok(())
        }
    }
}

/// Exact up to 2³², which no window of these holds.
fn float(calls: u64) -> f64 {
    f64::from(u32::try_from(calls).unwrap_or(u32::MAX))
}
