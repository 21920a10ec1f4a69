//! The drain, with a notebook for S3.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use circuit_layer::{CircuitBreaker, Clock};
use tokio::sync::watch;

use super::Drain;
use crate::error::S3Error;
use crate::spool::claim::Uplink;
use crate::spool::intake::{self, Write};
use crate::spool::store::Store;
use crate::spool::tests::{Notebook, open, plant, upload};

/// Waits, within a bound, until the spool is empty.
pub(super) async fn emptied(store: &Store) {
    let empty = async {
        while store.state().index.depth() > 0 {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(240), empty).await.is_ok(), "not empty");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_entries_open_quickly_and_drain_in_order_while_writes_arrive() {
    const PLANTED: u64 = 100_000;
    const KEYS: u64 = 500;
    let folder = tempfile::tempdir().unwrap();
    for n in 1..=PLANTED {
        plant(folder.path(), n, &format!("k{}", n % KEYS), &n.to_string());
    }

    // Of this thread's own time, so that the neighbours on a busy machine are not measured.
    let begin = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let store = open(folder.path(), Clock::default());
    let end = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    assert_eq!(store.state().index.depth(), 100_000);
    let took = Duration::try_from(end - begin).unwrap();
    assert!(took < Duration::from_secs(2), "opened in {took:?}");

    let notebook = Notebook::default();
    let breaker = CircuitBreaker::new("s3");
    let drain = Drain::spawn(Arc::clone(&store), breaker, notebook.clone(), 8);
    for n in PLANTED + 1..=PLANTED + 2_000 {
        let write = upload(&format!("k{}", n % KEYS), &n.to_string());
        intake::store(&store, write, false).await.unwrap();
    }
    emptied(&store).await;
    drop(drain);

    let taken = notebook.taken.lock().unwrap();
    assert_eq!(taken.len(), 102_000, "each once");
    let mut last: HashMap<&str, u64> = HashMap::new();
    for (key, payload) in &*taken {
        let n: u64 = payload.as_ref().unwrap().parse().unwrap();
        let before = last.insert(key, n).unwrap_or(0);
        assert!(before < n, "{key}: {n} after {before}");
    }
}

/// How many are on their way at once, at most, and after which success.
#[derive(Clone, Debug)]
struct Gauge {
    inner: Notebook,
    flying: watch::Sender<usize>,
}

impl Uplink for Gauge {
    async fn send(&self, write: Write) -> Result<crate::response::Written, S3Error> {
        self.flying.send_modify(|flying| *flying += 1);
        // Let every other one that is allowed to begin do so.
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        let answer = self.inner.send(write).await;
        self.flying.send_modify(|flying| *flying -= 1);
        answer
    }
}

#[tokio::test]
async fn the_drain_begins_with_one_and_never_passes_its_limit() {
    let folder = tempfile::tempdir().unwrap();
    for n in 1..=60 {
        plant(folder.path(), n, &format!("k{n}"), "x");
    }
    let store = open(folder.path(), Clock::default());
    let (flying, mut seen) = watch::channel(0);
    let gauge = Gauge { inner: Notebook::default(), flying };
    let taken = Arc::clone(&gauge.inner.taken);
    let _drain = Drain::spawn(Arc::clone(&store), CircuitBreaker::new("s3"), gauge, 3);
    let (mut most, mut before_first) = (0, 0);
    while store.state().index.depth() > 0 {
        most = most.max(*seen.borrow_and_update());
        if taken.lock().unwrap().is_empty() {
            before_first = most;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!((before_first, most), (1, 3));
}

#[tokio::test]
async fn an_entry_that_s3_refuses_goes_to_dead_and_the_next_of_its_key_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    plant(folder.path(), 1, "k", "bad");
    plant(folder.path(), 2, "k", "good");
    let store = open(folder.path(), Clock::default());
    let notebook = Notebook::default();
    let refusal = S3Error::answer(400, "InvalidDigest", "no".to_owned());
    notebook.answers.lock().unwrap().push(refusal);
    let _drain = Drain::spawn(Arc::clone(&store), CircuitBreaker::new("s3"), notebook.clone(), 8);
    emptied(&store).await;
    assert_eq!(*notebook.taken.lock().unwrap(), [("k".to_owned(), Some("good".to_owned()))]);
    assert_eq!(store.state().graves.len(), 1);

    let reopened = |store: Arc<Store>| {
        store.folder.unlock();
        drop(store);
        open(folder.path(), Clock::default())
    };
    let store = reopened(store);
    let (_, grave) = store.state().graves.iter().next().map(|(id, g)| (id, g.clone())).unwrap();
    assert!(grave.reason.contains("InvalidDigest"), "{}", grave.reason);
}

#[tokio::test]
async fn an_answer_that_an_operator_can_put_right_is_waited_out() {
    let (clock, time) = Clock::manual();
    let folder = tempfile::tempdir().unwrap();
    plant(folder.path(), 1, "k", "v");
    let store = open(folder.path(), clock.clone());
    let notebook = Notebook::default();
    let denied = || S3Error::answer(403, "AccessDenied", "no".to_owned());
    notebook.answers.lock().unwrap().extend([denied(), denied()]);
    let breaker = CircuitBreaker::builder("s3").clock(clock).build().unwrap();
    let _drain = Drain::spawn(Arc::clone(&store), breaker, notebook.clone(), 8);
    for left in [1, 0] {
        while notebook.answers.lock().unwrap().len() > left
            || store.state().index.next_due().is_none()
        {
            tokio::task::yield_now().await;
        }
        time.advance(Duration::from_secs(1));
    }
    emptied(&store).await;
    assert_eq!(notebook.taken.lock().unwrap().len(), 1);
    assert_eq!(store.state().graves.len(), 0);
}

#[tokio::test]
async fn while_a_token_is_expired_one_entry_a_second_is_tried_and_none_dies() {
    let (clock, time) = Clock::manual();
    let folder = tempfile::tempdir().unwrap();
    for n in 1..=3 {
        plant(folder.path(), n, &format!("k{n}"), "v");
    }
    let store = open(folder.path(), clock.clone());
    let notebook = Notebook::default();
    let expired = || S3Error::answer(400, "ExpiredToken", "no".to_owned());
    notebook.answers.lock().unwrap().extend(std::iter::repeat_with(expired).take(60));
    let breaker = CircuitBreaker::builder("s3").clock(clock).build().unwrap();
    let _drain = Drain::spawn(Arc::clone(&store), breaker, notebook.clone(), 8);
    let left = || notebook.answers.lock().unwrap().len();
    let mut seconds = 0;
    while left() > 0 {
        let before = left();
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
        assert!(before - left() <= 1, "in one second");
        time.advance(Duration::from_secs(1));
        seconds += 1;
        assert!(seconds < 900, "{} answers are left", left());
    }
    assert_eq!(store.state().index.depth(), 3);
    assert_eq!(store.state().graves.len(), 0);
    time.advance(Duration::from_secs(30));
    emptied(&store).await;
    assert_eq!(notebook.taken.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn a_flipped_byte_never_reaches_s3_and_costs_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    for n in 1..=3 {
        plant(folder.path(), n, &format!("k{n}"), "payload");
    }
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let path = file.unwrap().path();
        if path.to_str().unwrap().ends_with("k2") {
            let mut content = std::fs::read(&path).unwrap();
            let place = content.len() - 20;
            content[place] ^= 1;
            std::fs::write(&path, content).unwrap();
        }
    }
    let store = open(folder.path(), Clock::default());
    let notebook = Notebook::default();
    let _drain = Drain::spawn(Arc::clone(&store), CircuitBreaker::new("s3"), notebook.clone(), 8);
    emptied(&store).await;
    let mut keys: Vec<_> =
        notebook.taken.lock().unwrap().iter().map(|(key, _)| key.clone()).collect();
    keys.sort();
    assert_eq!(keys, ["k1", "k3"]);
    assert_eq!(store.state().graves.damaged, 1);
    let aside = std::fs::read_dir(folder.path().join("damaged")).unwrap().count();
    assert_eq!(aside, 2, "the file and its reason");
}
