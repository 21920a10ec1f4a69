//! What there is to tell of a spool: to pages, to operators, to listeners.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::name::EntryId;
use crate::operation::Operation;

/// The figures of a spool at one moment; cheap, whatever the spool holds.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SpoolStatus {
    /// Entries that wait for S3, those on their way included.
    pub depth: usize,
    /// Bytes of their files.
    pub bytes: u64,
    /// How long the oldest of them has waited, by wall time. The figure to alert on.
    pub oldest: Option<Duration>,
    /// Entries on their way to S3 this very moment.
    pub uploading: usize,
    /// Entries that S3 refused for good; they are in `dead/` and can be retried.
    pub dead: usize,
    /// Files in `damaged/`.
    pub damaged: u64,
    /// The most bytes that it may hold.
    pub max_bytes: u64,
    /// Writes that there was no room for, since the start of this process.
    pub refused: u64,
    /// Entries that S3 has taken, since the start of this process.
    pub uploaded: u64,
}

/// One entry, for an operator.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Its name.
    pub id: EntryId,
    /// The key that it writes to.
    pub key: String,
    /// Upload or delete.
    pub operation: Operation,
    /// Bytes of its file.
    pub size: u64,
    /// How often it was tried since the start of this process.
    pub attempts: u32,
    /// Where it stands.
    pub state: EntryState,
}

/// Where an entry stands.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryState {
    /// It waits for its turn, or for S3.
    Waiting,
    /// It is on its way to S3.
    Uploading,
    /// S3 refused it for good.
    Dead {
        /// What S3 said.
        reason: String,
    },
}

/// Something that happened to an entry.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpoolEvent {
    /// It is durable.
    Queued {
        /// The entry.
        id: EntryId,
        /// Its key.
        key: Arc<str>,
    },
    /// S3 has it.
    Uploaded {
        /// The entry.
        id: EntryId,
        /// Its key.
        key: Arc<str>,
    },
    /// S3 refused it for good; it is in `dead/`.
    Dead {
        /// The entry.
        id: EntryId,
        /// Its key.
        key: Arc<str>,
        /// What S3 said.
        reason: String,
    },
    /// Its file is not what was written; it is in `damaged/`.
    Damaged {
        /// The entry.
        id: EntryId,
        /// Its key.
        key: Arc<str>,
        /// What is wrong with it.
        flaw: String,
    },
    /// An operator brought it back from `dead/`.
    Retried {
        /// The entry.
        id: EntryId,
        /// Its key.
        key: Arc<str>,
    },
    /// An operator removed it.
    Discarded {
        /// The entry.
        id: EntryId,
        /// Its key.
        key: Arc<str>,
    },
}
