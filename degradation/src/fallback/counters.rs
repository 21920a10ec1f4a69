//! What a fallback has done so far.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts since the start. Clones read the same counters.
#[derive(Clone, Debug, Default)]
pub struct FallbackCounters(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    served: AtomicU64,
    failed: AtomicU64,
    busy: AtomicU64,
}

impl FallbackCounters {
    /// Calls that the fallback has answered.
    #[must_use]
    pub fn served(&self) -> u64 {
        self.0.served.load(Ordering::Relaxed)
    }

    /// Calls that it failed to answer.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.0.failed.load(Ordering::Relaxed)
    }

    /// Calls that it was not asked for because its slots were taken.
    #[must_use]
    pub fn busy(&self) -> u64 {
        self.0.busy.load(Ordering::Relaxed)
    }

    pub(super) fn count_answer(&self, served: bool) {
        let counter = if served { &self.0.served } else { &self.0.failed };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_busy(&self) {
        self.0.busy.fetch_add(1, Ordering::Relaxed);
    }
}
