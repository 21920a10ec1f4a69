//! The peers, each as its own documentation sets it up.

use std::future::Future;
use std::hint::black_box;
use std::io;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use failsafe::futures::CircuitBreaker as _;
use seatbelt::breaker::Breaker;
use seatbelt::{RecoveryInfo, ResilienceContext};
use tower::{Layer, Service, service_fn};

use super::drive::{Run, both, consume, driven, driven_in_task, inner, once, ready, work};

const HOUR: Duration = Duration::from_secs(3_600);

/// Two callers that are made alike.
fn twice(mut new: impl FnMut() -> Run) -> [Run; 2] {
    [new(), new()]
}

pub fn failsafe(open: bool) -> [Run; 2] {
    let backoff = failsafe::backoff::constant(HOUR);
    let policy = failsafe::failure_policy::consecutive_failures(5, backoff);
    let breaker = failsafe::Config::new().failure_policy(policy).build();
    for _ in 0..if open { 5 } else { 0 } {
        let _failure = once!(breaker.call(work(u64::MAX)));
    }
    twice(|| {
        let breaker = breaker.clone();
        Box::new(move |operations| {
            for n in 0..operations {
                consume(once!(breaker.call(ready(black_box(n)))));
            }
        })
    })
}

/// It has no services, so the failures are told to the future that it wraps.
pub fn recloser(open: bool, every: u64) -> [Run; 2] {
    let breaker = recloser::Recloser::custom().closed_len(100).open_wait(HOUR).build();
    let breaker = recloser::AsyncRecloser::from(breaker);
    for _ in 0..if open { 101 } else { 0 } {
        let _failure = once!(breaker.call(work(u64::MAX)));
    }
    twice(|| {
        let breaker = breaker.clone();
        let mut left = every;
        Box::new(move |operations| {
            for n in 0..operations {
                if every == 0 {
                    consume(once!(breaker.call(ready(black_box(n)))));
                    continue;
                }
                left -= 1;
                let fails = left == 0;
                if fails {
                    left = every;
                }
                consume(once!(breaker.call(work(black_box(if fails { u64::MAX } else { n })))));
            }
        })
    })
}

/// It knows rates over time alone: 10 s, half of at least 100 calls.
pub fn seatbelt(open: bool) -> [Run; 2] {
    let runtime = Arc::new(tokio::runtime::Runtime::new().unwrap());
    let guard = runtime.enter();
    let context = ResilienceContext::new(tick::Clock::new_tokio());
    let judge = |answer: &io::Result<u64>, _: seatbelt::breaker::RecoveryArgs| match answer {
        Ok(_) => RecoveryInfo::never(),
        Err(_) => RecoveryInfo::retry(),
    };
    let layer = Breaker::layer("bench", &context)
        .failure_threshold(0.5)
        .min_throughput(100)
        .sampling_duration(Duration::from_secs(10))
        .break_duration(HOUR)
        .recovery_with(judge)
        .rejected_input_error(|_, _| io::Error::from(io::ErrorKind::NotConnected));
    let runs = if open {
        let mut service = layer.layer(service_fn(|n: u64| work(black_box(n))));
        for _ in 0..100 {
            let _failure = once!(service.call(u64::MAX));
        }
        both(service, driven)
    } else {
        both(layer.layer(inner()), driven)
    };
    drop(guard);
    runs.map(|run| within(&runtime, run))
}

/// Its mutex is tokio's and may make a call wait, so it is driven in a task.
pub fn tower_resilience(open: bool) -> [Run; 2] {
    let layer = tower_resilience_circuitbreaker::CircuitBreakerLayer::builder()
        .consecutive_failures(5)
        .wait_duration_in_open(HOUR)
        .build()
        .unwrap();
    if !open {
        return both(layer.layer(inner()), driven_in_task);
    }
    let mut service = layer.layer(service_fn(|n: u64| work(black_box(n))));
    for _ in 0..5 {
        let _ready = service.poll_ready(&mut Context::from_waker(Waker::noop()));
        let _failure = once!(service.call(u64::MAX));
    }
    both(service, driven_in_task)
}

/// Its clock is tokio's.
fn within(runtime: &Arc<tokio::runtime::Runtime>, mut run: Run) -> Run {
    let runtime = Arc::clone(runtime);
    Box::new(move |operations| {
        let _guard = runtime.enter();
        run(operations);
    })
}
