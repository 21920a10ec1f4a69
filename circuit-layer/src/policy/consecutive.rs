//! So many failures in a row.

use std::any::Any;

use super::{Call, TripPolicy};
use crate::cause::Cause;
use crate::clock::Moment;
use crate::config_error::ConfigError;
use crate::window::Counts;

/// Trips when this many calls in a row have failed; a success starts the count anew.
///
/// It reacts at once to a dead dependency and needs no traffic to speak of, and it is blind to one
/// that fails every other call. It is the default, with five.
#[derive(Clone, Debug)]
pub struct ConsecutiveFailures {
    max: u32,
    streak: u32,
}

impl ConsecutiveFailures {
    /// Trips on the `max`th failure in a row. Zero is refused by the builder.
    #[must_use]
    pub const fn new(max: u32) -> Self {
        Self { max, streak: 0 }
    }

    fn reached(&self) -> Option<Cause> {
        (self.streak >= self.max).then_some(Cause::ConsecutiveFailures(self.streak))
    }
}

impl TripPolicy for ConsecutiveFailures {
    fn record(&mut self, call: Call, _now: Moment) -> Option<Cause> {
        self.streak = if call.failed { self.streak.saturating_add(1) } else { 0 };
        self.reached()
    }

    fn quiet(&self) -> bool {
        self.streak == 0
    }

    fn verdict(&mut self, _now: Moment) -> Option<Cause> {
        self.reached()
    }

    fn take_over(&mut self, former: &dyn Any, _now: Moment) {
        if let Some(former) = former.downcast_ref::<Self>() {
            self.streak = former.streak;
        }
    }

    /// The streak.
    fn counts(&mut self, _: Moment) -> Counts {
        let streak = u64::from(self.streak);
        Counts { calls: streak, failed: streak, slow: 0, failed_or_slow: streak }
    }

    fn check(&self) -> Result<(), ConfigError> {
        if self.max == 0 { Err(ConfigError::ZeroFailMax) } else { Ok(()) }
    }
}
