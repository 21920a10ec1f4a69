//! When is enough evidence enough?
//!
//! A breaker that trips on one failure is nervous, one that waits for a thousand is useless, and
//! how many is right depends on the traffic. So the rule is a value of its own: it sees every
//! outcome of the closed state in order and says when to trip. It knows nothing of states, locks
//! or clocks, which makes it a few lines to write and to test.
//!
//! | policy | trips on | for |
//! | --- | --- | --- |
//! | [`ConsecutiveFailures`] | so many failures in a row | a dependency that is dead |
//! | [`FailureRate`] | a share of failures in a window | one that fails now and then |
//! | [`SlowCallRate`] | a share of slow calls in a window | one that hangs |
//! | [`a.or(b)`](TripPolicy::or) | either | most production stacks |

mod consecutive;
mod in_flight;
mod or;
mod rate;
mod slow;
#[cfg(test)]
mod tests;

use std::any::Any;
use std::fmt::Debug;
use std::time::Duration;

pub use self::consecutive::ConsecutiveFailures;
pub use self::or::Or;
pub use self::rate::FailureRate;
pub use self::slow::SlowCallRate;
use crate::cause::Cause;
use crate::clock::Moment;
use crate::config_error::ConfigError;
use crate::window::Counts;

/// One finished call, as a policy sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Call {
    /// Whether it failed.
    pub failed: bool,
    /// When it started. Only policies that name a [`slow_threshold`](TripPolicy::slow_threshold)
    /// have their calls timed.
    pub started: Option<Moment>,
    /// When its answer began, where that was before its end. It is what its time ends with.
    pub answered: Option<Moment>,
    /// Whether this policy was told of its [`start`](TripPolicy::start). It was not if it has replaced
    /// another one meanwhile.
    pub watched: bool,
}

impl Call {
    /// A call that ended this way, untimed.
    #[must_use]
    pub const fn new(failed: bool) -> Self {
        Self { failed, started: None, answered: None, watched: false }
    }

    /// A call that ended this way and whose start then the policy was told of.
    #[must_use]
    pub const fn timed(failed: bool, started: Moment) -> Self {
        Self { failed, started: Some(started), answered: None, watched: true }
    }

    /// Whether it took strictly longer than `threshold`.
    pub(crate) fn is_slow(&self, threshold: Duration, now: Moment) -> bool {
        self.started.is_some_and(|started| self.answered.unwrap_or(now) - started > threshold)
    }
}

/// What may be handed to a policy later, see [`TripPolicy::deferral`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deferral {
    /// So many successes; [`u32::MAX`] for any number.
    pub successes: u32,
    /// That end before this moment.
    pub until: Moment,
}

impl Deferral {
    /// Every success has to be seen at once.
    pub const NONE: Self = Self { successes: 0, until: Moment::NEVER };

    /// So many successes that end before this moment.
    #[must_use]
    pub const fn new(successes: u32, until: Moment) -> Self {
        Self { successes, until }
    }
}

/// The rule that trips a closed breaker.
///
/// Every closed period starts with a clone of the policy that the breaker was built with, so a
/// policy never has to forget.
///
/// All methods run under the breaker's lock: they must be quick and must not call the breaker. A
/// panic in them reaches the caller whose outcome was being recorded and leaves the state as it was.
pub trait TripPolicy: Any + Debug + Send {
    /// Takes note of one outcome, and says why the breaker must trip, if it must.
    ///
    /// Called for successes and failures alike, in the order in which the breaker saw them; a
    /// success may trip as well. Ignored outcomes never get here.
    fn record(&mut self, call: Call, now: Moment) -> Option<Cause>;

    /// Whether a success would change nothing.
    ///
    /// While this is true the breaker takes no lock for successes and does not record them.
    fn quiet(&self) -> bool;

    /// Which successes may be counted aside, without the lock, and handed over later, all at once,
    /// by [`record_successes`](Self::record_successes). None of them may be one that would trip.
    fn deferral(&self) -> Deferral {
        Deferral::NONE
    }

    /// Takes note of successes that were counted aside.
    fn record_successes(&mut self, count: u32, now: Moment) {
        for _ in 0..count {
            self.record(Call::new(false), now);
        }
    }

    /// Calls that take strictly longer than this are slow. None: calls are not timed, and the four
    /// methods below are never called.
    fn slow_threshold(&self) -> Option<Duration> {
        None
    }

    /// A call started.
    fn start(&mut self, now: Moment) {
        let _ = now;
    }

    /// A call that started then will never be recorded.
    fn forget(&mut self, started: Moment) {
        let _ = started;
    }

    /// The answer of a call that started then has begun, and its time ends here, though its outcome is
    /// still to come: it is no longer in flight. Says why the breaker must trip, if it must.
    fn answered(&mut self, started: Moment, now: Moment) -> Option<Cause> {
        let _ = now;
        self.forget(started);
        None
    }

    /// Looks at the calls in flight, and says why the breaker must trip, if it must. Called before
    /// each admission, settlement and snapshot.
    fn look(&mut self, now: Moment) -> Option<Cause> {
        let _ = now;
        None
    }

    /// Whether what has been counted is reason to trip at this moment. Asked once after an
    /// [`update`](crate::CircuitBreaker::update).
    fn verdict(&mut self, now: Moment) -> Option<Cause> {
        let _ = now;
        None
    }

    /// Goes on where `former` was, a policy of the same type whose place this one takes, with the newest
    /// of its counts that fit and with the calls it has in flight. By default the policy starts empty.
    ///
    /// ```
    /// # use std::any::Any;
    /// # use circuit_layer::Moment;
    /// # struct Streak { max: u32, failures: u32 }
    /// # impl Streak {
    /// fn take_over(&mut self, former: &dyn Any, _now: Moment) {
    ///     if let Some(former) = former.downcast_ref::<Self>() {
    ///         self.failures = former.failures;
    ///     }
    /// }
    /// # }
    /// ```
    fn take_over(&mut self, former: &dyn Any, now: Moment) {
        let _ = (former, now);
    }

    /// What the policy has counted as of now, for snapshots.
    fn counts(&mut self, now: Moment) -> Counts {
        let _ = now;
        Counts::default()
    }

    /// The first rule that this policy's configuration breaks.
    ///
    /// # Errors
    ///
    /// That rule. The breaker is then not built.
    fn check(&self) -> Result<(), ConfigError> {
        Ok(())
    }

    /// Trips when either does. Both see every outcome.
    fn or<P: TripPolicy>(self, other: P) -> Or<Self, P>
    where
        Self: Sized,
    {
        Or::new(self, other)
    }
}
