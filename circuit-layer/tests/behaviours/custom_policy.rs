//! A policy of one's own, of which the trait has written all but two methods.

use std::time::Duration;

use circuit_layer::{
    Call, Cause, CircuitBreaker, Counts, Deferral, Moment, Outcome, State, TripPolicy,
};

use crate::support::{Count, MINUTE, builder, fail, succeed};

/// Trips on so many outcomes, good or bad.
#[derive(Clone, Debug)]
struct Outcomes {
    max: usize,
    seen: usize,
    defer: u32,
    slow: Option<Duration>,
    forgotten: Count,
    /// How often it was told what only a policy that times calls wants to know.
    told: Count,
}

impl Outcomes {
    fn up_to(max: usize) -> Self {
        Self {
            max,
            seen: 0,
            defer: 0,
            slow: None,
            forgotten: Count::default(),
            told: Count::default(),
        }
    }
}

impl TripPolicy for Outcomes {
    fn record(&mut self, call: Call, _: Moment) -> Option<Cause> {
        assert!(!call.watched, "it was told of no start");
        self.seen += 1;
        (self.seen >= self.max).then_some(Cause::Custom(7))
    }

    fn quiet(&self) -> bool {
        false
    }

    fn deferral(&self) -> Deferral {
        Deferral::new(self.defer, Moment::NEVER)
    }

    fn slow_threshold(&self) -> Option<Duration> {
        self.slow
    }

    fn start(&mut self, _: Moment) {
        self.told.up();
    }

    fn forget(&mut self, _: Moment) {
        self.forgotten.up();
        self.told.up();
    }

    fn look(&mut self, _: Moment) -> Option<Cause> {
        self.told.up();
        None
    }
}

fn with(policy: Outcomes) -> CircuitBreaker {
    builder().0.policy(policy).build().unwrap()
}

#[test]
fn a_policy_that_times_nothing_is_told_nothing_of_calls_in_flight() {
    let policy = Outcomes::up_to(100);
    let told = policy.told.clone();
    let (builder, hand) = builder();
    let breaker = builder.policy(policy).build().unwrap();
    fail(&breaker, 1);
    succeed(&breaker, 1);
    drop(breaker.try_acquire());
    let ignored = breaker.try_acquire().unwrap();
    let (hung, streamed) = (breaker.try_acquire().unwrap(), breaker.try_acquire().unwrap());
    hand.advance(MINUTE);
    ignored.record(Outcome::Ignored);
    streamed.settle_early().success();
    drop(hung);
    // With an order that ends, each call asks the machine.
    breaker.force_closed("a test", Some(MINUTE));
    succeed(&breaker, 1);
    drop(breaker.try_acquire());
    assert_eq!(breaker.snapshot().state, State::Closed);
    assert_eq!(told.get(), 0);
}

#[test]
fn a_call_whose_answer_has_begun_is_forgotten_by_a_policy_that_says_nothing_else_of_it() {
    let policy = Outcomes { slow: Some(MINUTE), ..Outcomes::up_to(100) };
    let forgotten = policy.forgotten.clone();
    let breaker = with(policy);
    let body = breaker.try_acquire().unwrap().settle_early();
    assert_eq!(forgotten.get(), 1);
    drop(body);
    assert_eq!(forgotten.get(), 1, "once");
}

#[test]
fn successes_that_may_wait_are_recorded_one_by_one_before_what_comes_next() {
    for (max, state) in [(4, State::Open), (5, State::Closed)] {
        let breaker = with(Outcomes { defer: 3, ..Outcomes::up_to(max) });
        succeed(&breaker, 3);
        fail(&breaker, 1);
        assert_eq!(breaker.state(), state, "{max}");
    }
}

#[test]
fn what_trips_is_what_the_policy_says() {
    let breaker = with(Outcomes::up_to(2));
    succeed(&breaker, 2);
    assert_eq!(breaker.snapshot().cause, Some(Cause::Custom(7)));
}

#[test]
fn an_update_begins_anew_with_a_policy_that_takes_nothing_over() {
    let breaker = with(Outcomes::up_to(5));
    fail(&breaker, 4);
    assert_eq!(breaker.snapshot().counts, Counts::default());
    breaker.update(CircuitBreaker::builder("x").policy(Outcomes::up_to(5))).unwrap();
    fail(&breaker, 4);
    assert_eq!(breaker.state(), State::Closed);
    fail(&breaker, 1);
    assert_eq!(breaker.state(), State::Open);
}
