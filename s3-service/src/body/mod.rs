//! Bodies that are counted, and watched, as they really flow.
//!
//! An in-memory body is one frame whatever its size: counted whole, a peer that hangs up after
//! 261 kB of 64 MiB looks like 64 MiB sent. And a download is not over at its headers. So both
//! directions pass through [`Slices`], which hands out at most [`SLICE`] bytes at a time without
//! copying; [`upload`] adds whether the caller's own source is what a stalled upload waits for, and
//! [`download`] carries the breaker's permit, and the call's span, to the end of the answer.
//!
//! Three traps of the SDK's bodies shape the code. Wrappers are built for clones that are never
//! polled, so nothing is counted on drop. Every layer polls twice at the end, so the end is
//! remembered. Size hints decide the framing on the wire, so they are exact.

mod download;
mod slices;
mod tail;
mod upload;

#[cfg(any(feature = "s3", test))]
pub(crate) use download::STALLED_AFTER;
pub(crate) use download::{DownloadBody, stalled_after};
pub(crate) use slices::Slices;
pub(crate) use tail::{Ending, Tail, fail};
pub(crate) use upload::{Source, UploadBody};

use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};

/// The most bytes that one frame carries, hence the most that may be counted and not sent.
pub const SLICE: usize = 64 * 1024;

/// Which way bytes flow. Exhaustive: there is no third way.
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the caller to the service.
    Upload,
    /// From the service to the caller.
    Download,
}

/// Gets told of payload bytes as they flow, retries included.
///
/// Called from within the polling of a body: it must neither block nor panic.
pub trait ByteCounter: Debug + Send + Sync + 'static {
    /// `count` more bytes went in `direction`.
    fn count(&self, direction: Direction, count: u64);
}

/// Totals of both directions.
#[derive(Debug, Default)]
pub struct ByteTotals {
    uploaded: AtomicU64,
    downloaded: AtomicU64,
}

impl ByteTotals {
    /// Bytes sent, those of retried attempts included.
    #[must_use]
    pub fn uploaded(&self) -> u64 {
        self.uploaded.load(Ordering::Relaxed)
    }

    /// Bytes received.
    #[must_use]
    pub fn downloaded(&self) -> u64 {
        self.downloaded.load(Ordering::Relaxed)
    }
}

impl ByteCounter for ByteTotals {
    fn count(&self, direction: Direction, count: u64) {
        match direction {
            Direction::Upload => &self.uploaded,
            Direction::Download => &self.downloaded,
        }
        .fetch_add(count, Ordering::Relaxed);
    }
}

pub(crate) fn data_len(frame: &http_body::Frame<bytes::Bytes>) -> u64 {
    frame.data_ref().map_or(0, |data| u64::try_from(data.len()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests;
