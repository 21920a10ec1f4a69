//! What may be answered from memory, and how old it is.

use std::time::Duration;

use bytes::Bytes;
use circuit_layer::Moment;

use super::Cache;
use super::entry::Entry;

/// What is found in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) value: Option<Bytes>,
    pub(crate) age: Duration,
    pub(crate) local: bool,
}

impl Cache {
    /// What is kept of a key, if it is no older than `max_age`.
    pub(crate) fn find(&self, key: &Bytes, now: Moment, max_age: Duration) -> Option<Found> {
        let entry = self.entries.get(key)?;
        (entry.until > now).then(|| self.dated(entry, now, max_age)).flatten()
    }

    /// The same, and it may have reached its end.
    pub(crate) fn find_ended(&self, key: &Bytes, now: Moment, max_age: Duration) -> Option<Found> {
        let entry = self.entries.get(key)?;
        self.dated(entry, now, max_age)
    }

    fn dated(&self, entry: Entry, now: Moment, max_age: Duration) -> Option<Found> {
        let era = self.era();
        let current = if entry.local || entry.doubt { entry.read } else { era.current(entry.read) };
        let age = now - current;
        let serves = (entry.local || entry.era == era.number) && age <= max_age;
        serves.then_some(Found { value: entry.value, age, local: entry.local })
    }
}
