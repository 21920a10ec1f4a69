//! What the spool asks of the operating system, behind one seam.
//!
//! Durability can not be tested on a machine that does not lose power, nor a full disk on one that
//! has room. So every write, sync, rename and removal goes through [`Disk`]: a test counts them,
//! delays them, refuses them, or forgets what was not synced.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

/// The operations that decide whether an entry survives. Each default is the real thing, so an
/// implementation overrides what it wants to watch or to break.
///
/// Called on threads that may block. It must not panic.
pub trait Disk: fmt::Debug + Send + Sync + 'static {
    /// Appends `bytes` to a file that is being written.
    ///
    /// # Errors
    /// Whatever the system says; a full disk is [`io::ErrorKind::StorageFull`].
    fn write(&self, mut file: &File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }

    /// Makes the content of a file durable.
    ///
    /// # Errors
    /// Whatever the system says. The file is given up then: what a failed sync has left on the disk
    /// nobody knows.
    fn sync_file(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    /// Makes the names in a folder durable: every rename and removal before the call.
    ///
    /// # Errors
    /// Whatever the system says.
    fn sync_folder(&self, folder: &File) -> io::Result<()> {
        folder.sync_all()
    }

    /// Gives a file another name.
    ///
    /// # Errors
    /// Whatever the system says.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    /// Removes a file.
    ///
    /// # Errors
    /// Whatever the system says.
    fn remove(&self, file: &Path) -> io::Result<()> {
        fs::remove_file(file)
    }

    /// Bytes that this process may still write where `folder` is.
    ///
    /// # Errors
    /// Whatever the system says.
    fn free(&self, folder: &Path) -> io::Result<u64> {
        let stat = rustix::fs::statvfs(folder)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }
}

/// The machine's own disk.
#[expect(clippy::exhaustive_structs, reason = "it has no settings")]
#[derive(Clone, Copy, Debug, Default)]
pub struct OsDisk;

impl Disk for OsDisk {}
