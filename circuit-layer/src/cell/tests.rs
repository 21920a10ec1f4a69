//! What is done without the lock. To do it under the lock would be as right, and several times as dear.

use std::time::Duration;

use crate::{CircuitBreaker, Clock, FailureRate, ManualClock, Window};

fn windowed(window: Window) -> (CircuitBreaker, ManualClock) {
    let (clock, hand) = Clock::manual();
    let policy = FailureRate::new(1.0, window).min_calls(1);
    (CircuitBreaker::builder("cell").policy(policy).clock(clock).build().unwrap(), hand)
}

fn generation(breaker: &CircuitBreaker) -> u64 {
    breaker.cell().word().generation()
}

#[test]
fn a_healthy_breaker_admits_by_its_word_and_a_success_changes_nothing() {
    let breaker = CircuitBreaker::new("cell");
    let now = generation(&breaker);
    assert_eq!(breaker.admits_by_word(), Some(now));
    assert!(breaker.cell().is_pristine(now) && !breaker.cell().is_pristine(now + 1));
    breaker.try_acquire().unwrap().failure("x");
    assert_eq!(breaker.admits_by_word(), Some(now));
    assert!(!breaker.cell().is_pristine(now));
    breaker.force_open("a test", None);
    assert_eq!(breaker.admits_by_word(), None);
}

#[test]
fn successes_of_a_window_of_calls_are_counted_aside_until_it_would_be_clean() {
    let (breaker, _hand) = windowed(Window::calls(10));
    let now = generation(&breaker);
    assert!(!breaker.cell().count_aside(now), "the one that completes `min_calls` may trip");
    breaker.try_acquire().unwrap().success();
    assert!(!breaker.cell().count_aside(now + 1), "of another generation");
    assert!((0..8).all(|_| breaker.cell().count_aside(now)));
    assert!(!breaker.cell().count_aside(now));
    assert_eq!(breaker.snapshot().counts.calls, 9);
}

#[test]
fn successes_of_a_window_of_time_are_counted_aside_until_the_sub_bucket_ends() {
    let (breaker, hand) = windowed(Window::time(Duration::from_secs(10)));
    breaker.try_acquire().unwrap().success();
    let now = generation(&breaker);
    assert!((0..100).all(|_| breaker.cell().count_aside(now)));
    hand.advance(Duration::from_nanos(999_999_999));
    assert!(breaker.cell().count_aside(now));
    hand.advance(Duration::from_nanos(1));
    assert!(!breaker.cell().count_aside(now), "the next second is the next sub-bucket");
    assert_eq!(breaker.snapshot().counts.calls, 102);
}
