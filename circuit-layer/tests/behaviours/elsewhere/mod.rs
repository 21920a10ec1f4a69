//! What the test suites of other breakers pin down, with their numbers, where no other file has it.

mod recovery;
mod tripping;

use std::time::Duration;

use circuit_layer::{
    CircuitBreaker, FailureRate, HalfOpen, ManualClock, SlowCallRate, TripPolicy, Window,
};

use crate::support::builder;

const SECOND: Duration = Duration::from_secs(1);

/// 50 % of 20 s and at least 5 calls; 4 probes judged by the same rate; a wait of 5 s.
fn config_a() -> (CircuitBreaker, ManualClock) {
    let (builder, hand) = builder();
    let window = Window::time(20 * SECOND);
    let policy =
        FailureRate::new(0.5, window)
            .min_calls(5)
            .or(SlowCallRate::new(0.5, 4 * SECOND, window).min_calls(5));
    let breaker = builder
        .policy(policy)
        .half_open(HalfOpen::rate(4, 0.5))
        .reset_timeout(5 * SECOND)
        .build()
        .unwrap();
    (breaker, hand)
}
