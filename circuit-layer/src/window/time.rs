//! The calls of the last stretch of time.

use std::time::Duration;

use super::{Counts, Mark};
use crate::clock::{Moment, nanos};

const BUCKETS: u64 = 10;

/// Ten sub-buckets with running totals. Whatever the traffic, a record touches one of them, and a
/// jump of the clock at most ten.
#[derive(Clone, Debug)]
pub(crate) struct LastTime {
    /// Nanoseconds in a sub-bucket, at least one.
    width: u64,
    /// Sub-buckets from the beginning of the clock to the newest one.
    newest: u64,
    buckets: [Counts; 10],
    totals: Counts,
}

impl LastTime {
    pub(crate) fn new(stretch: Duration) -> Self {
        let width = nanos(stretch).div_ceil(BUCKETS).max(1);
        Self { width, newest: 0, buckets: [Counts::default(); 10], totals: Counts::default() }
    }

    pub(crate) fn record(&mut self, mark: Mark, times: u32, now: Moment) {
        self.advance(now);
        let newest = slot(self.newest);
        if let Some(bucket) = self.buckets.get_mut(newest) {
            bucket.add(mark, u64::from(times));
            self.totals.add(mark, u64::from(times));
        }
    }

    /// Its sub-buckets, each as of its last moment: a call may count for one of them too long, and for
    /// none too short.
    pub(crate) fn take_over(&mut self, former: &Self, now: Moment) {
        if self.width == former.width {
            *self = former.clone();
            return;
        }
        self.advance(now);
        for back in 0..BUCKETS.min(former.newest.saturating_add(1)) {
            let old = former.newest - back;
            let end = old.saturating_add(1).saturating_mul(former.width) - 1;
            let new = end.min(now.as_nanos()).checked_div(self.width).unwrap_or(0);
            let held = new.saturating_add(BUCKETS) > self.newest;
            if let (true, Some(from), Some(to)) =
                (held, former.buckets.get(slot(old)), self.buckets.get_mut(slot(new)))
            {
                to.give(*from);
                self.totals.give(*from);
            }
        }
    }

    pub(crate) fn totals(&self) -> Counts {
        self.totals
    }

    /// When the newest sub-bucket is over.
    pub(crate) fn bucket_end(&self) -> Moment {
        Moment::from_nanos(self.newest.saturating_add(1).saturating_mul(self.width))
    }

    /// Lets go of what is too old. A clock that stands still or steps back lets go of nothing.
    pub(crate) fn advance(&mut self, now: Moment) {
        let current = now.as_nanos().checked_div(self.width).unwrap_or(0);
        let steps = current.saturating_sub(self.newest).min(BUCKETS);
        for step in 1..=steps {
            let leaving = slot(self.newest.wrapping_add(step));
            if let Some(bucket) = self.buckets.get_mut(leaving) {
                self.totals.take(std::mem::take(bucket));
            }
        }
        self.newest = self.newest.max(current);
    }
}

fn slot(bucket: u64) -> usize {
    usize::try_from(bucket % BUCKETS).unwrap_or(0)
}
