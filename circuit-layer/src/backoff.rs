//! How long to stay open when coming back keeps failing.
//!
//! A fixed wait treats the first outage and the tenth relapse alike. With a backoff each relapse
//! waits longer than the last, up to a cap, and a little jitter keeps a fleet that tripped together
//! from probing together. The level that says how often it went wrong lives in the machine; here is
//! the arithmetic alone.

use std::time::Duration;

const TEN_MINUTES: Duration = Duration::from_secs(600);
const SHORTEST: Duration = Duration::from_millis(1);

/// The rule for the length of the open state.
///
/// The default multiplies nothing: every wait is exactly `reset_timeout`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backoff {
    pub(crate) factor: f64,
    pub(crate) jitter: f64,
    pub(crate) cap: Option<Duration>,
}

impl Default for Backoff {
    fn default() -> Self {
        Self::none()
    }
}

impl Backoff {
    /// Every wait is exactly `reset_timeout`.
    #[must_use]
    pub const fn none() -> Self {
        Self { factor: 1.0, jitter: 0.0, cap: None }
    }

    /// Each failed recovery multiplies the wait by `factor`, with 10 % of jitter, capped at ten
    /// minutes (or at `reset_timeout` where that is longer).
    ///
    /// A factor below 1, or one that is not a number, is refused by the builder.
    #[must_use]
    pub const fn exponential(factor: f64) -> Self {
        Self { factor, jitter: 0.1, cap: None }
    }

    /// The longest wait, jitter and retry-after included.
    #[must_use]
    pub const fn cap(mut self, cap: Duration) -> Self {
        self.cap = Some(cap);
        self
    }

    /// The share by which a wait is shortened or lengthened at random, 0 to 1. The first wait after
    /// a healthy time is never jittered.
    #[must_use]
    pub const fn jitter(mut self, share: f64) -> Self {
        self.jitter = share;
        self
    }

    /// Whether a relapse waits longer than a first trip.
    pub(crate) fn grows(&self) -> bool {
        self.factor > 1.0
    }

    /// The wait at `level` relapses. `roll` is a random number from 0 to 1.
    pub(crate) fn wait(&self, base: Duration, level: u32, roll: f64) -> Duration {
        if level == 0 || !self.grows() {
            return base;
        }
        let exponent = i32::try_from(level).unwrap_or(i32::MAX);
        let spread = 1.0 + self.jitter * (2.0 * roll - 1.0);
        let seconds = base.as_secs_f64() * self.factor.powi(exponent).min(f64::MAX) * spread;
        let wait = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        self.within(base, wait)
    }

    /// The wait that a dependency asked for, within reason.
    pub(crate) fn asked(&self, base: Duration, retry_after: Duration) -> Duration {
        self.within(base, retry_after)
    }

    /// The cap has the last word: it may be below the shortest wait.
    fn within(&self, base: Duration, wait: Duration) -> Duration {
        let longest = self.cap.unwrap_or(TEN_MINUTES).max(base);
        wait.max(SHORTEST).min(longest)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn without_a_backoff_every_wait_is_the_reset_timeout() {
        for level in [0, 1, 100] {
            assert_eq!(Backoff::none().wait(MINUTE, level, 0.9), MINUTE);
        }
    }

    #[test]
    fn a_relapse_doubles_the_wait_up_to_ten_minutes() {
        let waits = [0, 1, 2, 3, 4, 31, u32::MAX]
            .map(|level| Backoff::exponential(2.0).jitter(0.0).wait(MINUTE, level, 0.0).as_secs());
        assert_eq!(waits, [60, 120, 240, 480, 600, 600, 600]);
    }

    #[test]
    fn the_roll_goes_from_the_shortest_wait_to_the_longest() {
        let backoff = Backoff::exponential(2.0).jitter(0.5);
        let waits = [0.0, 0.5, 1.0].map(|roll| backoff.wait(MINUTE, 1, roll).as_secs());
        assert_eq!(waits, [60, 120, 180]);
    }

    #[test]
    fn a_reset_timeout_above_ten_minutes_is_its_own_cap() {
        let hour = 60 * MINUTE;
        assert_eq!(Backoff::exponential(2.0).wait(hour, 3, 0.99), hour);
    }

    #[test]
    fn a_retry_after_replaces_the_wait_in_both_directions_within_the_cap() {
        let backoff = Backoff::none();
        assert_eq!(backoff.asked(MINUTE, Duration::from_secs(2)), Duration::from_secs(2));
        assert_eq!(backoff.asked(MINUTE, Duration::ZERO), SHORTEST);
        assert_eq!(backoff.asked(MINUTE, Duration::MAX), TEN_MINUTES);
    }

    #[test]
    fn a_cap_below_the_shortest_wait_is_the_wait() {
        let (base, cap) = (Duration::from_micros(100), Duration::from_micros(500));
        let backoff = Backoff::exponential(2.0).jitter(0.0).cap(cap);
        assert_eq!(backoff.asked(base, Duration::from_secs(1)), cap);
        assert_eq!(backoff.wait(base, 1, 0.5), cap);
    }

    proptest! {
        #[test]
        fn jitter_stays_in_its_share_and_inside_the_cap(
            base in 1_u64..1_000_000, level in 1_u32..40, factor in 1.01_f64..10.0,
            jitter in 0.0_f64..=1.0, roll in 0.0_f64..1.0,
        ) {
            let base = Duration::from_millis(base);
            let backoff = Backoff::exponential(factor).jitter(jitter);
            let wait = backoff.wait(base, level, roll).as_secs_f64();
            let plain = base.as_secs_f64() * factor.powi(level.try_into().unwrap());
            let cap = TEN_MINUTES.max(base).as_secs_f64();
            prop_assert!(wait <= cap);
            prop_assert!(wait >= (plain * (1.0 - jitter)).min(cap) - 1e-3);
            prop_assert!(wait <= plain * (1.0 + jitter) + 1e-3);
        }
    }
}
