//! Our breaker.

use std::hint::black_box;
use std::time::Duration;

use circuit_layer::{
    CircuitBreaker, CircuitBreakerBuilder, CircuitBreakerLayer, Clock, ConsecutiveFailures,
    FailureRate, TripPolicy, Window,
};
use tower::{Layer, service_fn};

use super::drive::{Run, Target, driven_with_failures, inner, pending_once, work};

const HOUR: Duration = Duration::from_secs(3_600);

fn builder() -> CircuitBreakerBuilder {
    CircuitBreaker::builder("bench")
}

fn layer(policy: impl TripPolicy + Clone + Sync) -> CircuitBreakerLayer {
    CircuitBreakerLayer::new(builder().policy(policy).build().unwrap())
}

fn rate(window: Window) -> FailureRate {
    FailureRate::new(0.5, window).min_calls(100)
}

pub fn consecutive() -> impl Target {
    layer(ConsecutiveFailures::new(5)).layer(inner())
}

pub fn pending() -> impl Target {
    layer(ConsecutiveFailures::new(5)).layer(pending_once())
}

pub fn count() -> impl Target {
    layer(rate(Window::calls(100))).layer(inner())
}

pub fn failing(every: u64) -> [Run; 2] {
    let service = layer(rate(Window::calls(100))).layer(service_fn(|n: u64| work(black_box(n))));
    [driven_with_failures(service.clone(), every), driven_with_failures(service, every)]
}

pub fn time(clock: Clock) -> impl Target {
    let policy = rate(Window::time(Duration::from_secs(10)));
    let breaker = builder().policy(policy).clock(clock).build().unwrap();
    CircuitBreakerLayer::new(breaker).layer(inner())
}

pub fn open(clock: Clock) -> impl Target {
    let breaker = builder().fail_max(1).reset_timeout(HOUR).clock(clock).build().unwrap();
    breaker.try_acquire().unwrap().failure("x");
    CircuitBreakerLayer::new(breaker).layer(inner())
}
