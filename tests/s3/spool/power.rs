//! A loss of power, played through the seam: what was not synced is gone.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use s3_service::spool::Disk;
use s3_service::{EntryId, Spool, Upload};

use super::support::{entries, payload};

/// A disk that knows what of it would be left. Files are told apart by their inode.
#[derive(Clone, Debug)]
struct Fragile(Arc<Mutex<Contents>>);

#[derive(Debug, Default)]
struct Contents {
    /// What each file was when it was last synced.
    synced: HashMap<u64, Vec<u8>>,
    /// The names that a sync of their folder has made durable.
    names: HashMap<PathBuf, u64>,
    /// What was done to names since, in order.
    pending: Vec<Change>,
    /// Operations until the power goes; none works from then on.
    left: u64,
    /// Whether syncs do nothing: the control.
    lies: bool,
}

#[derive(Debug)]
struct Change {
    gone: Option<PathBuf>,
    new: Option<(PathBuf, u64)>,
}

impl Fragile {
    fn new(left: u64, lies: bool) -> Self {
        Self(Arc::new(Mutex::new(Contents { left, lies, ..Contents::default() })))
    }

    fn step<T>(&self, work: impl FnOnce(&mut Contents) -> io::Result<T>) -> io::Result<T> {
        let mut contents = self.0.lock().unwrap();
        contents.left = contents.left.saturating_sub(1);
        if contents.left == 0 {
            return Err(io::Error::other("no power"));
        }
        let done = work(&mut contents);
        drop(contents);
        done
    }

    /// What is there when the power is back, with the first `luck` of the changes that nobody had
    /// synced.
    fn remains(&self, luck: usize, to: &Path) {
        let mut contents = self.0.lock().unwrap();
        let pending: Vec<_> = contents.pending.drain(..).take(luck).collect();
        for change in pending {
            contents.apply(change);
        }
        for (path, inode) in &contents.names {
            // A file without a sync has its name, and nothing in it.
            let bytes = contents.synced.get(inode).cloned().unwrap_or_default();
            fs::write(to.join(path.file_name().unwrap()), bytes).unwrap();
        }
        drop(contents);
    }
}

impl Contents {
    fn apply(&mut self, change: Change) {
        if let Some(path) = change.gone {
            self.names.remove(&path);
        }
        if let Some((path, inode)) = change.new {
            self.names.insert(path, inode);
        }
    }
}

impl Disk for Fragile {
    fn sync_file(&self, file: &File) -> io::Result<()> {
        self.step(|contents| {
            let bytes = fs::read(format!("/proc/self/fd/{}", file.as_raw_fd()))?;
            if !contents.lies {
                contents.synced.insert(file.metadata()?.ino(), bytes);
            }
            Ok(())
        })
    }

    fn sync_folder(&self, _folder: &File) -> io::Result<()> {
        self.step(|contents| {
            let pending: Vec<_> = contents.pending.drain(..).collect();
            for change in pending {
                contents.apply(change);
            }
            Ok(())
        })
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step(|contents| {
            fs::rename(from, to)?;
            let new = Some((to.to_owned(), fs::metadata(to)?.ino()));
            contents.pending.push(Change { gone: Some(from.to_owned()), new });
            Ok(())
        })
    }

    fn remove(&self, file: &Path) -> io::Result<()> {
        self.step(|contents| {
            fs::remove_file(file)?;
            contents.pending.push(Change { gone: Some(file.to_owned()), new: None });
            Ok(())
        })
    }
}

#[derive(Debug, Default)]
struct Promised {
    stored: HashMap<EntryId, String>,
    removed: Vec<EntryId>,
}

/// Four writers that discard every third entry, until the power goes.
async fn work(folder: &Path, disk: Fragile) -> Promised {
    let Ok(spool) = Spool::builder(folder).keep_free(0).disk(disk).open("bucket").await else {
        return Promised::default();
    };
    let promised = Arc::new(Mutex::new(Promised::default()));
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..4 {
        let (spool, promised) = (spool.clone(), Arc::clone(&promised));
        writers.spawn(async move {
            for n in 0.. {
                let text = format!("{writer} {n}");
                let upload = Upload::new(format!("k{writer}"), text.clone().into_bytes());
                let Ok(id) = spool.enqueue(upload).await else { break };
                promised.lock().unwrap().stored.insert(id, text);
                if n % 3 == 0 {
                    // From here on it may be there or not; once answered, it may not.
                    promised.lock().unwrap().stored.remove(&id);
                    if spool.discard(id).await.is_err() {
                        break;
                    }
                    promised.lock().unwrap().removed.push(id);
                }
            }
        });
    }
    while writers.join_next().await.is_some() {}
    std::mem::take(&mut promised.lock().unwrap())
}

/// How many promised entries are missing, and how many removed ones are back.
async fn broken(promised: &Promised, folder: &Path) -> (usize, usize) {
    let spool = Spool::builder(folder).open("bucket").await.unwrap();
    let there: HashMap<_, _> = spool.list().into_iter().map(|entry| (entry.id, entry)).collect();
    let files = entries(folder);
    let holds = |id: &EntryId, text: &String| {
        let file = files.iter().find(|file| file.starts_with(&id.to_string()));
        there.contains_key(id)
            && file.is_some_and(|file| payload(&folder.join(file)) == text.as_bytes())
    };
    let missing = promised.stored.iter().filter(|(id, text)| !holds(id, text)).count();
    let back = promised.removed.iter().filter(|id| there.contains_key(id)).count();
    (missing, back)
}

async fn round(left: u64, luck: usize, lies: bool) -> (usize, (usize, usize)) {
    let (before, after) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let disk = Fragile::new(left, lies);
    let promised = work(before.path(), disk.clone()).await;
    disk.remains(luck, after.path());
    (promised.stored.len() + promised.removed.len(), broken(&promised, after.path()).await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_loss_of_power_at_any_moment_keeps_every_promise() {
    let mut promises = 0;
    for left in 1..60 {
        let (made, broken) = round(left * 5, usize::try_from(left % 4).unwrap(), false).await;
        assert_eq!(broken, (0, 0), "with the power gone after {} operations", left * 5);
        promises += made;
    }
    assert!(promises > 500, "only {promises} promises were put to the test");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_does_not_sync_is_caught_by_this_test() {
    let (made, (missing, _)) = round(200, 0, true).await;
    assert!(made > 20 && missing > 0, "{missing} of {made}");
}
