//! Calls that have started and not ended, by the time of their start.
//!
//! Watching each call in flight would take a timer or a list. It is enough to know how many started
//! in each sixteenth of the slow threshold: when a whole sixteenth is too old, all that is left of
//! it is overdue. So at most eighteen numbers are kept, whatever the traffic, and a call is found
//! overdue at most a sixteenth too late and never too early.

use std::collections::VecDeque;
use std::time::Duration;

use crate::clock::{Moment, nanos};

const STEPS: u64 = 16;

#[derive(Clone, Debug)]
pub(super) struct InFlight {
    /// Nanoseconds in a sixteenth, at least one.
    width: u64,
    threshold: u64,
    /// Sixteenths before this one have been looked at for the last time.
    from: u64,
    /// Calls in flight that started in `from`, in the one after it, and so on.
    started: VecDeque<u32>,
    /// Calls that started up to `since` under another threshold, counted by sixteenths of that one.
    earlier: Option<Box<Self>>,
    since: Moment,
}

impl InFlight {
    pub(super) fn new(threshold: Duration) -> Self {
        let threshold = nanos(threshold);
        let width = threshold.div_ceil(STEPS).max(1);
        let (started, since) = (VecDeque::new(), Moment::default());
        Self { width, threshold, from: 0, started, earlier: None, since }
    }

    /// Goes on with the calls of `former`. They become overdue by the new threshold, found out by
    /// sixteenths of the old one.
    pub(super) fn take_over(&mut self, former: &Self, now: Moment) {
        if former.threshold == self.threshold {
            *self = former.clone();
            return;
        }
        let mut left = Some(Box::new(former.clone()));
        // Whoever has no calls of his own left needs no place in the row.
        while left.as_ref().is_some_and(|left| left.started.iter().all(|count| *count == 0)) {
            left = left.and_then(|left| left.earlier);
        }
        let mut next = left.as_deref_mut();
        while let Some(earlier) = next {
            earlier.threshold = self.threshold;
            next = earlier.earlier.as_deref_mut();
        }
        self.earlier = left;
        self.since = now;
    }

    pub(super) fn start(&mut self, now: Moment) {
        let step = self.step(now);
        if self.started.is_empty() {
            // Of two calls that start at once, the earlier may come here second.
            self.from = self.from.max(step.saturating_sub(1));
        }
        // After a step of the clock backward the oldest sixteenth that is left takes the call.
        let index = step.saturating_sub(self.from);
        // `overdue` runs before each start and keeps the distance small; a clock that jumps between
        // the two must not make the list long.
        let index = usize::try_from(index.min(2 * STEPS)).unwrap_or(0);
        if self.started.len() <= index {
            self.started.resize(index + 1, 0);
        }
        if let Some(count) = self.started.get_mut(index) {
            *count = count.saturating_add(1);
        }
    }

    /// A call that started then has ended. False if it has been overdue before.
    pub(super) fn end(&mut self, started: Moment) -> bool {
        let before = started <= self.since
            && self.earlier.as_mut().is_some_and(|earlier| earlier.end(started));
        before || self.end_own(started)
    }

    fn end_own(&mut self, started: Moment) -> bool {
        let step = self.step(started);
        if step < self.from {
            return false;
        }
        let index = usize::try_from((step - self.from).min(2 * STEPS)).unwrap_or(0);
        match self.started.get_mut(index) {
            Some(count) if *count > 0 => {
                *count -= 1;
                true
            }
            _ => false,
        }
    }

    /// How many calls have become overdue since the last look.
    pub(super) fn overdue(&mut self, now: Moment) -> u32 {
        let mut overdue = self.earlier.as_mut().map_or(0, |earlier| earlier.overdue(now));
        while let Some(count) = self.started.front().copied() {
            // The last start of this sixteenth was just before the beginning of the next.
            let last = self.from.saturating_add(1).saturating_mul(self.width);
            if now.as_nanos() < last.saturating_add(self.threshold) {
                break;
            }
            overdue = overdue.saturating_add(count);
            self.started.pop_front();
            self.from = self.from.saturating_add(1);
        }
        overdue
    }

    fn step(&self, at: Moment) -> u64 {
        at.as_nanos().checked_div(self.width).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sixteenths of ten nanoseconds.
    fn watching() -> InFlight {
        InFlight::new(Duration::from_nanos(160))
    }

    fn at(nanos: u64) -> Moment {
        Moment::from_nanos(nanos)
    }

    #[test]
    fn a_call_ends_once_and_only_if_it_has_started() {
        let mut calls = watching();
        assert!(!calls.end(at(1_000)));
        calls.start(at(1_000));
        calls.start(at(1_025));
        assert!(!calls.end(at(1_010)), "none started in that sixteenth");
        assert!(calls.end(at(1_003)), "one of the same sixteenth is as good");
        assert!(!calls.end(at(1_000)));
        assert!(!calls.end(at(900)), "long gone");
        assert_eq!(calls.overdue(at(2_000)), 1);
        assert!(!calls.end(at(1_025)));
    }

    #[test]
    fn a_call_is_overdue_when_its_whole_sixteenth_is() {
        let mut calls = watching();
        calls.start(at(1_009));
        assert_eq!(calls.overdue(at(1_169)), 0);
        assert_eq!(calls.overdue(at(1_170)), 1);
        assert_eq!(calls.overdue(at(9_999)), 0, "once and for all");
    }

    #[test]
    fn a_clock_that_jumps_makes_no_long_list() {
        let mut calls = watching();
        calls.start(at(0));
        calls.start(at(u64::MAX - 1));
        assert!(calls.started.len() < 64);
        assert!(calls.end(at(u64::MAX - 1)));
        assert!(calls.end(at(0)));
    }

    #[test]
    fn calls_of_a_former_threshold_end_once_and_are_found_by_the_new_one() {
        let mut former = watching();
        (0..3).for_each(|_| former.start(at(1_000)));
        let mut heir = InFlight::new(Duration::from_nanos(320));
        heir.take_over(&former, at(1_050));
        heir.start(at(1_060));
        assert!(heir.end(at(1_000)));
        assert!(heir.end(at(1_060)));
        assert!(!heir.end(at(1_060)), "the others are of the former threshold");
        assert_eq!(heir.overdue(at(1_329)), 0);
        assert_eq!(heir.overdue(at(1_330)), 2);
        assert!(!heir.end(at(1_000)));
    }

    #[test]
    fn whoever_has_no_call_left_needs_no_place_in_the_row() {
        let (mut first, mut second) = (watching(), InFlight::new(Duration::from_nanos(320)));
        first.start(at(1_000));
        second.take_over(&first, at(1_001));
        second.start(at(1_050));
        assert!(second.end(at(1_050)));
        let mut third = InFlight::new(Duration::from_nanos(480));
        third.take_over(&second, at(1_060));
        let row = |calls: &InFlight| {
            std::iter::successors(calls.earlier.as_deref(), |at| at.earlier.as_deref()).count()
        };
        assert_eq!((row(&second), row(&third)), (1, 1), "the second has none of its own");
        assert_eq!(third.overdue(at(1_490)), 1);
        let mut same = InFlight::new(Duration::from_nanos(480));
        same.take_over(&third, at(1_070));
        assert_eq!(row(&same), 1, "the same threshold is the same row");
        let mut last = watching();
        last.take_over(&third, at(2_000));
        assert_eq!(row(&last), 0);
    }

    #[test]
    fn of_two_calls_that_start_on_either_side_of_a_sixteenth_either_may_be_told_first() {
        let [earlier, later] = [1_009, 1_010].map(at);
        for ends in [earlier, later] {
            let mut calls = watching();
            calls.start(later);
            calls.start(earlier);
            assert!(calls.end(ends), "it was in flight until now");
            assert_eq!(calls.overdue(at(10_000)), 1);
        }
    }
}
