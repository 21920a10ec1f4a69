//! A drain beside which nobody calls: how it finds out that S3 is back.

use std::sync::Arc;
use std::time::Duration;

use circuit_layer::{ActiveProbe, CircuitBreaker, Clock, ManualClock, State};
use tempfile::TempDir;
use tokio::sync::watch;

use super::Drain;
use super::tests::emptied;
use crate::spool::store::Store;
use crate::spool::tests::{Notebook, open, plant};

const WAIT: Duration = Duration::from_secs(600);

/// A queue of so many entries, behind an open breaker that has S3 asked.
struct Alone {
    _folder: TempDir,
    store: Arc<Store>,
    time: ManualClock,
    breaker: CircuitBreaker,
    /// Whether S3 is there.
    s3: watch::Sender<bool>,
    notebook: Notebook,
    _drain: Drain,
}

impl Alone {
    fn new(entries: u64) -> Self {
        let (clock, time) = Clock::manual();
        let folder = tempfile::tempdir().unwrap();
        for n in 1..=entries {
            plant(folder.path(), n, &format!("k{n}"), "v");
        }
        let store = open(folder.path(), clock.clone());
        let s3 = watch::Sender::new(false);
        let answers = s3.subscribe();
        let probe = ActiveProbe::new(move || {
            let answers = *answers.borrow();
            async move { if answers { Ok(()) } else { Err(()) } }
        });
        let builder = CircuitBreaker::builder("s3").clock(clock).reset_timeout(WAIT);
        let breaker = builder.active_probe(probe).build().unwrap();
        while breaker.state() == State::Closed {
            breaker.try_acquire().unwrap().failure("timeout");
        }
        let notebook = Notebook::default();
        let drain = Drain::spawn(Arc::clone(&store), breaker.clone(), notebook.clone(), 8);
        Self { _folder: folder, store, time, breaker, s3, notebook, _drain: drain }
    }

    /// Lets so many seconds pass.
    async fn pass(&self, seconds: u32) {
        for _ in 0..seconds {
            self.time.advance(Duration::from_secs(1));
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
        }
    }
}

#[tokio::test]
async fn a_queue_beside_which_nobody_calls_finds_out_within_seconds_that_s3_is_back() {
    let alone = Alone::new(1);
    alone.pass(30).await;
    let wait = alone.breaker.snapshot().retry_after;
    assert_eq!(wait, Some(WAIT), "S3 was asked a moment ago, and did not answer");
    assert_eq!(alone.breaker.state(), State::Open);

    alone.s3.send_replace(true);
    alone.pass(2).await;
    emptied(&alone.store).await;
    assert_eq!(alone.notebook.taken.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn for_an_empty_queue_nobody_is_asked() {
    let alone = Alone::new(0);
    alone.s3.send_replace(true);
    alone.pass(30).await;
    let (snapshot, passed) = (alone.breaker.snapshot(), Duration::from_secs(30));
    assert_eq!((snapshot.rejected, snapshot.retry_after), (0, Some(WAIT - passed)));
}
