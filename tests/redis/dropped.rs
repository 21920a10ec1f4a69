//! Calls that are given up half-way.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use circuit_layer::State;
use redis_service::ErrorKind;

use crate::support::{assert_kind, millis, start};

/// Polls a call a few times and drops it.
pub(crate) async fn give_up<F: Future>(call: F, polls: u32) {
    let mut call = pin!(call);
    for _ in 0..polls {
        let ready = poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx).is_ready())).await;
        if ready {
            return;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropped_calls_mix_up_no_answers() {
    let (_server, redis) = start().await;
    for n in 0..50 {
        redis.set(format!("k{n}"), n).await.unwrap();
    }
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..8_u32 {
        let redis = redis.clone();
        callers.spawn(async move {
            for n in 0..500_u32 {
                let (dropped, kept) = ((n * 7 + caller) % 50, (n * 13 + caller) % 50);
                give_up(redis.get::<u32>(format!("k{dropped}")), n % 3 + 1).await;
                let answer: Option<u32> = redis.get(format!("k{kept}")).await.unwrap();
                assert_eq!(answer, Some(kept));
            }
        });
    }
    callers.join_all().await;
    let status = redis.get_status();
    assert_eq!((status.pool.in_flight, status.pool.retired), (0, 0));
    assert_eq!(redis.breaker().state(), State::Closed);
}

#[tokio::test]
async fn a_call_that_was_never_polled_is_not_executed() {
    let (_server, redis) = start().await;
    for _ in 0..100 {
        drop(redis.incr("n"));
    }
    assert_eq!(redis.get::<i64>("n").await.unwrap(), None);
}

#[tokio::test]
async fn timed_an_outer_timeout_does_not_hide_a_hung_redis() {
    let (server, redis) = start().await;
    server.stop().unwrap();
    let mut told = 0;
    for _ in 0..5 {
        // Once the connection is given up, a call may learn in time that no other can be had.
        let outer = tokio::time::timeout(millis(300), redis.get::<String>("k"));
        if let Ok(answer) = outer.await {
            assert_kind(&answer.unwrap_err(), ErrorKind::Timeout);
            told += 1;
        }
    }
    assert!(told <= 2, "the deadline of the calls is longer than their callers' patience: {told}");
    assert_eq!(redis.breaker().state(), State::Open);
    assert_eq!(redis.get_status().pool.retired, 1);
    let report = redis.get_health().report;
    assert_eq!((report.successes, report.failures), (0, 5), "the breaker did not open on nothing");
    let [get] = redis.get_status().operations.try_into().unwrap();
    assert_eq!((get.operation, get.success, get.failure, get.rejected), ("get", 0, 5, 0));
    server.cont().unwrap();
    crate::support::until_it_serves(&redis).await;
}

#[tokio::test]
async fn a_call_that_is_given_up_early_is_in_no_count() {
    let (server, redis) = start().await;
    server.stop().unwrap();
    for _ in 0..20 {
        give_up(redis.get::<u32>("k"), 2).await;
    }
    assert_eq!(redis.get_health().report.requests, 0);
    assert!(redis.get_status().operations.is_empty());
    assert_eq!(redis.breaker().state(), State::Closed);
    server.cont().unwrap();
}
