//! Room, and what happens without it.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use bytes::Bytes;
use http_body::Frame;
use http_body_util::StreamBody;
use s3_service::spool::{Bound, Disk};
use s3_service::{Spool, SpoolError, Upload};

use super::support::{entries, upload};

/// A disk with so many bytes left, which counts what it is asked for.
#[derive(Clone, Debug)]
pub(super) struct Small {
    pub(super) left: Arc<AtomicU64>,
    largest: Arc<AtomicUsize>,
    folder_syncs: Arc<AtomicUsize>,
    /// Whether it says that there is room where there is none, as another process may make it so.
    lies: bool,
}

impl Small {
    pub(super) fn with(left: u64) -> Self {
        let left = Arc::new(AtomicU64::new(left));
        Self { left, largest: Arc::default(), folder_syncs: Arc::default(), lies: false }
    }

    pub(super) fn lying(self, lies: bool) -> Self {
        Self { lies, ..self }
    }
}

impl Disk for Small {
    fn write(&self, mut file: &File, bytes: &[u8]) -> io::Result<()> {
        self.largest.fetch_max(bytes.len(), Ordering::SeqCst);
        let left = self.left.load(Ordering::SeqCst);
        let Some(rest) = left.checked_sub(u64::try_from(bytes.len()).unwrap()) else {
            // As a real disk does: what still fits is written, the rest is not.
            file.write_all(&bytes[..usize::try_from(left).unwrap()])?;
            return Err(io::ErrorKind::StorageFull.into());
        };
        self.left.store(rest, Ordering::SeqCst);
        file.write_all(bytes)
    }

    fn sync_folder(&self, folder: &File) -> io::Result<()> {
        // As long as the threads that come meanwhile need to get there.
        std::thread::park_timeout(std::time::Duration::from_millis(3));
        self.folder_syncs.fetch_add(1, Ordering::SeqCst);
        folder.sync_all()
    }

    fn free(&self, _folder: &Path) -> io::Result<u64> {
        Ok(if self.lies { u64::MAX } else { self.left.load(Ordering::SeqCst) })
    }
}

pub(super) fn bound(error: &SpoolError) -> Bound {
    let SpoolError::Full(bound) = error else { panic!("{error:?}") };
    *bound
}

pub(super) fn everything(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

fn stream<E: Into<Box<dyn std::error::Error + Send + Sync>> + Send + 'static>(
    frames: impl Iterator<Item = Result<Frame<Bytes>, E>> + Send + 'static,
) -> ByteStream {
    let frames = std::sync::Mutex::new(frames);
    let frames =
        futures_util::stream::iter(std::iter::from_fn(move || frames.lock().unwrap().next()));
    ByteStream::new(SdkBody::from_body_1_x(StreamBody::new(frames)))
}

#[tokio::test]
async fn each_bound_is_told_by_name_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Spool::builder(folder.path()).max_entries(2).max_bytes(1_000).keep_free(0);
    let spool = settings.open("bucket").await.unwrap();
    let bare = everything(folder.path());
    let large = spool.enqueue(Upload::new("k", vec![7; 1_000])).await.unwrap_err();
    assert_eq!(bound(&large), Bound::Bytes);
    assert_eq!(everything(folder.path()), bare, "not even a draft");

    spool.enqueue(upload("a", "v")).await.unwrap();
    let second = spool.enqueue(upload("b", "v")).await.unwrap();
    let third = spool.enqueue_delete("c").await.unwrap_err();
    assert_eq!(bound(&third), Bound::Entries);
    spool.discard(second).await.unwrap();
    spool.enqueue_delete("c").await.unwrap();
    spool.close().await.unwrap();

    let spool = Spool::builder(folder.path()).keep_free(u64::MAX).open("bucket").await.unwrap();
    let reserve = spool.enqueue(upload("d", "v")).await.unwrap_err();
    assert_eq!(bound(&reserve), Bound::FreeSpace);
    assert_eq!(spool.status().depth, 2);
}

#[tokio::test]
async fn a_disk_that_fills_up_under_a_stream_ends_it_with_a_typed_error() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Small::with(400_000).lying(true);
    let spool = Spool::builder(folder.path()).disk(disk).open("bucket").await.unwrap();
    let bare = everything(folder.path());
    let error = spool.enqueue(Upload::new("k", vec![7; 1_000_000])).await.unwrap_err();
    assert_eq!(bound(&error), Bound::Disk);
    assert_eq!(everything(folder.path()), bare);
    assert_eq!(spool.status().bytes, 0);
}

#[tokio::test]
async fn a_long_stream_is_written_as_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Small::with(u64::MAX).lying(true);
    let spool = Spool::builder(folder.path()).disk(disk.clone()).open("bucket").await.unwrap();
    let frames = (0..512_u32).map(|n| {
        Ok::<_, std::convert::Infallible>(Frame::data(vec![n.to_le_bytes()[0]; 65_536].into()))
    });
    spool.enqueue(Upload::new("k", stream(frames))).await.unwrap();
    let largest = disk.largest.load(Ordering::SeqCst);
    assert!(largest <= 2 * 256 * 1024, "{largest} bytes at once, of 32 MiB");
    assert!(spool.status().bytes > 32 << 20);
}

#[tokio::test]
async fn what_a_stream_has_written_is_not_missed_twice() {
    const MIB: u64 = 1 << 20;
    let mebibytes = |count: u32| {
        stream(
            (0..count * 16)
                .map(|_| Ok::<_, std::convert::Infallible>(Frame::data(vec![7; 65_536].into()))),
        )
    };
    let folder = tempfile::tempdir().unwrap();
    let disk = Small::with(12 * MIB);
    let settings = Spool::builder(folder.path()).disk(disk.clone()).keep_free(MIB);
    let spool = settings.open("bucket").await.unwrap();
    spool.enqueue(Upload::new("streamed", mebibytes(7))).await.unwrap();
    spool.enqueue(Upload::new("whole", vec![7; 3 << 20])).await.unwrap();
    let error = spool.enqueue(Upload::new("more", mebibytes(2))).await.unwrap_err();
    assert_eq!(bound(&error), Bound::FreeSpace);
    let left = disk.left.load(Ordering::SeqCst);
    assert!(left >= MIB, "{left} bytes are left");
}

#[tokio::test]
async fn a_stream_that_breaks_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::builder(folder.path()).open("bucket").await.unwrap();
    let bare = everything(folder.path());
    let frames = (0..20).map(|n| match n {
        0..10 => Ok(Frame::data(vec![7; 65_536].into())),
        _ => Err("broken"),
    });
    let error = spool.enqueue(Upload::new("k", stream(frames))).await.unwrap_err();
    assert!(matches!(error, SpoolError::Body(_)), "{error:?}");
    assert_eq!(everything(folder.path()), bare);
    assert_eq!((spool.status().depth, spool.status().bytes), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_producers_share_a_sync_of_the_folder() {
    const WRITES: usize = 64;
    let folder = tempfile::tempdir().unwrap();
    let disk = Small::with(u64::MAX).lying(true);
    let syncs = Arc::clone(&disk.folder_syncs);
    let spool = Spool::builder(folder.path()).disk(disk).open("bucket").await.unwrap();
    let before = syncs.load(Ordering::SeqCst);
    let writes: Vec<_> = (0..WRITES)
        .map(|n| {
            let spool = spool.clone();
            tokio::spawn(async move { spool.enqueue(upload(&n.to_string(), "v")).await })
        })
        .collect();
    let mut ids = BTreeSet::new();
    for write in writes {
        assert!(ids.insert(write.await.unwrap().unwrap()), "an id came twice");
    }
    assert_eq!(entries(folder.path()).len(), WRITES);
    let syncs = syncs.load(Ordering::SeqCst) - before;
    assert!(syncs * 2 <= WRITES, "{syncs} syncs for {WRITES} writes");
}
