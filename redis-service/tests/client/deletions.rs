//! Who waits for the deletion of what was written locally, and what becomes of it when they go away.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use redis_service::{
    Answer, Error, FallbackConfig, FallbackLayer, Operation, RedisError, Request, SetOptions,
    Source, Value,
};
use tokio::sync::Notify;
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::support::{secs, settle};

/// Answers at once; a `DEL` when the gate is opened for it.
#[derive(Clone, Default)]
struct Gated {
    fails: Arc<AtomicBool>,
    gate: Arc<Notify>,
    calls: Arc<Mutex<Vec<Operation>>>,
}

impl Gated {
    async fn answer(self, request: Request) -> Result<Value, Error> {
        self.calls.lock().unwrap().push(request.operation());
        if matches!(request, Request::Delete { .. }) {
            self.gate.notified().await;
        }
        if self.fails.load(Ordering::SeqCst) {
            return Err(RedisError::Timeout { maybe_applied: false, after: secs(1) }.into());
        }
        Ok(Value::BulkString(b"v".to_vec()))
    }

    fn calls(&self) -> Vec<Operation> {
        self.calls.lock().unwrap().clone()
    }

    fn deletions(&self) -> usize {
        self.calls().iter().filter(|call| **call == Operation::Delete).count()
    }
}

fn get(key: &'static str) -> Request {
    Request::Get { key: key.into() }
}

type Outcome = Result<Answer<Value>, Error>;

/// A fallback over it, with `k` written locally.
fn fallback(
    inner: &Gated,
) -> impl Service<Request, Response = Answer<Value>, Error = Error, Future: Send> + Clone + Send + use<>
{
    let (answers, config) = (inner.clone(), FallbackConfig::new().local_writes(true));
    let layer = FallbackLayer::new(config);
    let service = layer.layer(service_fn(move |request| answers.clone().answer(request)));
    inner.fails.store(true, Ordering::SeqCst);
    let (key, value) = ("k".into(), "local".into());
    let set = Request::Set { key, value, options: SetOptions::new() };
    let Poll::Ready(Ok(answer)) = poll(pin!(service.clone().oneshot(set))) else { panic!() };
    assert_eq!(answer.source, Source::Local);
    inner.fails.store(false, Ordering::SeqCst);
    service
}

fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn is_from_redis(outcome: &Poll<Outcome>) -> bool {
    matches!(outcome, Poll::Ready(Ok(answer)) if answer.source == Source::Redis)
}

#[test]
fn outside_of_a_runtime_whoever_waits_takes_the_deletion_over_from_one_who_goes_away() {
    let inner = Gated::default();
    let service = fallback(&inner);
    let mut first = Box::pin(service.clone().oneshot(get("k")));
    let mut second = pin!(service.oneshot(get("k")));
    assert!(poll(first.as_mut()).is_pending() && poll(second.as_mut()).is_pending());
    drop(first);
    inner.gate.notify_one();
    assert!(is_from_redis(&poll(second)));
    assert_eq!(inner.calls(), [Operation::Set, Operation::Delete, Operation::Get]);
}

#[test]
fn a_deletion_that_nobody_waits_for_any_more_is_begun_anew() {
    let inner = Gated::default();
    let service = fallback(&inner);
    for _ in 0..3 {
        let mut given_up = Box::pin(service.clone().oneshot(get("k")));
        assert!(poll(given_up.as_mut()).is_pending());
    }
    inner.gate.notify_one();
    assert!(is_from_redis(&poll(pin!(service.oneshot(get("k"))))));
    assert_eq!(inner.deletions(), 4);
}

#[tokio::test]
async fn in_a_runtime_it_goes_on_when_all_callers_have_gone_away() {
    let inner = Gated::default();
    let service = fallback(&inner);
    let mut given_up = Box::pin(service.clone().oneshot(get("k")));
    assert!(poll(given_up.as_mut()).is_pending());
    drop(given_up);
    inner.gate.notify_one();
    settle().await;
    service.oneshot(get("k")).await.unwrap();
    assert_eq!(inner.calls(), [Operation::Set, Operation::Delete, Operation::Get]);
}

#[tokio::test]
async fn no_call_of_another_key_waits_for_it() {
    let inner = Gated::default();
    let service = fallback(&inner);
    for _ in 0..3 {
        // The first shows that Redis answers, the second sets the deletion off.
        assert!(is_from_redis(&poll(pin!(service.clone().oneshot(get("other"))))));
        settle().await;
    }
    let mut waits = pin!(service.clone().oneshot(get("k")));
    assert!(poll(waits.as_mut()).is_pending());
    inner.gate.notify_one();
    assert_eq!(waits.await.unwrap().source, Source::Redis);
    assert_eq!(inner.deletions(), 1);
}

#[tokio::test]
async fn all_who_wait_share_its_failure_and_those_who_come_at_once_do_too() {
    let inner = Gated::default();
    let service = fallback(&inner);
    inner.fails.store(true, Ordering::SeqCst);
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..20 {
        callers.spawn(service.clone().oneshot(get("k")));
    }
    settle().await;
    inner.gate.notify_one();
    for answer in callers.join_all().await {
        assert_eq!(answer.unwrap().source, Source::Local);
    }
    assert_eq!(service.oneshot(get("k")).await.unwrap().source, Source::Local);
    assert_eq!(inner.calls(), [Operation::Set, Operation::Delete]);
}
