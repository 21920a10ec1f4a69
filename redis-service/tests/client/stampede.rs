//! `get_or_load` while what was loaded is on its way to Redis.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Context, Poll};

use redis_service::{Answer, Error, Redis, Request, Stack, Value};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tower::layer::layer_fn;
use tower_service::Service;

use crate::support::{secs, settle};

/// Holds back the `SET`s, and the answers to `GET`s, until they are let through.
#[derive(Clone)]
struct Slow {
    inner: Stack,
    gates: Gates,
}

#[derive(Clone)]
struct Gates {
    sets: Arc<Semaphore>,
    gets: Arc<Semaphore>,
    holds_gets: Arc<AtomicBool>,
}

impl Service<Request> for Slow {
    type Response = Answer<Value>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Answer<Value>, Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let (is_set, gates) = (matches!(request, Request::Set { .. }), self.gates.clone());
        let holds_get = !is_set && gates.holds_gets.load(Ordering::SeqCst);
        let call = self.inner.call(request);
        Box::pin(async move {
            if is_set {
                gates.sets.acquire().await.unwrap().forget();
            }
            let answer = call.await;
            if holds_get {
                gates.gets.acquire().await.unwrap().forget();
            }
            answer
        })
    }
}

/// Callers of one key, and how often it was loaded.
struct Crowd {
    redis: Redis<Slow>,
    gates: Gates,
    /// What lets a load end.
    source: Arc<Semaphore>,
    loads: Arc<AtomicU32>,
}

impl Crowd {
    fn new() -> Self {
        let gates = Gates {
            sets: Arc::new(Semaphore::new(0)),
            gets: Arc::new(Semaphore::new(0)),
            holds_gets: Arc::default(),
        };
        let slow = layer_fn(|inner| Slow { inner, gates: gates.clone() });
        let redis = Redis::memory().layer(&slow);
        Self { redis, gates, source: Arc::new(Semaphore::new(0)), loads: Arc::default() }
    }

    /// One more caller, who has got as far as it gets.
    async fn caller(&self) -> JoinHandle<String> {
        let (redis, source) = (self.redis.clone(), Arc::clone(&self.source));
        let loads = Arc::clone(&self.loads);
        let caller = tokio::spawn(async move {
            let load = || async {
                loads.fetch_add(1, Ordering::SeqCst);
                source.acquire().await.unwrap().forget();
                Ok::<_, io::Error>("loaded")
            };
            redis.get_or_load("k", secs(60), load).await.unwrap()
        });
        settle().await;
        caller
    }

    /// For any number of calls and loads: what counts is how many there are.
    async fn open(gate: &Semaphore) {
        gate.add_permits(10);
        settle().await;
    }

    fn loads(&self) -> u32 {
        self.loads.load(Ordering::SeqCst)
    }
}

#[tokio::test(start_paused = true)]
async fn who_comes_while_the_value_is_being_set_gets_it_without_a_load() {
    let crowd = Crowd::new();
    let (leader, follower) = (crowd.caller().await, crowd.caller().await);
    Crowd::open(&crowd.source).await;
    assert!(!leader.is_finished() && follower.is_finished());
    let late = crowd.caller().await;
    Crowd::open(&crowd.gates.sets).await;
    for caller in [leader, follower, late] {
        assert!(caller.is_finished());
        assert_eq!(caller.await.unwrap(), "loaded");
    }
    assert_eq!(crowd.loads(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_missed_before_the_value_was_set_looks_again_before_it_loads() {
    let crowd = Crowd::new();
    let leader = crowd.caller().await;
    Crowd::open(&crowd.source).await;
    crowd.gates.holds_gets.store(true, Ordering::SeqCst);
    let late = crowd.caller().await;
    Crowd::open(&crowd.gates.sets).await;
    assert!(leader.is_finished() && !late.is_finished());
    crowd.gates.holds_gets.store(false, Ordering::SeqCst);
    Crowd::open(&crowd.gates.gets).await;
    assert_eq!((late.await.unwrap(), leader.await.unwrap()), ("loaded".into(), "loaded".into()));
    assert_eq!(crowd.loads(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_leader_who_goes_away_while_it_sets_keeps_nobody_from_loading() {
    let crowd = Crowd::new();
    let leader = crowd.caller().await;
    Crowd::open(&crowd.source).await;
    leader.abort();
    settle().await;
    Crowd::open(&crowd.gates.sets).await;
    assert_eq!(crowd.caller().await.await.unwrap(), "loaded");
    assert_eq!(crowd.loads(), 2);
}
