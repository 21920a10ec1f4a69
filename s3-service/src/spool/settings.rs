//! The settings of a spool.

use std::path::PathBuf;
use std::sync::Arc;

use circuit_layer::Clock;

use super::disk::{Disk, OsDisk};
use super::error::SpoolError;
use super::handle::Spool;
use super::store::{Limits, Store};

/// When a write goes to the queue.
#[expect(clippy::exhaustive_enums, reason = "before S3 is asked, or after")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SpoolMode {
    /// When S3 was not asked because the breaker is open, or when it failed and the body can be
    /// read again. Costs nothing while S3 is well. A stream that can be read only once, and has been
    /// read when S3 fails, is lost to its caller, who gets the error.
    #[default]
    OnOpen,
    /// Always, before S3 is asked: a write survives whatever happens after it was stored, this
    /// process's own end included. Costs each write two syncs.
    WriteAhead,
}

/// The settings of a [`Spool`]; only the folder has no default.
#[must_use = "a builder does nothing until it is opened, or given to a service"]
#[derive(Clone, Debug)]
pub struct SpoolBuilder {
    pub(crate) folder: PathBuf,
    pub(crate) mode: SpoolMode,
    limits: Limits,
    concurrency: usize,
    clock: Clock,
    disk: Arc<dyn Disk>,
}

impl SpoolBuilder {
    pub(super) fn new(folder: PathBuf) -> Self {
        let limits = Limits { entries: 100_000, bytes: 10 << 30, keep_free: 256 << 20 };
        let disk = Arc::new(OsDisk);
        let mode = SpoolMode::OnOpen;
        Self { folder, mode, limits, concurrency: 8, clock: Clock::default(), disk }
    }

    /// When a write goes to the queue; [`SpoolMode::OnOpen`] by default.
    pub fn mode(mut self, mode: SpoolMode) -> Self {
        self.mode = mode;
        self
    }

    /// The most entries that wait; 100 000 by default. Dead ones are not counted.
    pub fn max_entries(mut self, entries: usize) -> Self {
        self.limits.entries = entries;
        self
    }

    /// The most bytes that wait, headers included; 10 GiB by default. Dead ones are not counted.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.limits.bytes = bytes;
        self
    }

    /// Bytes of the disk that are left to others; 256 MiB by default. With less free space than
    /// this nothing is stored. A file system that misses bytes only when it has written them back, as NFS, ZFS
    /// and btrfs do, lets streams take from it until then.
    pub fn keep_free(mut self, bytes: u64) -> Self {
        self.limits.keep_free = bytes;
        self
    }

    /// The most uploads of the drain at once; 8 by default. It begins with one and adds one for each
    /// success.
    pub fn concurrency(mut self, uploads: usize) -> Self {
        self.concurrency = uploads;
        self
    }

    /// What stands between the spool and the system: for tests and benches.
    pub fn disk(mut self, disk: impl Disk) -> Self {
        self.disk = Arc::new(disk);
        self
    }

    /// The clock by which entries rest; a service gives that of its breaker.
    pub(crate) fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    pub(crate) const fn uploads(&self) -> usize {
        self.concurrency
    }

    /// Opens the spool of `bucket` without a service: to store, to look, to repair. Nothing is
    /// uploaded. A service opens it by [`S3Builder::spool`](crate::S3Builder::spool).
    ///
    /// # Errors
    /// [`SpoolError`]: a setting that is zero, a folder that can not be used, that somebody else
    /// uses, or that belongs to another bucket.
    ///
    /// # Cancellation
    /// Dropped, it leaves at most an empty spool.
    pub async fn open(self, bucket: &str) -> Result<Spool, SpoolError> {
        if self.limits.entries == 0 || self.limits.bytes == 0 {
            return Err(SpoolError::Setting("a spool must have room for something"));
        }
        if self.concurrency == 0 {
            return Err(SpoolError::Setting("a drain without an upload never ends"));
        }
        let bucket = bucket.to_owned();
        let opened = tokio::task::spawn_blocking(move || {
            Store::open(&self.folder, bucket, self.limits, self.clock, &self.disk)
        });
        let store = opened.await.map_err(|error| SpoolError::Write(error.into()))??;
        Ok(Spool::new(store))
    }
}
