//! When is enough evidence enough?
//!
//! A breaker that trips on one failure is nervous, one that waits for a thousand is useless, and
//! how many is right depends on the traffic. So the rule is a value of its own: it sees every
//! outcome of the closed state in order and says when to trip. It knows nothing of states, locks
//! or clocks, which makes it a few lines to write and to test.

mod consecutive;

use std::fmt::Debug;
use std::time::Duration;

pub use self::consecutive::ConsecutiveFailures;
use crate::cause::Cause;
use crate::clock::Moment;

/// One finished call, as a policy sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Call {
    /// Whether it failed.
    pub failed: bool,
    /// How long it took. Only policies that name a [`slow_threshold`](TripPolicy::slow_threshold)
    /// have their calls timed.
    pub took: Option<Duration>,
}

impl Call {
    /// A call that ended this way, untimed.
    #[must_use]
    pub const fn new(failed: bool) -> Self {
        Self { failed, took: None }
    }
}

/// The rule that trips a closed breaker.
///
/// Every closed period starts with a clone of the policy that the breaker was built with, so a
/// policy never has to forget.
///
/// Both methods run under the breaker's lock: they must be quick and must not call the breaker. A
/// panic in them reaches the caller whose outcome was being recorded and leaves the state as it was.
pub trait TripPolicy: Debug + Send + 'static {
    /// Takes note of one outcome, and says why the breaker must trip, if it must.
    ///
    /// Called for successes and failures alike, in the order in which the breaker saw them; a
    /// success may trip as well. Ignored outcomes never get here.
    fn record(&mut self, call: Call, now: Moment) -> Option<Cause>;

    /// Whether a success would change nothing.
    ///
    /// While this is true the breaker takes no lock for successes and does not record them.
    fn quiet(&self) -> bool;

    /// Calls that take strictly longer than this are slow. None: calls are not timed.
    fn slow_threshold(&self) -> Option<Duration> {
        None
    }
}
