//! Who passes, written down by hand from the design.

use degradation::{Criticality, Level, Mode};

use Level::{Critical, Degraded, Normal};
use Mode::{Full, Minimal, ReadOnly};

pub(crate) const CRITICALITIES: [Criticality; 4] = [
    Criticality::Sheddable,
    Criticality::SheddablePlus,
    Criticality::Critical,
    Criticality::CriticalPlus,
];

/// Level · mode · what becomes of reads and of writes, a letter for each criticality: it passes, is
/// shed, or is a write that is rejected.
#[rustfmt::skip]
pub(crate) const TABLE: [(Level, Mode, &str, &str); 9] = [
    (Normal,   Full,     "pppp", "pppp"),
    (Degraded, Full,     "sppp", "sppp"),
    (Critical, Full,     "sspp", "sspp"),
    (Normal,   Minimal,  "sssp", "sssp"),
    (Degraded, Minimal,  "sssp", "sssp"),
    (Critical, Minimal,  "sssp", "sssp"),
    (Normal,   ReadOnly, "sssp", "wwww"),
    (Degraded, ReadOnly, "sssp", "wwww"),
    (Critical, ReadOnly, "sssp", "wwww"),
];

/// The letter of a rejection, by what it tells the caller; a question mark if it is neither.
pub(crate) fn letter(told: &str) -> char {
    if told.contains("read-only") {
        'w'
    } else if told.contains("does not serve this") {
        's'
    } else {
        '?'
    }
}
