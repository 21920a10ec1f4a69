//! A drain that has nothing to do: what it costs while it waits.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use circuit_layer::{CircuitBreaker, Clock, ManualClock};
use tempfile::TempDir;
use tokio::sync::watch;

use super::Run;
use crate::error::S3Error;
use crate::response::{Stored, Written};
use crate::spool::claim::Uplink;
use crate::spool::handle::Spool;
use crate::spool::intake::Write;
use crate::spool::pace::Pace;
use crate::spool::store::Store;
use crate::spool::tests::{open, plant};

/// How often a drain may ask to be polled again before it is one that spins.
const PATIENCE: usize = 20;

/// An S3 that answers when the test says so.
#[derive(Clone, Debug)]
struct Slow(watch::Receiver<bool>);

impl Uplink for Slow {
    async fn send(&self, _write: Write) -> Result<Written, S3Error> {
        let mut answers = self.0.clone();
        answers.wait_for(|answers| *answers).await.unwrap();
        Ok(Written::Stored(Stored::default()))
    }
}

#[derive(Debug, Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// A drain that is polled by hand, of the entries `k1` and `k2`.
struct Rig {
    _folder: TempDir,
    store: Arc<Store>,
    time: ManualClock,
    s3: watch::Sender<bool>,
    run: Pin<Box<dyn Future<Output = ()>>>,
    woken: Arc<Woken>,
}

impl Rig {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for n in 1..=2 {
            plant(folder.path(), n, &format!("k{n}"), "v");
        }
        let (clock, time) = Clock::manual();
        let store = open(folder.path(), clock.clone());
        let breaker = CircuitBreaker::builder("s3").clock(clock).build().unwrap();
        let (s3, answers) = watch::channel(false);
        let (uplink, pace) = (Slow(answers), Pace::new(1));
        let run = Run { store: Arc::clone(&store), breaker, uplink, pace, hold: None };
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        Self { _folder: folder, store, time, s3, run: Box::pin(run.run()), woken }
    }

    /// Lets an entry rest for a second.
    fn rests(&self, key: &str) {
        let mut state = self.store.state();
        let id = state.index.newest(key).map(|(id, _)| id).unwrap();
        state.index.give_back(id, Some(self.store.now() + Duration::from_secs(1)), false);
    }

    /// Polls the drain as long as it asks for it; whether it is over.
    async fn settle(&mut self) -> Poll<()> {
        let waker = Waker::from(Arc::clone(&self.woken));
        for _ in 0..PATIENCE {
            // So that its flights move, and with a budget of its own for each poll.
            tokio::task::yield_now().await;
            if !self.woken.0.swap(false, Ordering::SeqCst) {
                return Poll::Pending;
            }
            let polled = self.run.as_mut().poll(&mut Context::from_waker(&waker));
            if polled.is_ready() {
                return polled;
            }
        }
        panic!("it asks to be polled again and again");
    }
}

#[tokio::test]
async fn a_rest_that_ends_while_all_that_may_fly_flies_is_waited_out_without_spinning() {
    let mut rig = Rig::new();
    rig.rests("k2");
    assert_eq!(rig.settle().await, Poll::Pending);
    assert_eq!(rig.store.state().index.claimed(), 1, "k1 is on its way");
    rig.time.advance(Duration::from_secs(2));
    assert_eq!(rig.settle().await, Poll::Pending);

    rig.s3.send_replace(true);
    while rig.store.state().index.depth() > 0 {
        assert_eq!(rig.settle().await, Poll::Pending, "k2 is next");
    }
}

#[tokio::test]
async fn a_drain_ends_when_its_spool_is_closed() {
    let mut rig = Rig::new();
    rig.rests("k1");
    rig.rests("k2");
    assert_eq!(rig.settle().await, Poll::Pending);
    Spool::new(Arc::clone(&rig.store)).close().await.unwrap();
    rig.time.advance(Duration::from_secs(2));
    assert_eq!(rig.settle().await, Poll::Ready(()));
    assert_eq!(rig.store.state().index.depth(), 2, "for the next start");
}

#[tokio::test]
async fn a_drain_whose_spool_is_closed_lands_what_is_on_its_way_and_begins_nothing() {
    let mut rig = Rig::new();
    assert_eq!(rig.settle().await, Poll::Pending);
    assert_eq!(rig.store.state().index.claimed(), 1, "k1 is on its way");
    let spool = Spool::new(Arc::clone(&rig.store));
    let close = tokio::spawn(async move { spool.close().await });
    while !rig.store.state().closed {
        tokio::task::yield_now().await;
    }
    assert_eq!(rig.settle().await, Poll::Pending, "it has not landed");
    rig.s3.send_replace(true);
    close.await.unwrap().unwrap();
    let over = async { while rig.settle().await.is_pending() {} };
    assert!(tokio::time::timeout(Duration::from_secs(20), over).await.is_ok(), "it goes on");
    assert!(!rig.store.state().index.holds("k1"), "it has landed");
    assert!(rig.store.state().index.holds("k2"));
}
