//! The last three minutes of a dependency, for a chart.
//!
//! Counters that only grow say nothing at a glance. So what was counted since the last look is put
//! into slots of two seconds, of which the last ninety are kept. Pure: the moment is an argument.

use std::collections::VecDeque;
use std::time::Duration;

use circuit_layer::Moment;

use crate::time::millis;

/// The width of a slot: an outage is to be seen on a chart within it.
pub(crate) const SLOT: Duration = Duration::from_secs(2);

/// Three minutes: long enough to see what led to an outage, and 90 points fit a phone.
const SLOTS: usize = 90;

/// How many slots the rate of calls is taken over: ten seconds.
const RATE_SLOTS: usize = 5;

/// What a dependency has counted since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) successes: u64,
    pub(crate) failures: u64,
    pub(crate) rejected: u64,
}

impl Totals {
    /// What came on top of `earlier`; all of it if the counters began anew.
    fn since(self, earlier: Self) -> Self {
        let grown = |now: u64, then: u64| now.checked_sub(then).unwrap_or(now);
        Self {
            successes: grown(self.successes, earlier.successes),
            failures: grown(self.failures, earlier.failures),
            rejected: grown(self.rejected, earlier.rejected),
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    counts: Totals,
    score: u8,
}

impl Slot {
    fn add(&mut self, more: Totals, score: u8) {
        self.counts.successes = self.counts.successes.saturating_add(more.successes);
        self.counts.failures = self.counts.failures.saturating_add(more.failures);
        self.counts.rejected = self.counts.rejected.saturating_add(more.rejected);
        self.score = score;
    }
}

/// Puts totals into slots.
#[derive(Debug)]
pub(crate) struct Chart {
    full: VecDeque<Slot>,
    filling: Slot,
    /// When the slot that is being filled began.
    began: Moment,
    last: Option<Totals>,
}

impl Chart {
    pub(crate) const fn new(now: Moment) -> Self {
        let filling = Slot { counts: Totals { successes: 0, failures: 0, rejected: 0 }, score: 0 };
        Self { full: VecDeque::new(), filling, began: now, last: None }
    }

    /// Takes in what has been counted up to `now`, and the score at `now`.
    pub(crate) fn take(&mut self, totals: Totals, score: u8, now: Moment) {
        self.turn(now);
        let more = self.last.map_or_else(Totals::default, |last| totals.since(last));
        self.last = Some(totals);
        self.filling.add(more, score);
    }

    /// Begins new slots for the time that has passed; a score holds until the next one.
    fn turn(&mut self, now: Moment) {
        let mut turned = 0;
        while now >= self.began + SLOT {
            let next = Slot { counts: Totals::default(), score: self.filling.score };
            self.full.push_back(std::mem::replace(&mut self.filling, next));
            if self.full.len() > SLOTS {
                self.full.pop_front();
            }
            turned += 1;
            // After a long sleep of the machine every slot is the same.
            self.began = if turned > SLOTS { now } else { self.began + SLOT };
        }
    }

    /// The full slots, the oldest first.
    pub(crate) fn show(&self, at_unix_ms: u64, now: Moment) -> History {
        let slot_ms = millis(SLOT);
        let column = |of: fn(&Slot) -> u64| self.full.iter().map(of).collect();
        History {
            slot_ms,
            end_unix_ms: at_unix_ms.saturating_sub(millis(now - self.began)),
            score: self.full.iter().map(|slot| slot.score).collect(),
            successes: column(|slot| slot.counts.successes),
            failures: column(|slot| slot.counts.failures),
            rejected: column(|slot| slot.counts.rejected),
        }
    }
}

/// The last three minutes in slots of two seconds, column by column, the oldest slot first.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct History {
    /// The width of a slot in milliseconds.
    pub slot_ms: u64,
    /// When the newest slot ended, in milliseconds since 1970.
    pub end_unix_ms: u64,
    /// The score at the end of each slot.
    pub score: Vec<u8>,
    /// Calls that the dependency answered well.
    pub successes: Vec<u64>,
    /// Calls that failed at it.
    pub failures: Vec<u64>,
    /// Calls that its breaker rejected.
    pub rejected: Vec<u64>,
}

impl History {
    /// Calls that reached the dependency per second, over the last ten seconds.
    #[must_use]
    pub fn calls_per_second(&self) -> f64 {
        let last = |column: &[u64]| column.iter().rev().take(RATE_SLOTS).sum::<u64>();
        let calls = last(&self.successes).saturating_add(last(&self.failures));
        let slots = u32::try_from(self.successes.len().min(RATE_SLOTS)).unwrap_or(0);
        let seconds = SLOT.as_secs_f64() * f64::from(slots.max(1));
        f64::from(u32::try_from(calls).unwrap_or(u32::MAX)) / seconds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Moment = Moment::from_nanos(86_400_000_000_000);

    fn at(seconds: u64) -> Moment {
        START + Duration::from_secs(seconds)
    }

    fn totals(successes: u64, failures: u64, rejected: u64) -> Totals {
        Totals { successes, failures, rejected }
    }

    #[test]
    fn a_slot_holds_what_was_counted_in_its_two_seconds() {
        let mut chart = Chart::new(START);
        chart.take(totals(10, 0, 0), 100, at(0));
        chart.take(totals(14, 1, 0), 80, at(1));
        chart.take(totals(20, 3, 5), 60, at(3));
        chart.take(totals(20, 3, 9), 0, at(4));
        let shown = chart.show(1_000_000, at(5));
        assert_eq!(shown.successes, [4, 6], "what was there at the first look is no news");
        assert_eq!((shown.failures.clone(), shown.rejected.clone()), (vec![1, 2], vec![0, 5]));
        assert_eq!(shown.score, [80, 60]);
        assert_eq!((shown.slot_ms, shown.end_unix_ms), (2_000, 999_000));
        assert!((shown.calls_per_second() - 13.0 / 4.0).abs() < 1e-9);
    }

    #[test]
    fn three_minutes_are_kept_and_a_gap_is_empty() {
        let mut chart = Chart::new(START);
        for second in 0..1_000 {
            chart.take(totals(second, 0, 0), 100, at(second));
        }
        let shown = chart.show(0, at(1_000));
        assert_eq!(shown.successes, vec![2; SLOTS]);
        chart.take(totals(1_000, 0, 0), 0, at(1_000_000));
        let shown = chart.show(0, at(1_000_000));
        assert_eq!(shown.successes.iter().sum::<u64>(), 0);
        assert_eq!(shown.score, vec![100; SLOTS]);
    }

    #[test]
    fn counters_that_begin_anew_count_from_zero() {
        let mut chart = Chart::new(START);
        chart.take(totals(500, 7, 0), 100, at(0));
        chart.take(totals(3, 1, 0), 100, at(1));
        chart.take(totals(3, 1, 0), 100, at(2));
        let shown = chart.show(0, at(2));
        assert_eq!((shown.successes, shown.failures), (vec![3], vec![1]));
    }

    #[test]
    fn without_a_full_slot_there_is_no_rate() {
        assert!(History::default().calls_per_second().abs() < 1e-9);
    }
}
