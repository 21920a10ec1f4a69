//! The cases: one service each, built new for each measurement.

use std::future::Future;
use std::hint::black_box;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use circuit_layer::{
    CircuitBreaker, CircuitBreakerLayer, ConsecutiveFailures, FailureRate, TripPolicy, Window,
};
use failsafe::futures::CircuitBreaker as _;
use tower::{Layer, Service, service_fn};

const HOUR: Duration = Duration::from_secs(3_600);

/// Runs so many operations.
pub type Run = Box<dyn FnMut(u64)>;

pub struct Case {
    pub name: &'static str,
    pub new: fn() -> Run,
}

pub const CASES: &[Case] = &[
    Case { name: "bare service", new: || service(inner()) },
    Case { name: "ours, consecutive, closed", new: || ours(ConsecutiveFailures::new(5), 0) },
    Case { name: "failsafe, consecutive, closed", new: || failsafe(false) },
    Case { name: "tower-resilience, consecutive, closed", new: || resilience(false) },
    Case { name: "ours, count 100, clean", new: || ours(count(), 0) },
    Case { name: "recloser, count 100, clean", new: || recloser(false) },
    Case { name: "ours, count 100, 1 in 128 fails", new: || ours(count(), 128) },
    Case { name: "ours, time 10 s", new: || ours(time(), 0) },
    Case { name: "ours, open", new: open },
    Case { name: "failsafe, open", new: || failsafe(true) },
    Case { name: "recloser, open", new: || recloser(true) },
    Case { name: "tower-resilience, open", new: || resilience(true) },
];

pub fn find(name: &str) -> Option<&'static Case> {
    CASES.iter().find(|case| case.name == name)
}

pub fn names() -> Vec<&'static str> {
    CASES.iter().map(|case| case.name).collect()
}

fn count() -> FailureRate {
    FailureRate::new(0.5, Window::calls(100)).min_calls(100)
}

fn time() -> FailureRate {
    FailureRate::new(0.5, Window::time(Duration::from_secs(10))).min_calls(100)
}

/// What fails when it is told to.
fn work(n: u64) -> impl Future<Output = Result<u64, io::Error>> + Send {
    async move { if n == u64::MAX { Err(io::ErrorKind::Other.into()) } else { Ok(n) } }
}

/// What never fails, for the clean cases.
fn inner() -> impl Service<
    u64,
    Response = u64,
    Error = io::Error,
    Future = impl Future<Output = Result<u64, io::Error>> + Send,
> + Clone
+ Send {
    service_fn(|n: u64| ready(black_box(n)))
}

fn ready(n: u64) -> impl Future<Output = Result<u64, io::Error>> + Send {
    async move { Ok(n) }
}

/// Polls to completion, which must be the first poll. In place, because a move of a future is no part
/// of what it costs.
macro_rules! once {
    ($future:expr) => {
        match pin!($future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(answer) => answer,
            Poll::Pending => unreachable!("nothing here waits"),
        }
    };
}

/// Looks at an answer as a caller does, and not at every byte of an error type that it has not got.
#[inline]
fn consume<E>(answer: Result<u64, E>) {
    match answer {
        Ok(value) => black_box(value),
        Err(_) => black_box(0),
    };
}

fn service<S: Service<u64, Response = u64> + 'static>(mut service: S) -> Run {
    Box::new(move |operations| {
        let mut context = Context::from_waker(Waker::noop());
        for n in 0..operations {
            let _ready = service.poll_ready(&mut context);
            consume(once!(service.call(n)));
        }
    })
}

/// Every `every`th call fails.
fn failing<S: Service<u64, Response = u64> + 'static>(mut service: S, every: u64) -> Run {
    Box::new(move |operations| {
        let mut context = Context::from_waker(Waker::noop());
        let mut left = every;
        for n in 0..operations {
            left = left.wrapping_sub(1);
            let fails = left == 0;
            if fails {
                left = every;
            }
            let _ready = service.poll_ready(&mut context);
            consume(once!(service.call(if fails { u64::MAX } else { n })));
        }
    })
}

fn ours<P: TripPolicy + Clone + Sync>(policy: P, every: u64) -> Run {
    let breaker = CircuitBreaker::builder("bench").policy(policy).build().unwrap();
    let layer = CircuitBreakerLayer::new(breaker);
    match every {
        0 => service(layer.layer(inner())),
        _ => failing(layer.layer(service_fn(|n: u64| work(black_box(n)))), every),
    }
}

fn open() -> Run {
    let breaker = CircuitBreaker::builder("bench").fail_max(1).reset_timeout(HOUR).build().unwrap();
    breaker.try_acquire().unwrap().failure("x");
    service(CircuitBreakerLayer::new(breaker).layer(inner()))
}

fn failsafe(open: bool) -> Run {
    let backoff = failsafe::backoff::constant(HOUR);
    let policy = failsafe::failure_policy::consecutive_failures(5, backoff);
    let breaker = failsafe::Config::new().failure_policy(policy).build();
    for _ in 0..if open { 5 } else { 0 } {
        let _failure = once!(breaker.call(work(u64::MAX)));
    }
    Box::new(move |operations| {
        for n in 0..operations {
            consume(once!(breaker.call(ready(black_box(n)))));
        }
    })
}

fn recloser(open: bool) -> Run {
    let breaker = recloser::Recloser::custom().closed_len(100).open_wait(HOUR).build();
    let breaker = recloser::AsyncRecloser::from(breaker);
    for _ in 0..if open { 101 } else { 0 } {
        let _failure = once!(breaker.call(work(u64::MAX)));
    }
    Box::new(move |operations| {
        for n in 0..operations {
            consume(once!(breaker.call(ready(black_box(n)))));
        }
    })
}

/// Its mutex is tokio's and its own readiness may sleep, so it is driven inside a runtime's context.
fn resilience(open: bool) -> Run {
    let runtime = Arc::new(tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap());
    let layer = tower_resilience_circuitbreaker::CircuitBreakerLayer::builder()
        .consecutive_failures(5)
        .wait_duration_in_open(HOUR)
        .build()
        .unwrap();
    let mut run = if open {
        let _guard = runtime.enter();
        let mut layered = layer.layer(service_fn(|n: u64| work(black_box(n))));
        for _ in 0..5 {
            let _ready = layered.poll_ready(&mut Context::from_waker(Waker::noop()));
            let _failure = once!(layered.call(u64::MAX));
        }
        service(layered)
    } else {
        service(layer.layer(inner()))
    };
    Box::new(move |operations| {
        let _guard = runtime.enter();
        run(operations);
    })
}
