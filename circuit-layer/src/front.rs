//! Successes counted aside, so that a window does not cost each of them a lock.
//!
//! Most successes change nothing that anybody has to know at once. The policy says how many of them,
//! and until when, may be handed over later; they are counted here, and every step under the lock
//! begins by taking them in. Where any number may come, as in a window of time, each thread counts
//! in a stripe of its own, so that cores do not fight over a line.
//!
//! A stripe holds the epoch it counts for beside the count. Taking the count closes the stripe; it
//! opens again under a new epoch. A caller loads the epoch first and the word second, and the holder
//! of the lock writes them in the other order: whoever sees an epoch of a later generation also sees
//! that his own is over, and whoever saw an earlier one fails to count. So a success can neither be
//! lost nor counted for a generation that did not admit it.

use crate::clock::Moment;
use crate::policy::Deferral;
use crate::sync::{AtomicU64, Ordering};

const STRIPES: usize = 8;
const COUNT: u64 = 0xFFFF_FFFF;
const EPOCH: u32 = 32;

#[derive(Debug)]
#[repr(align(128))]
struct Stripe(AtomicU64);

#[derive(Debug)]
pub(crate) struct Front {
    /// Zero while closed.
    epoch: AtomicU64,
    /// The last epoch that was open, of whatever breaker lived here.
    last: AtomicU64,
    until: AtomicU64,
    limit: AtomicU64,
    stripes: [Stripe; STRIPES],
}

/// The door, as a caller sees it before it looks at the word.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Door(u64);

impl Front {
    pub(crate) fn new() -> Self {
        Self {
            epoch: AtomicU64::new(0),
            last: AtomicU64::new(0),
            until: AtomicU64::new(0),
            limit: AtomicU64::new(0),
            stripes: std::array::from_fn(|_| Stripe(AtomicU64::new(0))),
        }
    }

    /// The open epoch, to be looked at before the word. None while closed.
    #[inline]
    pub(crate) fn door(&self) -> Option<Door> {
        let epoch = self.epoch.load(Ordering::Acquire);
        (epoch != 0).then_some(Door(epoch))
    }

    /// Until when successes are counted here.
    pub(crate) fn until(&self) -> Moment {
        Moment::from_nanos(self.until.load(Ordering::Relaxed))
    }

    /// Counts one success. False if the epoch is over or full.
    pub(crate) fn count(&self, Door(epoch): Door) -> bool {
        let limit = self.limit.load(Ordering::Relaxed);
        let stripe = if limit == u64::from(u32::MAX) { own_stripe() } else { 0 };
        let Some(Stripe(stripe)) = self.stripes.get(stripe) else { return false };
        let mut seen = stripe.load(Ordering::Relaxed);
        while seen >> EPOCH == epoch && seen & COUNT < limit {
            match stripe.compare_exchange_weak(seen, seen + 1, Ordering::Release, Ordering::Relaxed)
            {
                Ok(_) => return true,
                Err(now) => seen = now,
            }
        }
        false
    }

    /// Closes the front and takes what was counted. Only under the lock.
    pub(crate) fn take(&self) -> u32 {
        let epoch = self.epoch.load(Ordering::Relaxed);
        if epoch == 0 {
            return 0;
        }
        let counted = self.stripes.iter().map(|Stripe(stripe)| {
            let seen = stripe.swap(0, Ordering::AcqRel);
            if seen >> EPOCH == epoch { seen & COUNT } else { 0 }
        });
        u32::try_from(counted.sum::<u64>()).unwrap_or(u32::MAX)
    }

    /// Opens the front for what may be deferred now. Only under the lock, after the word.
    pub(crate) fn open(&self, deferral: Deferral) {
        if deferral.successes == 0 {
            self.epoch.store(0, Ordering::Release);
            return;
        }
        let epoch = self.last.load(Ordering::Relaxed) % COUNT + 1;
        self.last.store(epoch, Ordering::Relaxed);
        self.limit.store(u64::from(deferral.successes), Ordering::Relaxed);
        self.until.store(deferral.until.as_nanos(), Ordering::Relaxed);
        let open = if deferral.successes == u32::MAX { STRIPES } else { 1 };
        for Stripe(stripe) in self.stripes.iter().take(open) {
            stripe.store(epoch << EPOCH, Ordering::Release);
        }
        self.epoch.store(epoch, Ordering::Release);
    }
}

/// A stripe for each thread, more or less.
fn own_stripe() -> usize {
    use std::sync::atomic::AtomicUsize;
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static OWN: usize = NEXT.fetch_add(1, Ordering::Relaxed) % STRIPES;
    }
    // The two threads of a model share one, which is the harder case.
    if cfg!(circuit_loom) { 0 } else { OWN.try_with(|own| *own).unwrap_or(0) }
}

#[cfg(test)]
#[cfg(not(circuit_loom))]
mod tests {
    use super::*;

    const ANY: u32 = u32::MAX;

    fn open(front: &Front, successes: u32) -> Door {
        front.open(Deferral::new(successes, Moment::from_nanos(7)));
        front.door().unwrap()
    }

    /// What each of several threads, of which no two need have the same stripe, gets to hear.
    fn from_many_threads(front: &Front, door: Door) -> Vec<bool> {
        let count =
            || std::thread::scope(|scope| scope.spawn(|| front.count(door)).join().unwrap());
        (0..STRIPES).map(|_| count()).collect()
    }

    #[test]
    fn as_many_are_counted_as_may_wait_and_no_more() {
        let front = Front::new();
        let door = open(&front, 2);
        assert_eq!([(); 4].map(|()| front.count(door)), [true, true, false, false]);
        assert_eq!(front.take(), 2);
    }

    #[test]
    fn of_a_few_that_may_wait_it_matters_to_nobody_who_counts_them() {
        let front = Front::new();
        let door = open(&front, 3);
        let counted = from_many_threads(&front, door);
        assert_eq!(counted.iter().filter(|counted| **counted).count(), 3);
        assert_eq!(front.take(), 3);
    }

    #[test]
    fn where_any_number_may_wait_every_thread_counts() {
        let front = Front::new();
        let door = open(&front, ANY);
        assert_eq!(from_many_threads(&front, door), [true; STRIPES]);
        assert_eq!(from_many_threads(&front, door), [true; STRIPES]);
        assert_eq!(front.take(), 16);
    }

    #[test]
    fn threads_do_not_fight_over_one_stripe() {
        let own = || std::thread::spawn(own_stripe).join().unwrap();
        let stripes: std::collections::BTreeSet<_> = (0..8 * STRIPES).map(|_| own()).collect();
        assert!(stripes.len() > 1 && stripes.iter().all(|stripe| *stripe < STRIPES));
    }

    #[test]
    fn nothing_is_counted_while_closed_or_through_the_door_of_an_earlier_time() {
        let front = Front::new();
        assert!(front.door().is_none());
        for successes in [5, ANY] {
            let door = open(&front, successes);
            assert!(front.count(door));
            assert_eq!(front.take(), 1);
            assert!(!front.count(door), "taken");
            let next = open(&front, successes);
            assert!(!front.count(door), "of the former epoch");
            assert!(front.count(next));
            front.take();
            front.open(Deferral::NONE);
            assert!(front.door().is_none());
            assert_eq!(front.take(), 0);
        }
    }

    #[test]
    fn what_was_not_taken_of_a_former_epoch_is_not_counted_in_the_next() {
        let front = Front::new();
        let door = open(&front, ANY);
        from_many_threads(&front, door);
        open(&front, 1);
        assert_eq!(front.take(), 0);
    }

    #[test]
    fn epochs_begin_anew_after_the_last_that_fits_and_are_never_zero() {
        let front = Front::new();
        for before in [COUNT - 1, COUNT] {
            front.last.store(before, Ordering::Relaxed);
            let door = open(&front, ANY);
            assert!(front.count(door));
            assert_eq!(front.take(), 1);
        }
        assert_eq!(front.last.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn it_tells_until_when_it_is_open() {
        let front = Front::new();
        open(&front, 1);
        assert_eq!(front.until(), Moment::from_nanos(7));
    }
}
