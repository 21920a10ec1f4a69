//! What is done without the lock. To do it under the lock would be as right, and several times as dear.

use std::time::Duration;

use crate::sync::lock;
use crate::{ActiveProbe, CircuitBreaker, Clock, FailureRate, ManualClock, State, Window};

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

/// What `act` comes to while somebody else holds the lock. Fails if it waits for him.
fn without_the_lock<R: Send>(breaker: &CircuitBreaker, act: impl FnOnce() -> R + Send) -> R {
    let held = lock(&breaker.cell().core);
    std::thread::scope(|scope| {
        let acting = scope.spawn(act);
        let clock = Clock::default();
        let begin = clock.now();
        while !acting.is_finished() && clock.now() - begin < Duration::from_secs(10) {
            std::thread::yield_now();
        }
        let finished = acting.is_finished();
        drop(held);
        assert!(finished, "it waits for the lock");
        acting.join().unwrap()
    })
}

#[test]
fn a_call_of_a_healthy_breaker_takes_no_lock() {
    let breaker = CircuitBreaker::new("cell");
    without_the_lock(&breaker, || breaker.try_acquire().unwrap().success());
    let (windowed, _hand) = windowed(Window::calls(10));
    windowed.try_acquire().unwrap().success();
    without_the_lock(&windowed, || windowed.try_acquire().unwrap().success());
    assert_eq!(windowed.snapshot().counts.calls, 2);
}

#[test]
fn a_rejection_while_open_takes_no_lock_unless_an_active_probe_is_due() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let reject = |breaker: &CircuitBreaker| {
        let _inside = runtime.enter();
        assert!(breaker.try_acquire().is_err());
        breaker.state()
    };
    let forever = ActiveProbe::new(std::future::pending::<Result<(), ()>>);
    let config = || CircuitBreaker::builder("cell").fail_max(1);
    for builder in [config(), config().active_probe(forever)] {
        let breaker = builder.build().unwrap();
        breaker.try_acquire().unwrap().failure("x");
        // The first may start the active probe.
        reject(&breaker);
        assert_eq!(without_the_lock(&breaker, || reject(&breaker)), State::Open);
    }
}

#[test]
fn only_a_breaker_that_waits_by_itself_lets_an_active_probe_start_and_only_one() {
    let forever = ActiveProbe::new(std::future::pending::<Result<(), ()>>);
    let config = CircuitBreaker::builder("cell").fail_max(1).active_probe(forever);
    let breaker = config.build().unwrap();
    let claims = || breaker.cell().claim_active_probe(breaker.now()).is_some();
    assert!(!claims(), "closed");
    breaker.force_open("a test", None);
    assert!(!claims(), "held open");
    breaker.release("a test");
    assert!(!claims(), "half-open");
    breaker.observe_only("a test", None);
    breaker.try_acquire().unwrap().failure("x");
    assert_eq!(breaker.state(), State::Open);
    assert!(!claims(), "in shadow");
    breaker.reset("a test");
    breaker.try_acquire().unwrap().failure("x");
    assert!(claims() && !claims());
}

#[test]
fn a_rejection_is_the_same_with_and_without_the_lock() {
    let tripped = CircuitBreaker::builder("cell").fail_max(1).build().unwrap();
    tripped.try_acquire().unwrap().failure("x");
    let (held, limited) = (CircuitBreaker::new("cell"), CircuitBreaker::new("cell"));
    held.force_open("a test", None);
    limited.force_open("a test", Some(Duration::from_secs(9)));
    for (breaker, ends) in [(tripped, true), (held, false), (limited, true)] {
        let (cell, now) = (breaker.cell(), breaker.now());
        let refusal = cell.shut_until(now);
        assert_eq!(refusal.map(|refusal| refusal.until.is_some()), Some(ends));
        assert_eq!(cell.forecast(now), refusal);
    }
}

#[test]
fn the_time_is_read_without_the_lock_on_any_clock_that_is_no_test_s() {
    for clock in [Clock::default(), Clock::coarse()] {
        let breaker = CircuitBreaker::builder("cell").clock(clock.clone()).build().unwrap();
        let before = clock.now();
        let now = without_the_lock(&breaker, || breaker.cell().now());
        assert!(before <= now && now <= clock.now());
    }
}
