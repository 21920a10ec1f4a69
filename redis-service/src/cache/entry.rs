//! One value in memory, and what it weighs.

use bytes::Bytes;
use circuit_layer::Moment;
use quick_cache::Weighter;

use super::Bounds;

/// A value as it was at a moment.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// `None` is a key that was deleted here while Redis was away.
    pub(super) value: Option<Bytes>,
    /// It was current then, or later.
    pub(super) read: Moment,
    /// When the key ends in Redis, as far as we know.
    pub(super) until: Moment,
    pub(super) era: u64,
    /// News of our own writes that are still to come.
    pub(super) echoes: u8,
    /// We wrote it, and nobody has read it since.
    pub(super) doubt: bool,
    /// It was never written to Redis.
    pub(super) local: bool,
}

impl Entry {
    pub(super) const fn read(read: Moment, era: u64) -> Self {
        Self { value: None, read, until: Moment::NEVER, era, echoes: 0, doubt: false, local: false }
    }
}

/// What an entry costs beside its key and its value: its fields, two `Bytes`, its place in the table.
const OVERHEAD: u64 = 160;

/// Weighs entries so that one bound holds both the bytes and the number: each weighs at least its
/// share of the bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weigh {
    bytes: u64,
    least: u64,
}

impl Weigh {
    pub(super) fn new(bounds: Bounds) -> Self {
        let bytes = bounds.bytes.max(1);
        Self { bytes, least: bytes.div_ceil(bounds.entries.max(1)) }
    }

    /// The bound in bytes, rounded down so that all shards together stay within it.
    pub(super) fn capacity(&self, shards: usize) -> u64 {
        let shards = u64::try_from(shards).unwrap_or(1);
        (self.bytes - self.bytes % shards).max(1)
    }
}

impl Weighter<Bytes, Entry> for Weigh {
    fn weight(&self, key: &Bytes, entry: &Entry) -> u64 {
        let value = entry.value.as_ref().map_or(0, Bytes::len);
        let bytes = u64::try_from(key.len().saturating_add(value)).unwrap_or(u64::MAX);
        bytes.saturating_add(OVERHEAD).max(self.least)
    }
}
