//! Exactly the last N calls.

use super::{Counts, Mark};

/// A ring of marks with running totals. The ring grows with the calls, so that a large window costs
/// nothing before it is used.
#[derive(Clone, Debug)]
pub(crate) struct LastCalls {
    size: usize,
    ring: Vec<Mark>,
    /// The oldest mark, once the ring is full.
    oldest: usize,
    totals: Counts,
    /// Good calls since the last that was not.
    good: u32,
}

const GOOD: Mark = Mark { failed: false, slow: false };

impl LastCalls {
    pub(crate) fn new(n: u32) -> Self {
        let size = usize::try_from(n).unwrap_or(usize::MAX);
        Self { size, ring: Vec::new(), oldest: 0, totals: Counts::default(), good: 0 }
    }

    pub(crate) fn record(&mut self, mark: Mark, times: u32) {
        let room = self.size - self.ring.len();
        // More than fit in would only push each other out.
        let times = usize::try_from(times).unwrap_or(usize::MAX).min(self.size);
        let (new, over) = (times.min(room), times.saturating_sub(room));
        self.ring.resize(self.ring.len() + new, mark);
        let beyond = over.saturating_sub(self.ring.len() - self.oldest);
        self.replace(self.oldest, over, mark);
        self.replace(0, beyond, mark);
        self.oldest = (self.oldest + over).checked_rem(self.size).unwrap_or(0);
        let times = u32::try_from(times).unwrap_or(u32::MAX);
        self.totals.add(mark, u64::from(times));
        self.good = if mark == GOOD { self.good.saturating_add(times) } else { 0 };
    }

    /// Takes out `times` marks from `at` on, or all of them to the end of the ring, and puts this one in
    /// their places.
    fn replace(&mut self, at: usize, times: usize, mark: Mark) {
        let mut gone = Counts::default();
        for slot in self.ring.iter_mut().skip(at).take(times) {
            gone.add(std::mem::replace(slot, mark), 1);
        }
        self.totals.take(gone);
    }

    /// Its last marks, as many as fit.
    pub(crate) fn take_over(&mut self, former: &Self) {
        let (newer, older) = former.ring.split_at(former.oldest.min(former.ring.len()));
        older.iter().chain(newer).for_each(|mark| self.record(*mark, 1));
    }

    pub(crate) fn totals(&self) -> Counts {
        self.totals
    }

    pub(crate) fn is_full_of_good(&self) -> bool {
        self.ring.len() == self.size && self.totals.failed_or_slow == 0
    }

    /// How many good calls it takes to fill the window with nothing else.
    pub(crate) fn until_clean(&self) -> u32 {
        let good = usize::try_from(self.good).unwrap_or(usize::MAX);
        u32::try_from(self.size.saturating_sub(good)).unwrap_or(u32::MAX)
    }
}
