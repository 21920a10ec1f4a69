//! A share of slow calls in a window.

use std::any::Any;
use std::time::Duration;

use super::in_flight::InFlight;
use super::rate::Rate;
use super::{Call, Deferral, TripPolicy};
use crate::cause::Cause;
use crate::clock::Moment;
use crate::config_error::ConfigError;
use crate::window::{Counts, Mark, Window};

const SLOW: Mark = Mark { failed: false, slow: true };

/// Trips when the share of slow calls in a window reaches a threshold.
///
/// A call is slow when it takes strictly longer than the slow threshold, whether it fails or not. A
/// call that is still in flight counts as slow as soon as it has been out for that long, or up to a
/// sixteenth of it later, and then once and for all. So calls that never end trip the breaker too.
///
/// Such a breaker reads the clock and takes its lock twice for each call.
#[derive(Clone, Debug)]
pub struct SlowCallRate {
    rate: Rate,
    slow: Duration,
    in_flight: InFlight,
}

impl SlowCallRate {
    /// Trips when a share of `threshold`, from 0 to 1, takes strictly longer than `slow`.
    #[must_use]
    pub fn new(threshold: f64, slow: Duration, window: Window) -> Self {
        Self { rate: Rate::new(threshold, window), slow, in_flight: InFlight::new(slow) }
    }

    /// How many calls the window must hold before its rate counts. Default 20, or the whole window
    /// where it holds fewer.
    #[must_use]
    pub const fn min_calls(mut self, calls: u32) -> Self {
        self.rate.min_calls = calls;
        self
    }

    /// Whether a call that is not slow may trip: the one that completes [`min_calls`](Self::min_calls), or that comes
    /// when others like it have left the window. Default yes, because the evidence is the same; with no
    /// the next slow call trips.
    #[must_use]
    pub const fn trip_on_success(mut self, trips: bool) -> Self {
        self.rate.trip_on_success = trips;
        self
    }

    fn reached(&self) -> Option<Cause> {
        self.rate.reached(self.rate.tally.totals().slow).map(Cause::SlowCallRate)
    }
}

impl TripPolicy for SlowCallRate {
    fn record(&mut self, call: Call, now: Moment) -> Option<Cause> {
        let mark = Mark { failed: false, slow: call.is_slow(self.slow, now) };
        let counted = match call.started {
            Some(started) if call.watched => match call.answered {
                Some(_) => mark.slow,
                None => !self.in_flight.end(started),
            },
            _ => false,
        };
        if !counted {
            self.rate.tally.record(mark, 1, now);
        }
        self.reached().filter(|_| self.rate.may_trip(mark))
    }

    /// Never, because every call has to be timed.
    fn quiet(&self) -> bool {
        false
    }

    fn deferral(&self) -> Deferral {
        Deferral::NONE
    }

    fn slow_threshold(&self) -> Option<Duration> {
        Some(self.slow)
    }

    fn start(&mut self, now: Moment) {
        self.in_flight.start(now);
    }

    fn forget(&mut self, started: Moment) {
        self.in_flight.end(started);
    }

    /// One that is slow by now is counted now.
    fn answered(&mut self, started: Moment, now: Moment) -> Option<Cause> {
        if !self.in_flight.end(started) || now - started <= self.slow {
            return None;
        }
        self.rate.tally.record(SLOW, 1, now);
        self.reached()
    }

    fn look(&mut self, now: Moment) -> Option<Cause> {
        let overdue = self.in_flight.overdue(now);
        if overdue == 0 {
            return None;
        }
        self.rate.tally.record(SLOW, overdue, now);
        self.reached()
    }

    fn verdict(&mut self, now: Moment) -> Option<Cause> {
        self.rate.tally.record(SLOW, self.in_flight.overdue(now), now);
        self.reached()
    }

    fn take_over(&mut self, former: &dyn Any, now: Moment) {
        if let Some(former) = former.downcast_ref::<Self>() {
            self.rate.tally.take_over(&former.rate.tally, now);
            self.in_flight.take_over(&former.in_flight, now);
        }
    }

    fn counts(&mut self, now: Moment) -> Counts {
        self.rate.tally.advance(now);
        self.rate.tally.totals()
    }

    fn check(&self) -> Result<(), ConfigError> {
        self.rate.check(Some(self.slow))
    }
}
