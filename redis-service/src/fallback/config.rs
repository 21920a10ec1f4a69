//! The bounds of the memory, and what may be done with it.

use std::time::Duration;

use crate::cache::Bounds;

/// How a fallback remembers and answers.
///
/// | setting | default |
/// | --- | --- |
/// | [`max_bytes`](Self::max_bytes) | 64 MiB |
/// | [`max_entries`](Self::max_entries) | 100 000 |
/// | [`max_age`](Self::max_age) | 10 minutes, the longest wait of the breaker |
/// | [`local_writes`](Self::local_writes) | no |
/// | [`tracking`](Self::tracking) | yes |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct FallbackConfig {
    max_bytes: u64,
    max_entries: u64,
    pub(super) max_age: Duration,
    pub(super) local_writes: bool,
    pub(crate) tracking: bool,
}

impl Default for FallbackConfig {
    fn default() -> Self {
        Self::new()
    }
}

impl FallbackConfig {
    /// The defaults.
    pub const fn new() -> Self {
        Self {
            max_bytes: 64 << 20,
            max_entries: 100_000,
            max_age: Duration::from_secs(600),
            local_writes: false,
            tracking: true,
        }
    }

    /// The most bytes, of keys, values and 160 bytes for each entry. The memory is parted in 16
    /// shards; a value that is larger than most of a shard is not remembered.
    pub const fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// The most entries. Both bounds hold: an entry takes at least `max_bytes / max_entries` of the
    /// bytes.
    pub const fn max_entries(mut self, entries: u64) -> Self {
        self.max_entries = entries;
        self
    }

    /// Nothing older than this is answered.
    pub const fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// Whether a `SET` without a condition and a `DEL` succeed, in memory alone, while Redis does not
    /// take them.
    ///
    /// They do not reach Redis later: when it is back, the keys are deleted there before any call that
    /// names one of them, or could (a raw command, a transaction), so that nobody reads what it held
    /// before. As long as they can not be deleted, as in a Redis that takes no writes, such calls fail or
    /// are answered from memory, and only such. A key that may never be deleted, because of an ACL, is
    /// given up with a warning: what was written here is forgotten, and what Redis held is read again.
    ///
    /// Until they are deleted at most 10 000 keys can be written; more are refused with the error. So it
    /// suits a cache, and nothing that must be kept.
    pub const fn local_writes(mut self, allowed: bool) -> Self {
        self.local_writes = allowed;
        self
    }

    /// Whether Redis is asked to tell which keys change (`CLIENT TRACKING` in broadcast mode, Redis 6
    /// and later), on one connection beside the pool. Where it can not, the age of a value counts from
    /// when it was read, and what somebody else overwrites is noticed by the next read only: so it is
    /// with Sentinel, a cluster, a pool of your own, and a [`Dial`](crate::Dial) of your own, to which
    /// no such connection is made.
    ///
    /// Redis sends the name of every key that anybody changes. Where millions change and few are read
    /// here, that traffic is the price of the ages.
    pub const fn tracking(mut self, wanted: bool) -> Self {
        self.tracking = wanted;
        self
    }

    pub(super) const fn bounds(&self) -> Bounds {
        Bounds { bytes: self.max_bytes, entries: self.max_entries }
    }
}
