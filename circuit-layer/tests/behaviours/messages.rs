//! What people read: in logs, on pages and in the errors that callers pass on.

use std::error::Error as _;
use std::fmt::Display;

use circuit_layer::health::Status;
use circuit_layer::{Cause, CircuitBreaker, Error, Rejected, State};

use crate::support::{boom, defaults, half_open, rejection, tripped};

fn check(said: &impl Display, expected: &str) {
    assert_eq!(said.to_string(), expected);
}

#[test]
fn a_cause_says_what_happened() {
    check(&Cause::ConsecutiveFailures(5), "5 consecutive failures");
    check(&Cause::FailureRate(50), "50 % of calls failed");
    check(&Cause::SlowCallRate(50), "50 % of calls were slow");
    check(&Cause::FailedOrSlow(50), "50 % of calls failed or were slow");
    check(&Cause::Custom(7), "custom policy, code 7");
    check(&Cause::ProbeFailed, "a probe failed");
    check(&Cause::LeaseExpired, "a probe did not answer within its lease");
    check(&Cause::WaitOver, "the wait is over");
    check(&Cause::Recovered, "the probes succeeded");
    check(&Cause::Manual, "an operator's order");
    check(&Cause::LimitReached, "the time limit of an order ran out");
    check(&Cause::Released, "the last handle was dropped");
}

#[test]
fn states_and_statuses_have_one_word_each() {
    for (state, word) in
        [(State::Closed, "closed"), (State::Open, "open"), (State::HalfOpen, "half-open")]
    {
        check(&state, word);
    }
    for (status, word) in Status::ALL.iter().zip(["success", "failure", "rejected"]) {
        check(status, word);
    }
}

#[test]
fn a_rejection_says_who_why_and_when_to_come_back() {
    let (open, _hand) = tripped();
    let text = "circuit breaker `test` is open (5 consecutive failures), retry after 60s";
    check(&rejection(&open), text);
    let (forced, _hand) = defaults();
    forced.force_open("maintenance", None);
    check(&rejection(&forced), "circuit breaker `test` is forced open (an operator's order)");
    let (busy, _hand) = half_open();
    let _probes: Vec<_> = (0..3).map(|_| busy.try_acquire().unwrap()).collect();
    check(
        &rejection(&busy),
        "circuit breaker `test` is half-open and every probe is out (5 consecutive failures)",
    );
}

#[test]
fn an_error_says_whether_the_call_was_made_and_its_source_says_the_rest() {
    let breaker = CircuitBreaker::new("test");
    breaker.force_open("maintenance", None);
    let rejected = rejection(&breaker);
    let not_made = Error::<std::io::Error>::from(rejected);
    check(&not_made, "the call was not made");
    assert_eq!(not_made.source().and_then(|source| source.downcast_ref()), Some(&rejected));
    assert_eq!(not_made.rejected(), Some(&rejected));
    assert!(not_made.into_inner().is_none());

    let failed = Error::Inner(boom());
    check(&failed, "the call failed");
    check(&failed.source().unwrap(), "boom");
    assert_eq!((Rejected::find(&failed), failed.rejected()), (None, None));
    check(&failed.into_inner().unwrap(), "boom");
}
