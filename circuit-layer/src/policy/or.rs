//! Either of two rules.

use std::any::Any;
use std::time::Duration;

use super::{Call, Deferral, TripPolicy};
use crate::cause::Cause;
use crate::clock::Moment;
use crate::config_error::ConfigError;
use crate::window::Counts;

/// Trips when either policy does, see [`TripPolicy::or`]. If both do at once, the first one's cause
/// is told.
#[derive(Clone, Debug)]
pub struct Or<A, B> {
    a: A,
    b: B,
}

impl<A, B> Or<A, B> {
    pub(crate) const fn new(a: A, b: B) -> Self {
        Self { a, b }
    }
}

impl<A: TripPolicy, B: TripPolicy> TripPolicy for Or<A, B> {
    fn record(&mut self, call: Call, now: Moment) -> Option<Cause> {
        // Not `or_else`: the second must see what the first has tripped on.
        let (a, b) = (self.a.record(call, now), self.b.record(call, now));
        a.or(b)
    }

    fn quiet(&self) -> bool {
        self.a.quiet() && self.b.quiet()
    }

    fn deferral(&self) -> Deferral {
        // A quiet policy does not care how many successes it misses.
        match (self.a.quiet(), self.b.quiet()) {
            (true, _) => self.b.deferral(),
            (_, true) => self.a.deferral(),
            (false, false) => {
                let (a, b) = (self.a.deferral(), self.b.deferral());
                Deferral::new(a.successes.min(b.successes), a.until.min(b.until))
            }
        }
    }

    fn record_successes(&mut self, count: u32, now: Moment) {
        self.a.record_successes(count, now);
        self.b.record_successes(count, now);
    }

    fn slow_threshold(&self) -> Option<Duration> {
        match (self.a.slow_threshold(), self.b.slow_threshold()) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    fn start(&mut self, now: Moment) {
        self.a.start(now);
        self.b.start(now);
    }

    fn forget(&mut self, started: Moment) {
        self.a.forget(started);
        self.b.forget(started);
    }

    fn answered(&mut self, started: Moment, now: Moment) -> Option<Cause> {
        let (a, b) = (self.a.answered(started, now), self.b.answered(started, now));
        a.or(b)
    }

    fn look(&mut self, now: Moment) -> Option<Cause> {
        let (a, b) = (self.a.look(now), self.b.look(now));
        a.or(b)
    }

    fn verdict(&mut self, now: Moment) -> Option<Cause> {
        let (a, b) = (self.a.verdict(now), self.b.verdict(now));
        a.or(b)
    }

    fn take_over(&mut self, former: &dyn Any, now: Moment) {
        if let Some(Self { a, b }) = former.downcast_ref() {
            self.a.take_over(a, now);
            self.b.take_over(b, now);
        }
    }

    /// Those of the policy that has seen more.
    fn counts(&mut self, now: Moment) -> Counts {
        let (a, b) = (self.a.counts(now), self.b.counts(now));
        if a.calls >= b.calls { a } else { b }
    }

    fn check(&self) -> Result<(), ConfigError> {
        self.a.check()?;
        self.b.check()
    }
}
