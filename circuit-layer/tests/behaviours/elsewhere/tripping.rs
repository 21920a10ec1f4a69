//! When a closed breaker opens, and what it has counted by then.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use circuit_layer::{CircuitBreakerLayer, Event, FailureRate, Outcome, State, Window};
use tower::{Layer, ServiceExt, service_fn};

use super::{SECOND, config_a};
use crate::support::{MS, NS, builder, defaults, fail, rejection, succeed};

#[test]
fn more_than_five_failures_in_a_row_open_it_and_leave_no_count_behind() {
    let (builder, _hand) = builder();
    let breaker = builder.fail_max(6).build().unwrap();
    fail(&breaker, 5);
    assert_eq!((breaker.state(), breaker.snapshot().counts.failed), (State::Closed, 5));
    succeed(&breaker, 1);
    assert_eq!(breaker.snapshot().counts.failed, 0);
    fail(&breaker, 6);
    assert_eq!(breaker.state(), State::Open);
    rejection(&breaker);
    assert_eq!((breaker.snapshot().counts.calls, breaker.snapshot().rejected), (0, 1));
}

#[test]
fn a_success_between_failures_starts_the_row_anew() {
    let (builder, _hand) = builder();
    let breaker = builder.fail_max(3).build().unwrap();
    for streak in [2, 2] {
        fail(&breaker, streak);
        assert_eq!(breaker.state(), State::Closed);
        succeed(&breaker, 1);
    }
    fail(&breaker, 3);
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test]
async fn services_of_different_types_share_one_breaker_and_one_rate() {
    let (breaker, _hand) = defaults();
    let by_value = |status: &Result<u16, io::Error>| match status {
        Ok(503) => Outcome::failure("503"),
        Ok(_) | Err(_) => Outcome::Success,
    };
    let status = CircuitBreakerLayer::new(breaker.clone())
        .classify(by_value)
        .layer(service_fn(|()| async { Ok::<u16, io::Error>(503) }));
    let text = CircuitBreakerLayer::new(breaker.clone())
        .layer(service_fn(|_: &str| async { Err::<String, _>(io::Error::other("down")) }));
    for _ in 0..2 {
        assert!(status.clone().oneshot(()).await.is_ok());
        assert!(text.clone().oneshot("").await.is_err());
    }
    assert_eq!(breaker.state(), State::Closed);
    assert!(status.oneshot(()).await.is_ok());
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn the_fifth_success_evicts_the_failure_from_a_window_of_four() {
    let (builder, _hand) = builder();
    let policy = FailureRate::new(1.0, Window::calls(4)).min_calls(4);
    let breaker = builder.policy(policy).build().unwrap();
    fail(&breaker, 1);
    for (calls, failed) in [(2, 1), (3, 1), (4, 1), (4, 0)] {
        succeed(&breaker, 1);
        let counts = breaker.snapshot().counts;
        assert_eq!((counts.calls, counts.failed), (calls, failed));
    }
}

#[test]
fn a_time_window_holds_what_is_younger_than_it_and_then_nothing() {
    let (builder, hand) = builder();
    let policy = FailureRate::new(1.0, Window::time(5 * SECOND)).min_calls(100);
    let breaker = builder.policy(policy).build().unwrap();
    for pause in [Duration::ZERO, 100 * MS, 700 * MS] {
        hand.advance(pause);
        fail(&breaker, 1);
    }
    hand.advance(4 * SECOND);
    assert_eq!(breaker.snapshot().counts.calls, 3);
    hand.advance(SECOND);
    assert_eq!(breaker.snapshot().counts.calls, 0);
}

#[test]
fn a_clock_that_steps_back_evicts_nothing_from_a_window() {
    let (builder, hand) = builder();
    let policy = FailureRate::new(1.0, Window::time(10 * SECOND)).min_calls(100);
    let breaker = builder.policy(policy).build().unwrap();
    for _ in 0..20 {
        fail(&breaker, 1);
        hand.step_back(SECOND);
    }
    assert_eq!(breaker.snapshot().counts.calls, 20);
    hand.advance(3_600 * SECOND);
    assert_eq!(breaker.snapshot().counts.calls, 0);
}

#[test]
fn in_shadow_five_slow_failures_are_told_of_once() {
    let (breaker, hand) = config_a();
    breaker.observe_only("shadow", None);
    let heard = Arc::new(Mutex::new(0));
    let count = Arc::clone(&heard);
    breaker.observe(move |event: &Event| {
        *count.lock().unwrap() += u32::from(matches!(event, Event::Transition(_)));
    });
    for _ in 0..5 {
        let permit = breaker.try_acquire().unwrap();
        hand.advance(4 * SECOND + NS);
        permit.failure("x");
    }
    assert_eq!((breaker.state(), *heard.lock().unwrap()), (State::Open, 1));
    assert!(breaker.try_acquire().is_ok());
}

#[tokio::test]
async fn an_error_that_counts_as_a_success_still_reaches_the_caller() {
    let (breaker, _hand) = defaults();
    let not_found = |_: &Result<(), io::Error>| Outcome::Success;
    let service = CircuitBreakerLayer::new(breaker.clone())
        .classify(not_found)
        .layer(service_fn(|()| async { Err::<(), _>(io::ErrorKind::NotFound.into()) }));
    for _ in 0..10 {
        let error = service.clone().oneshot(()).await.unwrap_err();
        assert_eq!(error.into_inner().unwrap().kind(), io::ErrorKind::NotFound);
    }
    assert_eq!(breaker.state(), State::Closed);
}
