//! Probes settle at the headers.

use circuit_layer::State;
use http::Response;

use crate::support::Step::{Break, Data, Wait};
use crate::support::{MINUTE, Script, answer, drain, script, status, tripped};

#[tokio::test]
async fn a_slow_reader_holds_no_slot() {
    let (breaker, _) = tripped(1);
    let unread = answer(&breaker, Response::new(script([Data("a"), Wait]))).await;
    assert_eq!(breaker.state(), State::Closed, "the one probe is done at its headers");
    drop(unread);
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test]
async fn a_body_that_breaks_while_others_probe_opens_it_again() {
    let (breaker, _) = tripped(2);
    let mut first = answer(&breaker, Response::new(script([Data("a"), Break]))).await;
    assert_eq!(breaker.state(), State::HalfOpen);
    assert_eq!(breaker.snapshot().probes_in_flight, 0);
    drain(first.body_mut());
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test]
async fn a_body_that_breaks_after_the_recovery_is_a_failure_of_the_closed_state() {
    let (breaker, _) = tripped(1);
    let mut probe = answer(&breaker, Response::new(script([Data("a"), Break]))).await;
    assert_eq!(breaker.state(), State::Closed);
    drain(probe.body_mut());
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test]
async fn the_end_of_the_body_counts_no_second_time() {
    let (breaker, _) = tripped(2);
    let mut probe = answer(&breaker, Response::new(script([Data("a")]))).await;
    drain(probe.body_mut());
    assert_eq!(breaker.state(), State::HalfOpen);
    assert_eq!(breaker.snapshot().probes_succeeded, 1);
}

#[tokio::test]
async fn failing_headers_fail_the_probe() {
    let (breaker, _) = tripped(2);
    answer(&breaker, status(503).body(Script::default()).unwrap()).await;
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test]
async fn a_long_body_lets_no_lease_lapse() {
    let (breaker, hand) = tripped(2);
    let reading = answer(&breaker, Response::new(script([Data("a"), Wait]))).await;
    hand.advance(MINUTE * 17);
    assert_eq!(breaker.snapshot().leases_expired, 0);
    assert_eq!(breaker.state(), State::HalfOpen);
    drop(reading);
    assert_eq!(breaker.state(), State::HalfOpen);
}
