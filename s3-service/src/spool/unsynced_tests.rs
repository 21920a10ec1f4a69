//! A disk that moves and removes files, but can not make it durable.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use circuit_layer::Clock;
use tempfile::TempDir;
use tokio::sync::broadcast::Receiver;

use super::Claim;
use crate::error::S3Error;
use crate::spool::disk::Disk;
use crate::spool::drain::fly;
use crate::spool::error::SpoolError;
use crate::spool::handle::Spool;
use crate::spool::name::EntryId;
use crate::spool::report::{EntryState, SpoolEvent};
use crate::spool::store::{Limits, Store};
use crate::spool::tests::{Notebook, plant};

#[derive(Clone, Debug, Default)]
struct Unsynced(Arc<AtomicBool>);

impl Disk for Unsynced {
    fn sync_folder(&self, _folder: &File) -> io::Result<()> {
        if self.0.load(Ordering::SeqCst) { Err(io::Error::other("no")) } else { Ok(()) }
    }
}

/// A spool with one entry, whose folders can be synced no more.
struct Rig {
    folder: TempDir,
    disk: Unsynced,
    spool: Spool,
    events: Receiver<SpoolEvent>,
    id: EntryId,
    notebook: Notebook,
}

impl Rig {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        plant(folder.path(), 1, "k", "v");
        let own = Unsynced::default();
        let disk: Arc<dyn Disk> = Arc::new(own.clone());
        let limits = Limits { entries: 10, bytes: u64::MAX, keep_free: 0 };
        let bucket = "bucket".to_owned();
        let store = Store::open(folder.path(), bucket, limits, Clock::default(), &disk).unwrap();
        let id = store.state().index.oldest().unwrap();
        own.0.store(true, Ordering::SeqCst);
        let (events, notebook) = (store.events.subscribe(), Notebook::default());
        Self { folder, disk: own, spool: Spool::new(store), events, id, notebook }
    }

    /// Sends the entry once.
    async fn send(&self) {
        fly(Claim::next(&self.spool.store).unwrap(), self.notebook.clone()).await;
    }

    /// The same, and S3 refuses it for good.
    async fn refuse(&self) {
        let refusal = S3Error::answer(400, "InvalidDigest", "no".to_owned());
        self.notebook.answers.lock().unwrap().push(refusal);
        self.send().await;
    }

    /// How many are waiting, dead and damaged.
    fn figures(&self) -> (usize, usize, u64) {
        let status = self.spool.status();
        (status.depth, status.dead, status.damaged)
    }
}

/// How many entries a folder has.
fn files(folder: &Path) -> usize {
    let names = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name());
    let names = names.map(|name| name.into_string().unwrap());
    names.filter(|name| name.starts_with(char::is_numeric) && !name.ends_with("~reason")).count()
}

#[tokio::test]
async fn an_entry_that_s3_has_is_over_though_its_removal_is_not_synced() {
    let mut rig = Rig::new();
    rig.send().await;
    assert!(matches!(rig.events.try_recv().unwrap(), SpoolEvent::Uploaded { .. }));
    assert_eq!((rig.figures(), files(rig.folder.path())), ((0, 0, 0), 0));
}

#[tokio::test]
async fn an_entry_is_dead_though_its_move_is_not_synced_and_can_be_retried() {
    let mut rig = Rig::new();
    rig.refuse().await;
    assert!(matches!(rig.events.try_recv().unwrap(), SpoolEvent::Dead { .. }));
    let dead = rig.folder.path().join("dead");
    assert_eq!((rig.figures(), files(&dead)), ((0, 1, 0), 1));

    let retried = rig.spool.retry(rig.id).await;
    assert!(matches!(retried, Err(SpoolError::Write(_))), "it may be dead again: {retried:?}");
    assert!(matches!(rig.events.try_recv().unwrap(), SpoolEvent::Retried { .. }));
    assert_eq!((rig.figures(), files(&dead)), ((1, 0, 0), 0));
    assert_eq!(rig.spool.list()[0].state, EntryState::Waiting);
    rig.disk.0.store(false, Ordering::SeqCst);
    rig.send().await;
    assert_eq!(rig.notebook.taken.lock().unwrap().len(), 1);
    assert_eq!(rig.figures(), (0, 0, 0));
}

#[tokio::test]
async fn a_discarded_entry_is_gone_though_its_removal_is_not_synced() {
    for is_dead in [false, true] {
        let rig = Rig::new();
        if is_dead {
            rig.refuse().await;
        }
        let discarded = rig.spool.discard(rig.id).await;
        assert!(matches!(discarded, Err(SpoolError::Write(_))), "it may be back: {discarded:?}");
        assert_eq!(rig.figures(), (0, 0, 0));
        let again = rig.spool.discard(rig.id).await;
        assert!(matches!(again, Err(SpoolError::NoSuchEntry(_))), "{again:?}");
    }
}

#[tokio::test]
async fn a_damaged_entry_is_counted_though_its_move_is_not_synced() {
    let rig = Rig::new();
    let name = rig.spool.store.item(rig.id).unwrap().name(rig.id);
    std::fs::write(rig.spool.store.folder.path(&name), "nothing of it").unwrap();
    rig.send().await;
    assert_eq!((rig.figures(), files(&rig.folder.path().join("damaged"))), ((0, 0, 1), 1));
}
