//! Why the spool did not do what it was asked.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::PathBuf;

use super::name::EntryId;

/// The error of every call of the spool.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// A setting is out of range.
    #[error("{0}")]
    Setting(&'static str),
    /// The folder can not be made, read or written.
    #[error("spool `{}` can not be used", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process, or another spool of this one, works on the folder.
    #[error("spool `{}` is in use{}", folder.display(), by(*pid))]
    InUse {
        /// The folder.
        folder: PathBuf,
        /// The process that holds it, where it left its number.
        pid: Option<u32>,
    },
    /// The folder belongs to another bucket.
    #[error("spool `{}` holds writes to bucket `{found}`, not `{expected}`", folder.display())]
    OtherBucket {
        /// The folder.
        folder: PathBuf,
        /// The bucket that it belongs to.
        found: String,
        /// The bucket that it was opened for.
        expected: String,
    },
    /// There is no room for the entry. Nothing of it is left.
    #[error("spool is full: {0}")]
    Full(Bound),
    /// The entry can not be written. Nothing of it is left.
    #[error("entry can not be stored")]
    Write(#[source] io::Error),
    /// The upload's own stream failed before its end. Nothing of it is left.
    #[error("the body of the upload failed")]
    Body(#[source] Box<dyn StdError + Send + Sync>),
    /// A stored entry can not be read just now.
    #[error("entry {id} can not be read")]
    Read {
        /// The entry.
        id: EntryId,
        /// What the system said.
        source: io::Error,
    },
    /// A stored entry is not what was written. It has been set aside in `damaged/`.
    #[error("entry {id} is damaged: {flaw}")]
    Damaged {
        /// The entry.
        id: EntryId,
        /// What is wrong with it.
        flaw: String,
    },
    /// The spool has been closed.
    #[error("spool is closed")]
    Closed,
    /// There is no such entry, or no longer.
    #[error("there is no entry {0}")]
    NoSuchEntry(EntryId),
    /// The entry is on its way to S3 this very moment.
    #[error("entry {0} is being uploaded")]
    Uploading(EntryId),
    /// A copy from or to this key, or a write to it [past the breaker](crate::S3::bypass), would
    /// overtake its queued writes, and then be overwritten by them.
    #[error("`{0}` has queued writes, which this call would overtake")]
    KeyQueued(String),
}

fn by(pid: Option<u32>) -> String {
    pid.map_or_else(String::new, |pid| format!(" by process {pid}"))
}

impl SpoolError {
    /// A write that the system refused.
    pub(super) fn write(error: io::Error) -> Self {
        let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded];
        if full.contains(&error.kind()) { Self::Full(Bound::Disk) } else { Self::Write(error) }
    }
}

/// What there was no room in.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// [`SpoolBuilder::max_entries`](super::SpoolBuilder::max_entries).
    Entries,
    /// [`SpoolBuilder::max_bytes`](super::SpoolBuilder::max_bytes).
    Bytes,
    /// [`SpoolBuilder::keep_free`](super::SpoolBuilder::keep_free).
    FreeSpace,
    /// The disk itself, or the user's quota on it.
    Disk,
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Entries => "it holds as many entries as it may",
            Self::Bytes => "it holds as many bytes as it may",
            Self::FreeSpace => "the disk has too little free space left",
            Self::Disk => "the disk is full",
        })
    }
}
