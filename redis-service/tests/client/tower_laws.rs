//! The fallback keeps the laws of tower, over a service that panics when they are broken.

use std::future::{Ready, ready};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use redis_service::{
    Error, FallbackConfig, FallbackLayer, Operation, RedisError, Request, SetOptions, Source, Value,
};
use tower::{Layer, Service, ServiceExt};

use crate::support::secs;

/// Answers every request with `v` unless it is told to fail; readiness is used once and not cloned.
#[derive(Default)]
struct Strict {
    ready: bool,
    fails: Arc<AtomicBool>,
    polled: Arc<AtomicU32>,
    calls: Arc<Mutex<Vec<Operation>>>,
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        let (fails, polled) = (Arc::clone(&self.fails), Arc::clone(&self.polled));
        Self { ready: false, fails, polled, calls: Arc::clone(&self.calls) }
    }
}

impl Service<Request> for Strict {
    type Response = Value;
    type Error = Error;
    type Future = Ready<Result<Value, Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.polled.fetch_add(1, Ordering::SeqCst);
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called without having been readied");
        self.calls.lock().unwrap().push(request.operation());
        let failed = RedisError::Timeout { maybe_applied: false, after: secs(1) };
        ready(if self.fails.load(Ordering::SeqCst) {
            Err(failed.into())
        } else {
            Ok(Value::BulkString(b"v".to_vec()))
        })
    }
}

fn get() -> Request {
    Request::Get { key: "k".into() }
}

fn set() -> Request {
    Request::Set { key: "k".into(), value: "local".into(), options: SetOptions::new() }
}

#[tokio::test]
async fn what_was_readied_is_what_is_called() {
    let inner = Strict::default();
    let config = FallbackConfig::new().local_writes(true);
    let mut service = FallbackLayer::new(config).layer(inner.clone());
    for fails in [false, true, false, false] {
        inner.fails.store(fails, Ordering::SeqCst);
        for request in [get(), set(), Request::Ping] {
            let answer = service.ready().await.unwrap().call(request).await;
            assert!(answer.is_ok() || fails);
        }
    }
}

#[tokio::test]
async fn the_deletion_of_what_was_written_locally_goes_first_and_is_readied_too() {
    let inner = Strict::default();
    let config = FallbackConfig::new().local_writes(true);
    let mut service = FallbackLayer::new(config).layer(inner.clone());
    inner.fails.store(true, Ordering::SeqCst);
    let local = service.ready().await.unwrap().call(set()).await.unwrap();
    assert_eq!(local.source, Source::Local);
    inner.fails.store(false, Ordering::SeqCst);
    let answer = service.ready().await.unwrap().call(get()).await.unwrap();
    assert_eq!(answer.source, Source::Redis);
    let calls = inner.calls.lock().unwrap().clone();
    assert_eq!(calls, [Operation::Set, Operation::Delete, Operation::Get]);
}

#[tokio::test]
async fn a_clone_of_a_readied_service_is_not_ready() {
    let inner = Strict::default();
    let mut service = FallbackLayer::new(FallbackConfig::new()).layer(inner.clone());
    service.ready().await.unwrap();
    let polled = inner.polled.load(Ordering::SeqCst);
    service.clone().oneshot(get()).await.unwrap();
    assert_eq!(inner.polled.load(Ordering::SeqCst), polled + 1, "the clone asked for itself");
    service.call(get()).await.unwrap();
}

#[tokio::test]
async fn one_layer_is_one_memory_and_another_is_another() {
    let inner = Strict::default();
    let (one, other) =
        (FallbackLayer::new(FallbackConfig::new()), FallbackLayer::new(FallbackConfig::new()));
    one.layer(inner.clone()).oneshot(get()).await.unwrap();
    inner.fails.store(true, Ordering::SeqCst);
    let answer = one.layer(inner.clone()).oneshot(get()).await.unwrap();
    assert_eq!((answer.value, answer.source), (Value::BulkString(b"v".to_vec()), Source::Memory));
    other.layer(inner.clone()).oneshot(get()).await.unwrap_err();
}

#[tokio::test]
async fn a_call_that_is_dropped_before_its_first_poll_leaves_nothing_behind() {
    let inner = Strict::default();
    let mut service = FallbackLayer::new(FallbackConfig::new()).layer(inner.clone());
    service.ready().await.unwrap().call(get()).await.unwrap();
    for _ in 0..100 {
        drop(service.ready().await.unwrap().call(set()));
        drop(service.ready().await.unwrap().call(get()));
    }
    service.ready().await.unwrap().call(get()).await.unwrap();
    inner.fails.store(true, Ordering::SeqCst);
    let answer = service.ready().await.unwrap().call(get()).await.unwrap();
    assert_eq!(answer.source, Source::Memory, "and the key is remembered again");
}
