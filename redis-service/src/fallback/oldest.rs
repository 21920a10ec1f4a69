//! The age of the oldest answer of an outage, which tells how stale its callers have been served.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// In nanoseconds; 0 while Redis serves.
#[derive(Debug, Default)]
pub(crate) struct Oldest(AtomicU64);

impl Oldest {
    /// Memory has answered with a value of this age.
    pub(crate) fn served(&self, age: Duration) {
        let age = u64::try_from(age.as_nanos()).unwrap_or(u64::MAX);
        self.0.fetch_max(age, Ordering::Relaxed);
    }

    /// Asked on every call that Redis answers, so that these do not write to what all threads read.
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed) != 0
    }

    /// The outage is over.
    pub(crate) fn forget(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    #[cfg(feature = "otel")]
    pub(crate) fn age(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }
}
