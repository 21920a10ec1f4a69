//! An entry that is being written: a file that nobody counts on until it is renamed.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crc32fast::Hasher;

use super::disk::Disk;

/// The last line: `\ncrc32 ` and eight hexadecimal digits over everything before it.
pub(super) const TRAILER: u64 = 16;

/// Bytes that gather before they are written.
pub(super) const CHUNK: usize = 256 * 1024;

pub(super) fn trailer(crc: u32) -> String {
    format!("\ncrc32 {crc:08x}\n")
}

/// Removed when it is dropped before it has [settled](Self::settle).
#[derive(Debug)]
pub(super) struct Draft {
    disk: Arc<dyn Disk>,
    file: File,
    path: PathBuf,
    gathered: Vec<u8>,
    hasher: Hasher,
    size: u64,
    settled: bool,
}

impl Draft {
    pub(super) fn create(disk: Arc<dyn Disk>, path: PathBuf) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        let hasher = Hasher::new();
        Ok(Self { disk, file, path, gathered: Vec::new(), hasher, size: 0, settled: false })
    }

    /// Bytes so far.
    pub(super) const fn size(&self) -> u64 {
        self.size
    }

    /// Those of them that the disk has been given.
    pub(super) fn written(&self) -> u64 {
        self.size.saturating_sub(u64::try_from(self.gathered.len()).unwrap_or(u64::MAX))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.append(bytes)
    }

    /// Ends the file and makes its content durable.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        let line = trailer(self.hasher.clone().finalize());
        self.append(line.as_bytes())?;
        self.flush()?;
        self.disk.sync_file(&self.file)
    }

    /// It has its own name now.
    pub(super) fn settle(mut self) {
        self.settled = true;
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.size += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.gathered.extend_from_slice(bytes);
        if self.gathered.len() >= CHUNK { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.disk.write(&self.file, &self.gathered)?;
        self.gathered.clear();
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.settled
            && let Err(error) = self.disk.remove(&self.path)
        {
            // The next start sweeps it away.
            tracing::debug!(%error, "a draft of the spool was not removed");
        }
    }
}
