//! A close while something is under way in the folder.

use std::fs::File;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use s3_service::spool::Disk;
use s3_service::{EntryId, Spool, SpoolError};
use tokio::sync::Notify;

use super::support::{entries, filled, upload};

/// A disk that keeps whoever removes or revives an entry waiting, and fails the next sync of the
/// folder on demand.
#[derive(Clone, Debug)]
struct Gate {
    entered: Arc<Notify>,
    go: Arc<Mutex<mpsc::Receiver<()>>>,
    refuses: Arc<AtomicBool>,
}

impl Gate {
    fn wait(&self) {
        self.entered.notify_one();
        if self.go.lock().unwrap().recv().is_err() {
            println!("the test has failed meanwhile");
        }
    }
}

impl Disk for Gate {
    fn sync_folder(&self, folder: &File) -> io::Result<()> {
        if self.refuses.swap(false, Ordering::SeqCst) {
            return Err(io::Error::other("no"));
        }
        folder.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        if from.parent().unwrap().ends_with("dead") {
            self.wait();
        }
        std::fs::rename(from, to)
    }

    fn remove(&self, file: &Path) -> io::Result<()> {
        if file.file_name().unwrap().to_str().unwrap().starts_with(char::is_numeric) {
            self.wait();
        }
        std::fs::remove_file(file)
    }
}

/// Closes the spool while `work` waits at the gate, and returns how many entries the next one has.
async fn check<F>(folder: &Path, refuses: bool, work: impl FnOnce(Spool) -> F) -> usize
where
    F: Future<Output = ()> + Send + 'static,
{
    let (send, go) = mpsc::channel();
    let entered = Arc::new(Notify::new());
    let go = Arc::new(Mutex::new(go));
    let gate = Gate { entered: Arc::clone(&entered), go, refuses: Arc::default() };
    let spool = Spool::builder(folder).disk(gate.clone()).open("bucket").await.unwrap();
    gate.refuses.store(refuses, Ordering::SeqCst);
    let work = tokio::spawn(work(spool.clone()));
    entered.notified().await;
    let mut close = std::pin::pin!(spool.close());
    tokio::select! {
        biased;
        _ = &mut close => panic!("closed at once"),
        () = std::future::ready(()) => {}
    }
    // On the one thread that is left, this comes after whatever the close has begun there.
    let next = Spool::builder(folder).open("bucket").await;
    assert!(matches!(next, Err(SpoolError::InUse { .. })), "{next:?}");
    send.send(()).unwrap();
    work.await.unwrap();
    close.await.unwrap();
    let next = Spool::builder(folder).open("bucket").await.unwrap();
    assert_eq!(entries(folder).len(), next.status().depth);
    next.status().depth
}

/// The file of the first of three entries, and its id.
async fn first(folder: &Path) -> (PathBuf, EntryId) {
    filled(folder).await.close().await.unwrap();
    let name = entries(folder).remove(0);
    let id = name.split_once('-').unwrap().0.parse().unwrap();
    (folder.join(name), id)
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    // One for the work at the gate, and one for everything else, in order.
    runtime.max_blocking_threads(2).build().unwrap().block_on(work)
}

#[test]
fn a_close_waits_for_a_write_whose_fate_is_open() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        first(folder.path()).await;
        let left = check(folder.path(), true, |spool| async move {
            let refused = spool.enqueue(upload("k", "v")).await;
            assert!(matches!(refused, Err(SpoolError::Write(_))), "{refused:?}");
        });
        assert_eq!(left.await, 3, "nothing is left of the fourth");
    });
}

#[test]
fn a_close_waits_for_an_entry_that_is_being_discarded() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let (_, id) = first(folder.path()).await;
        let discard = |spool: Spool| async move { spool.discard(id).await.unwrap() };
        assert_eq!(check(folder.path(), false, discard).await, 2);
    });
}

#[test]
fn a_close_waits_for_an_entry_that_comes_back_from_the_dead() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let (file, id) = first(folder.path()).await;
        std::fs::rename(&file, folder.path().join("dead").join(file.file_name().unwrap())).unwrap();
        let retry = |spool: Spool| async move { spool.retry(id).await.unwrap() };
        assert_eq!(check(folder.path(), false, retry).await, 3);
    });
}
