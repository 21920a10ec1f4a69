//! How often recovery has failed lately.
//!
//! The level is the exponent of the backoff. It rises with every trip and falls by one for each
//! whole minute of the closed state in which a call succeeded. It does not fall at once on closing,
//! or a dependency that flaps would be retried as eagerly as one that failed for the first time;
//! and it does not fall without traffic, because silence is no evidence of health.

use std::time::Duration;

use crate::clock::Moment;

const MINUTE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Level {
    trips: u32,
    /// The minute of the closed state in which a call last succeeded, by its beginning.
    healthy: Option<Moment>,
}

impl Level {
    /// A call succeeded in a closed state that began at `since`.
    pub(crate) fn healthy(&mut self, since: Moment, now: Moment) {
        if self.trips == 0 {
            return;
        }
        self.credit(now);
        if self.healthy.is_none() {
            let into_minute = (now - since).as_nanos() % MINUTE.as_nanos();
            let into_minute = Duration::from_nanos(u64::try_from(into_minute).unwrap_or(0));
            self.healthy = Some(Moment::from_nanos(
                now.as_nanos().saturating_sub(crate::clock::nanos(into_minute)),
            ));
        }
    }

    /// The closed state ends, and a minute that is not whole by now never will be.
    pub(crate) fn interrupt(&mut self, now: Moment) {
        self.credit(now);
        self.healthy = None;
    }

    /// The level at which a trip finds the breaker. It counts from the next one on.
    pub(crate) fn trip(&mut self, now: Moment, grows: bool) -> u32 {
        self.interrupt(now);
        let level = self.trips;
        self.trips = if grows { level.saturating_add(1) } else { 0 };
        level
    }

    /// Whether a success is worth recording for the level's sake.
    pub(crate) fn is_raised(&self) -> bool {
        self.trips > 0
    }

    pub(crate) fn get(&self) -> u32 {
        self.trips
    }

    /// Lowers the level once the minute that saw a success is whole.
    fn credit(&mut self, now: Moment) {
        if self.healthy.is_some_and(|minute| now - minute >= MINUTE) {
            self.trips = self.trips.saturating_sub(1);
            self.healthy = None;
        }
    }
}
