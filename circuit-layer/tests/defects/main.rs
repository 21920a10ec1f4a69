//! Thirty defects of published circuit breakers, each played as it was found.
//!
//! All were reproduced in one of eight breakers that people use. Each of them reads like a sensible
//! choice until somebody runs into it, so each has its test here, and a rewrite that walks into one
//! of them fails.
//!
//! | in | what went wrong |
//! | --- | --- |
//! | [`windows`] | windows that never slide, cost more with traffic, start blind or count wrong |
//! | [`half_open`] | half-open that admits everybody, or never ends |
//! | [`stale`] | answers of yesterday that decide today |
//! | [`effects`] | dropped and panicked calls, clocks, locks, observers, readiness, keys |

#![expect(
    clippy::unwrap_used,
    clippy::significant_drop_tightening,
    reason = "a test fails by panicking, and names only what it is about"
)]

mod effects;
mod half_open;
mod stale;
mod windows;

use std::time::Duration;

use circuit_layer::{CircuitBreaker, CircuitBreakerBuilder, Clock, HalfOpen, ManualClock};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

fn builder() -> (CircuitBreakerBuilder, ManualClock) {
    let (clock, hand) = Clock::manual();
    (CircuitBreaker::builder("defect").clock(clock), hand)
}

/// Open since a minute ago, so that the next call is the first of so many probes.
fn due(probes: u32) -> (CircuitBreaker, ManualClock) {
    let (builder, hand) = builder();
    let breaker = builder.fail_max(1).half_open(HalfOpen::all(probes)).build().unwrap();
    fail(&breaker, 1);
    hand.advance(MINUTE);
    (breaker, hand)
}

fn fail(breaker: &CircuitBreaker, times: usize) {
    for _ in 0..times {
        breaker.try_acquire().unwrap().failure("x");
    }
}

fn succeed(breaker: &CircuitBreaker, times: usize) {
    for _ in 0..times {
        breaker.try_acquire().unwrap().success();
    }
}

/// Fails until the breaker rejects, and says how often that was.
fn failures_until_open(breaker: &CircuitBreaker) -> usize {
    let mut failures = 0;
    while let Ok(permit) = breaker.try_acquire() {
        permit.failure("x");
        failures += 1;
        assert!(failures < 1_000_000, "it never opens");
    }
    failures
}
