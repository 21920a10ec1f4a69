//! The memory of a fallback as values.

use std::sync::atomic::Ordering;

use serde::Serialize;

use super::layer::Core;
use crate::cache::era::Trust;

/// What a fallback holds and does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct FallbackReport {
    /// Values in memory.
    pub entries: usize,
    /// What they weigh, in bytes.
    pub bytes: u64,
    /// Whether Redis tells which keys change.
    pub tracked: bool,
    /// Calls answered without Redis so far.
    pub answered: u64,
    /// Keys that were written here and not in Redis.
    pub local_writes: usize,
}

impl Core {
    /// How old the oldest answer from memory is since Redis was last served from; zero while it serves.
    #[cfg(feature = "otel")]
    pub(crate) fn oldest_answer(&self) -> std::time::Duration {
        self.oldest.age()
    }

    pub(crate) fn report(&self) -> FallbackReport {
        let (entries, bytes) = self.cache.size();
        FallbackReport {
            entries,
            bytes,
            tracked: matches!(self.cache.era().trust, Trust::Watched { .. }),
            answered: self.from_memory.load(Ordering::Relaxed),
            local_writes: self.local.len(),
        }
    }
}
