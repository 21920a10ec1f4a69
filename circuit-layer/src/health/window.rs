//! The calls of the last 60 seconds, in memory that does not grow with the traffic.
//!
//! One bucket per second, and one total of them all. A new second takes the place of the one that
//! is 60 seconds older, which is taken out of the total first. So recording and reading look at the
//! total and one bucket only. A call is forgotten when the second in which it was recorded began 60
//! seconds ago, so between 59 and 60 seconds after it.

use std::time::Duration;

use super::latency::Latencies;
use crate::clock::Moment;

const SECONDS: usize = 60;
const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// What one second, or all sixty, have seen.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    pub(super) successes: u64,
    pub(super) failures: u64,
    /// Of successes and failures, in nanoseconds.
    latency: u64,
    latencies: Latencies,
}

impl Tally {
    const EMPTY: Self = Self { successes: 0, failures: 0, latency: 0, latencies: Latencies::new() };

    fn add(&mut self, success: bool, nanos: u64) {
        let count = if success { &mut self.successes } else { &mut self.failures };
        *count = count.saturating_add(1);
        self.latency = self.latency.saturating_add(nanos);
        self.latencies.add(nanos);
    }

    fn subtract(&mut self, gone: &Self) {
        self.successes = self.successes.saturating_sub(gone.successes);
        self.failures = self.failures.saturating_sub(gone.failures);
        self.latency = self.latency.saturating_sub(gone.latency);
        self.latencies.subtract(&gone.latencies);
    }

    fn calls(&self) -> u64 {
        self.successes.saturating_add(self.failures)
    }

    /// One without calls.
    #[expect(clippy::as_conversions, reason = "a rate for reading; 2^53 calls are exact")]
    pub(super) fn success_rate(&self) -> f64 {
        if self.calls() == 0 { 1.0 } else { self.successes as f64 / self.calls() as f64 }
    }

    /// Zero without calls.
    pub(super) fn average(&self) -> Duration {
        Duration::from_nanos(self.latency.checked_div(self.calls()).unwrap_or(0))
    }

    /// Zero without calls.
    pub(super) fn percentile(&self, percent: u64) -> Duration {
        self.latencies.percentile(percent)
    }
}

#[derive(Debug)]
pub(super) struct Window {
    seconds: Box<[Tally]>,
    total: Tally,
    /// The newest second seen, counted from the clock's origin.
    newest: u64,
}

impl Window {
    pub(super) fn new() -> Self {
        Self {
            seconds: vec![Tally::EMPTY; SECONDS].into_boxed_slice(),
            total: Tally::EMPTY,
            newest: 0,
        }
    }

    pub(super) fn add(&mut self, now: Moment, success: bool, nanos: u64) {
        self.advance(now);
        self.total.add(success, nanos);
        let slot = slot(self.newest);
        if let Some(second) = self.seconds.get_mut(slot) {
            second.add(success, nanos);
        }
    }

    pub(super) fn total(&mut self, now: Moment) -> &Tally {
        self.advance(now);
        &self.total
    }

    /// Forgets the seconds that are over. A clock that steps backward forgets nothing: its calls
    /// count as of the newest second.
    #[expect(clippy::integer_division, reason = "whole seconds")]
    fn advance(&mut self, now: Moment) {
        let second = now.as_nanos() / NANOS_PER_SECOND;
        if second <= self.newest {
            return;
        }
        if second - self.newest >= 60 {
            self.clear();
        } else {
            for over in self.newest + 1..=second {
                if let Some(bucket) = self.seconds.get_mut(slot(over))
                    && bucket.calls() > 0
                {
                    self.total.subtract(bucket);
                    *bucket = Tally::EMPTY;
                }
            }
        }
        self.newest = second;
    }

    fn clear(&mut self) {
        if self.total.calls() > 0 {
            self.seconds.fill(Tally::EMPTY);
            self.total = Tally::EMPTY;
        }
    }
}

fn slot(second: u64) -> usize {
    usize::try_from(second % 60).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MS: u64 = 1_000_000;

    fn at(seconds: u64) -> Moment {
        Moment::from_nanos(seconds * NANOS_PER_SECOND)
    }

    fn counts(window: &mut Window, seconds: u64) -> (u64, u64) {
        let total = window.total(at(seconds));
        (total.successes, total.failures)
    }

    #[test]
    fn a_call_is_forgotten_sixty_seconds_after_its_second_began() {
        let mut window = Window::new();
        window.add(at(100), true, MS);
        window.add(at(101), false, 3 * MS);
        assert_eq!(counts(&mut window, 159), (1, 1));
        assert_eq!(window.total(at(159)).average(), Duration::from_millis(2));
        assert_eq!(counts(&mut window, 160), (0, 1));
        assert_eq!(window.total(at(160)).average(), Duration::from_millis(3));
        assert_eq!(window.total(at(160)).percentile(50), Duration::from_millis(3));
        assert_eq!(counts(&mut window, 161), (0, 0));
        assert_eq!(window.total(at(161)).average(), Duration::ZERO);
        assert_eq!(window.total(at(161)).percentile(99), Duration::ZERO);
    }

    #[test]
    fn a_long_silence_forgets_everything_at_once() {
        let mut window = Window::new();
        window.add(at(100), true, MS);
        assert_eq!(counts(&mut window, 1_000_000), (0, 0));
        window.add(Moment::NEVER, true, MS);
        assert_eq!(window.total(Moment::NEVER).successes, 1);
    }

    #[test]
    fn a_clock_that_steps_backward_forgets_nothing() {
        let mut window = Window::new();
        window.add(at(100), true, MS);
        window.add(at(7), false, MS);
        assert_eq!(counts(&mut window, 0), (1, 1));
        assert_eq!(counts(&mut window, 159), (1, 1));
        assert_eq!(counts(&mut window, 160), (0, 0));
    }

    proptest! {
        #[test]
        fn the_window_equals_a_list_that_is_filtered(
            steps in prop::collection::vec((0..40_u64, any::<bool>(), 0..100_u64), 1..200),
        ) {
            let (mut window, mut list, mut now) = (Window::new(), Vec::new(), 1_000);
            for (step, success, ms) in steps {
                now += step;
                window.add(at(now), success, ms * MS);
                list.push((now, success, ms * MS));
                list.retain(|(second, ..)| second + 60 > now);
                let ends = |good| list.iter().filter(move |(_, success, _)| *success == good);
                let total = window.total(at(now)).clone();
                prop_assert_eq!(usize::try_from(total.successes)?, ends(true).count());
                prop_assert_eq!(usize::try_from(total.failures)?, ends(false).count());
                let sum: Duration = list.iter().map(|(.., nanos)| Duration::from_nanos(*nanos)).sum();
                prop_assert_eq!(total.average(), sum / u32::try_from(list.len())?);
            }
        }
    }
}
