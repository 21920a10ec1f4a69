//! How many requests the layers have rejected.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::admission::Admission;
use crate::class::{Class, Criticality};

/// Requests that the layers of a manager have rejected, by class, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct ShedCounts {
    /// Sheddable requests that were shed.
    pub sheddable: u64,
    /// Sheddable-plus requests that were shed.
    pub sheddable_plus: u64,
    /// Critical requests that were shed.
    pub critical: u64,
    /// Critical-plus requests that were shed.
    pub critical_plus: u64,
    /// Writes of any class that were rejected because nothing can be written.
    pub writes: u64,
}

#[derive(Debug, Default)]
pub(crate) struct ShedCounters {
    sheddable: AtomicU64,
    sheddable_plus: AtomicU64,
    critical: AtomicU64,
    critical_plus: AtomicU64,
    writes: AtomicU64,
}

impl ShedCounters {
    pub(crate) fn count(&self, class: Class, admission: Admission) {
        let counter = match (admission, class.criticality) {
            (Admission::Pass, _) => return,
            (Admission::WriteRejected, _) => &self.writes,
            (Admission::Shed, Criticality::Sheddable) => &self.sheddable,
            (Admission::Shed, Criticality::SheddablePlus) => &self.sheddable_plus,
            (Admission::Shed, Criticality::Critical) => &self.critical,
            (Admission::Shed, Criticality::CriticalPlus) => &self.critical_plus,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// All of them.
    pub(crate) fn total(&self) -> u64 {
        let ShedCounts { sheddable, sheddable_plus, critical, critical_plus, writes } = self.read();
        [sheddable, sheddable_plus, critical, critical_plus, writes].into_iter().sum()
    }

    pub(crate) fn read(&self) -> ShedCounts {
        ShedCounts {
            sheddable: self.sheddable.load(Ordering::Relaxed),
            sheddable_plus: self.sheddable_plus.load(Ordering::Relaxed),
            critical: self.critical.load(Ordering::Relaxed),
            critical_plus: self.critical_plus.load(Ordering::Relaxed),
            writes: self.writes.load(Ordering::Relaxed),
        }
    }
}
