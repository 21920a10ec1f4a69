//! What the tests of the breaker share.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use circuit_layer::{CircuitBreaker, CircuitBreakerBuilder, Clock, ManualClock, Rejected};

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const MS: Duration = Duration::from_millis(1);
pub(crate) const NS: Duration = Duration::from_nanos(1);

/// A builder on a clock that only the test moves.
pub(crate) fn builder() -> (CircuitBreakerBuilder, ManualClock) {
    let (clock, hand) = Clock::manual();
    (CircuitBreaker::builder("test").clock(clock), hand)
}

/// The defaults on a clock that only the test moves.
pub(crate) fn defaults() -> (CircuitBreaker, ManualClock) {
    let (builder, hand) = builder();
    (builder.build().unwrap(), hand)
}

pub(crate) fn fail(breaker: &CircuitBreaker, times: usize) {
    for _ in 0..times {
        breaker.try_acquire().unwrap().failure("x");
    }
}

pub(crate) fn succeed(breaker: &CircuitBreaker, times: usize) {
    for _ in 0..times {
        breaker.try_acquire().unwrap().success();
    }
}

pub(crate) fn rejection(breaker: &CircuitBreaker) -> Rejected {
    breaker.try_acquire().unwrap_err()
}

/// Open by default rules.
pub(crate) fn tripped() -> (CircuitBreaker, ManualClock) {
    let (breaker, hand) = defaults();
    fail(&breaker, 5);
    (breaker, hand)
}

/// Half-open, with one probe admitted and given back.
pub(crate) fn half_open() -> (CircuitBreaker, ManualClock) {
    let (breaker, hand) = tripped();
    hand.advance(MINUTE);
    drop(breaker.try_acquire().unwrap());
    (breaker, hand)
}

pub(crate) fn boom() -> io::Error {
    io::Error::other("boom")
}

/// Polls once, with a waker that nobody listens to.
pub(crate) fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// Counts from several places.
#[derive(Clone, Debug, Default)]
pub(crate) struct Count(Arc<AtomicUsize>);

impl Count {
    pub(crate) fn up(&self) -> usize {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }

    pub(crate) fn down(&self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }

    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// Lets other threads run until it is so.
pub(crate) fn until(is_so: impl Fn() -> bool) {
    let clock = Clock::default();
    let begin = clock.now();
    while !is_so() {
        assert!(clock.now() - begin < MINUTE, "it never is");
        std::thread::yield_now();
    }
}
