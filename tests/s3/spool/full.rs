//! A disk that is full: a real one, where a file system may be mounted, and one that says so.

use std::io;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use s3_service::spool::{Bound, Disk};
use s3_service::{Spool, Upload};

use super::bounds::{Small, bound, everything};
use super::support::upload;

const SIZE: u64 = 1 << 20;
const PAYLOAD: usize = 60_000;

/// Fills the disk under `folder`, looks what is left of the write that did not fit, and goes on when
/// there is room: that of a discarded entry, and then that of `more`.
async fn check(folder: &Path, disk: impl Disk, expected: Bound, more: impl Fn()) {
    let spool = Spool::builder(folder).keep_free(0).disk(disk).open("bucket").await.unwrap();
    let bare = everything(folder);
    let mut stored = Vec::new();
    let error = loop {
        match spool.enqueue(Upload::new("k", vec![7; PAYLOAD])).await {
            Ok(id) => stored.push(id),
            Err(error) => break error,
        }
    };
    assert_eq!(bound(&error), expected);
    let most = usize::try_from(SIZE).unwrap().div_euclid(PAYLOAD);
    assert!((most.div_euclid(2)..=most).contains(&stored.len()), "{} fitted in", stored.len());
    assert_eq!(everything(folder), bare + stored.len(), "no draft is left");
    assert_eq!((spool.status().depth, spool.status().refused), (stored.len(), 1));

    let first = stored.remove(0);
    spool.discard(first).await.unwrap();
    more();
    for n in 0..2 {
        stored.push(spool.enqueue(Upload::new("k", vec![n; PAYLOAD])).await.unwrap());
    }
    spool.enqueue(upload("small", "v")).await.unwrap();
    spool.close().await.unwrap();

    let spool = Spool::builder(folder).keep_free(0).open("bucket").await.unwrap();
    assert_eq!((spool.status().depth, spool.status().damaged), (stored.len() + 1, 0));
    let kept: Vec<_> = spool.list().into_iter().map(|entry| entry.id).take(stored.len()).collect();
    assert_eq!(kept, stored, "in order, each whole");
    spool.close().await.unwrap();
}

#[tokio::test]
async fn a_disk_that_says_it_is_full_refuses_writes_until_there_is_room() {
    for (lies, expected) in [(false, Bound::FreeSpace), (true, Bound::Disk)] {
        let folder = tempfile::tempdir().unwrap();
        let disk = Small::with(SIZE).lying(lies);
        let left = Arc::clone(&disk.left);
        check(folder.path(), disk, expected, || left.store(SIZE, Ordering::SeqCst)).await;
    }
}

/// A file system of its own in memory, until it is dropped.
struct Tmpfs<'a>(&'a Path);

impl<'a> Tmpfs<'a> {
    fn mount(at: &'a Path) -> Self {
        mount(&["-t", "tmpfs", "-o", &format!("size={SIZE}"), "tmpfs"], at);
        Self(at)
    }

    fn grow(&self) {
        mount(&["-o", &format!("remount,size={}", SIZE * 2)], self.0);
    }
}

impl Drop for Tmpfs<'_> {
    fn drop(&mut self) {
        assert!(Command::new("umount").arg("-l").arg(self.0).status().unwrap().success());
    }
}

fn mount(arguments: &[&str], at: &Path) {
    let mounted = Command::new("mount").args(arguments).arg(at).output().unwrap();
    assert!(mounted.status.success(), "{}", String::from_utf8_lossy(&mounted.stderr));
}

/// Whether this process has the capability to mount: `CAP_SYS_ADMIN`, number 21.
fn may_mount() -> bool {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return false };
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap_or("0");
    u64::from_str_radix(line.trim(), 16).unwrap() & (1 << 21) != 0
}

/// The machine's disk, except that it tells of room where there is none, as when another process
/// takes it between the look and the write.
#[derive(Debug)]
struct Hopeful;

impl Disk for Hopeful {
    fn free(&self, _folder: &Path) -> io::Result<u64> {
        Ok(u64::MAX)
    }
}

/// Whoever may mount has to, so that this tests less only where it can not test more, and says so.
#[tokio::test]
async fn a_file_system_that_is_full_refuses_writes_until_there_is_room() {
    let outer = tempfile::tempdir().unwrap();
    if !may_mount() {
        println!("no right to mount: ENOSPC comes from a disk by decree, not from a file system");
        let disk = Small::with(SIZE).lying(true);
        let left = Arc::clone(&disk.left);
        check(outer.path(), disk, Bound::Disk, || left.store(SIZE, Ordering::SeqCst)).await;
        return;
    }
    for (folder, expected) in [("looks", Bound::FreeSpace), ("hopes", Bound::Disk)] {
        let folder = outer.path().join(folder);
        std::fs::create_dir(&folder).unwrap();
        let tmpfs = Tmpfs::mount(&folder);
        let root = folder.join("spool");
        if expected == Bound::Disk {
            check(&root, Hopeful, expected, || tmpfs.grow()).await;
        } else {
            check(&root, s3_service::spool::OsDisk, expected, || tmpfs.grow()).await;
        }
    }
}
