//! Queues and caches, as a page shows them.

use std::sync::Arc;

/// A queue or a cache and its name.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Named<T> {
    /// Its name.
    pub name: Arc<str>,
    /// What it tells.
    #[serde(flatten)]
    pub status: T,
}

impl<T> Named<T> {
    pub(crate) const fn new(name: Arc<str>, status: T) -> Self {
        Self { name, status }
    }
}

/// How full a queue is.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct QueueStatus {
    /// Entries that wait.
    pub depth: u64,
    /// Bytes that they take.
    pub bytes: u64,
    /// Bytes that they may take.
    pub bytes_limit: Option<u64>,
    /// The age of the oldest entry in milliseconds: the figure to alert on.
    pub oldest_age_ms: Option<u64>,
    /// Entries that were set aside because they can not succeed.
    pub dead: u64,
    /// Entries that were refused because the queue was full, since the start.
    pub refused: Option<u64>,
    /// Entries that were delivered, since the start.
    pub delivered: Option<u64>,
}

impl QueueStatus {
    /// So many entries of so many bytes wait.
    #[must_use]
    pub fn new(depth: u64, bytes: u64) -> Self {
        Self { depth, bytes, ..Self::default() }
    }

    /// Bytes that they may take.
    #[must_use]
    pub const fn bytes_limit(mut self, bytes: u64) -> Self {
        self.bytes_limit = Some(bytes);
        self
    }

    /// The age of the oldest entry in milliseconds.
    #[must_use]
    pub const fn oldest_age_ms(mut self, age: u64) -> Self {
        self.oldest_age_ms = Some(age);
        self
    }

    /// Entries that were set aside.
    #[must_use]
    pub const fn dead(mut self, entries: u64) -> Self {
        self.dead = entries;
        self
    }

    /// Entries that were refused, since the start.
    #[must_use]
    pub const fn refused(mut self, entries: u64) -> Self {
        self.refused = Some(entries);
        self
    }

    /// Entries that were delivered, since the start.
    #[must_use]
    pub const fn delivered(mut self, entries: u64) -> Self {
        self.delivered = Some(entries);
        self
    }
}

/// What a cache holds and how often it helps.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct CacheStatus {
    /// Who answers now: `redis`, `memory`.
    pub backend: Arc<str>,
    /// Reads that it answered with a value.
    pub hits: u64,
    /// Reads that it answered with nothing.
    pub misses: u64,
    /// Entries held in memory.
    pub entries: Option<u64>,
    /// Bytes held in memory.
    pub bytes: Option<u64>,
    /// Answers that were out of date, since the start.
    pub stale: Option<u64>,
    /// Entries that had to make room, since the start.
    pub evicted: Option<u64>,
}

impl CacheStatus {
    /// `backend` answers now; it has answered so often with a value, and so often with nothing.
    #[must_use]
    pub fn new(backend: impl Into<Arc<str>>, hits: u64, misses: u64) -> Self {
        Self { backend: backend.into(), hits, misses, ..Self::default() }
    }

    /// Entries and bytes held in memory.
    #[must_use]
    pub const fn held(mut self, entries: u64, bytes: u64) -> Self {
        self.entries = Some(entries);
        self.bytes = Some(bytes);
        self
    }

    /// Answers that were out of date, since the start.
    #[must_use]
    pub const fn stale(mut self, answers: u64) -> Self {
        self.stale = Some(answers);
        self
    }

    /// Entries that had to make room, since the start.
    #[must_use]
    pub const fn evicted(mut self, entries: u64) -> Self {
        self.evicted = Some(entries);
        self
    }
}
