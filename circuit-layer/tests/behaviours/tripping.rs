//! Closed to open and all the way round.

use std::time::Duration;

use circuit_layer::{
    Cause, CircuitBreaker, CircuitBreakerLayer, ConfigError, Error, HalfOpen, Outcome, Reason,
    Rejected, State,
};
use tower::{BoxError, Service, ServiceBuilder, ServiceExt, service_fn};

use crate::support::{
    Count, MINUTE, MS, NS, boom, builder, defaults, fail, rejection, succeed, tripped,
};

#[tokio::test(start_paused = true)]
async fn the_full_cycle_on_a_paused_clock() {
    let breaker = CircuitBreaker::new("cycle");
    let calls = Count::default();
    let seen = calls.clone();
    let mut service = ServiceBuilder::new()
        .layer(CircuitBreakerLayer::new(breaker.clone()))
        .service(service_fn(move |ok: bool| {
            seen.up();
            async move { if ok { Ok(()) } else { Err(boom()) } }
        }));

    for _ in 0..5 {
        assert_eq!(breaker.state(), State::Closed);
        let error = service.ready().await.unwrap().call(false).await.unwrap_err();
        assert!(matches!(error, Error::Inner(_)));
    }
    assert_eq!(breaker.state(), State::Open);

    let error = service.ready().await.unwrap().call(true).await.unwrap_err();
    let rejected = *error.rejected().unwrap();
    assert_eq!(rejected.retry_after(), Some(MINUTE));
    assert_eq!(rejected.cause(), Some(Cause::ConsecutiveFailures(5)));
    assert_eq!(calls.get(), 5, "a rejected call reaches nobody");

    tokio::time::advance(MINUTE - MS).await;
    assert!(service.ready().await.unwrap().call(true).await.is_err());
    tokio::time::advance(MS).await;
    for probe in 1..=3 {
        service.ready().await.unwrap().call(true).await.unwrap();
        let expected = if probe < 3 { State::HalfOpen } else { State::Closed };
        assert_eq!(breaker.state(), expected);
    }
    service.ready().await.unwrap().call(true).await.unwrap();
    assert_eq!(calls.get(), 9);
}

#[test]
fn five_failures_in_a_row_trip_and_four_do_not() {
    let (breaker, _hand) = defaults();
    fail(&breaker, 4);
    succeed(&breaker, 1);
    fail(&breaker, 4);
    assert_eq!(breaker.state(), State::Closed);
    fail(&breaker, 1);
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn any_fail_max_is_inclusive() {
    for max in 1..20 {
        let (builder, _hand) = builder();
        let breaker = builder.fail_max(max).build().unwrap();
        fail(&breaker, max as usize - 1);
        assert_eq!(breaker.state(), State::Closed);
        fail(&breaker, 1);
        assert_eq!(breaker.state(), State::Open);
    }
}

#[test]
fn the_wait_is_over_at_the_reset_timeout_and_not_a_nanosecond_before() {
    let (breaker, hand) = tripped();
    hand.advance(MINUTE - NS);
    assert_eq!(rejection(&breaker).retry_after(), Some(NS));
    hand.advance(NS);
    assert_eq!(breaker.state(), State::Open, "half-open begins with an admission");
    assert_eq!(breaker.snapshot().retry_after, Some(Duration::ZERO));
    let probe = breaker.try_acquire().unwrap();
    assert!(probe.is_probe());
    assert_eq!(breaker.state(), State::HalfOpen);
}

#[test]
fn a_rejection_tells_the_remaining_wait_and_the_cause() {
    let (breaker, hand) = tripped();
    assert_eq!(rejection(&breaker).retry_after(), Some(MINUTE));
    hand.advance(MINUTE / 2);
    let rejected = rejection(&breaker);
    assert_eq!(rejected.retry_after(), Some(MINUTE / 2));
    assert_eq!(rejected.reason(), Reason::Open);
    assert_eq!(rejected.state(), State::Open);
    assert_eq!(rejected.name(), "test");
    assert_eq!(
        rejected.to_string(),
        "circuit breaker `test` is open (5 consecutive failures), retry after 30s"
    );
    let snapshot = breaker.snapshot();
    assert_eq!((snapshot.rejected, snapshot.control_ends_in), (2, None), "no order holds");
}

#[test]
fn a_failure_that_lands_while_open_neither_prolongs_the_wait_nor_trips_again() {
    let (breaker, hand) = defaults();
    let late = breaker.try_acquire().unwrap();
    fail(&breaker, 5);
    hand.advance(MINUTE / 2);
    late.failure("x");
    assert_eq!(rejection(&breaker).retry_after(), Some(MINUTE / 2));
    assert_eq!(breaker.snapshot().stale, 1);
}

#[test]
fn ignored_outcomes_are_in_no_count() {
    let (breaker, _hand) = defaults();
    fail(&breaker, 4);
    for _ in 0..100 {
        breaker.try_acquire().unwrap().record(Outcome::Ignored);
    }
    assert_eq!(breaker.state(), State::Closed);
    fail(&breaker, 1);
    assert_eq!(breaker.state(), State::Open, "the streak went on");
}

#[test]
fn a_retry_after_replaces_the_wait_in_both_directions() {
    for (asked, wait) in [(5, 5), (100, 100), (100_000, 600)] {
        let (breaker, _hand) = defaults();
        fail(&breaker, 4);
        breaker.try_acquire().unwrap().record(Outcome::Failure {
            kind: "throttled",
            retry_after: Some(Duration::from_secs(asked)),
        });
        assert_eq!(rejection(&breaker).retry_after(), Some(Duration::from_secs(wait)));
    }
}

#[tokio::test(start_paused = true)]
async fn the_rejection_of_an_inner_breaker_never_feeds_an_outer_one() {
    let inner = CircuitBreaker::new("inner");
    let outer = CircuitBreaker::builder("outer").fail_max(1).build().unwrap();
    inner.force_open("test", None);
    let mut service = ServiceBuilder::new()
        .layer(CircuitBreakerLayer::new(outer.clone()))
        .layer(CircuitBreakerLayer::new(inner))
        .service(service_fn(|()| async { Ok::<_, std::io::Error>(()) }));
    for _ in 0..10 {
        let error = service.ready().await.unwrap().call(()).await.unwrap_err();
        assert_eq!(Rejected::find(&error).unwrap().name(), "inner");
    }
    assert_eq!(outer.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_boxed_rejection_never_feeds_an_outer_breaker() {
    let inner = CircuitBreaker::new("inner");
    let outer = CircuitBreaker::builder("outer").fail_max(1).build().unwrap();
    inner.force_open("test", None);
    let boxed = ServiceBuilder::new()
        .layer(CircuitBreakerLayer::new(inner))
        .service(service_fn(|ok: bool| async move { if ok { Ok(()) } else { Err(boom()) } }))
        .map_err(|error| -> BoxError { Box::new(error) });
    let layer =
        CircuitBreakerLayer::new(outer.clone()).classify(circuit_layer::BoxErrorsAsFailures);
    let mut service = ServiceBuilder::new().layer(layer).service(boxed);
    assert!(service.ready().await.unwrap().call(true).await.is_err());
    assert_eq!(outer.state(), State::Closed);
}

#[test]
fn two_layers_and_all_clones_share_one_breaker() {
    use tower::Layer;
    let (breaker, _hand) = defaults();
    let layer = CircuitBreakerLayer::new(breaker.clone());
    let service = || service_fn(|()| async { Ok::<_, std::io::Error>(()) });
    let (one, two) = (layer.layer(service()), layer.clone().layer(service()));
    fail(one.breaker(), 5);
    assert_eq!(two.clone().breaker().state(), State::Open);
}

#[test]
fn every_broken_rule_has_its_own_sentence() {
    use circuit_layer::Backoff;
    let cases = [
        (builder().0.fail_max(0), ConfigError::ZeroFailMax),
        (builder().0.reset_timeout(Duration::ZERO), ConfigError::ZeroResetTimeout),
        (builder().0.half_open_max_attempts(0), ConfigError::ZeroProbes),
        (builder().0.half_open(HalfOpen::rate(0, 0.5)), ConfigError::ZeroProbes),
        (builder().0.half_open(HalfOpen::rate(3, f64::NAN)), ConfigError::HalfOpenThreshold),
        (builder().0.half_open(HalfOpen::rate(3, 1.1)), ConfigError::HalfOpenThreshold),
        (builder().0.half_open(HalfOpen::rate(3, -0.1)), ConfigError::HalfOpenThreshold),
        (builder().0.probe_lease(Duration::ZERO), ConfigError::ZeroLease),
        (builder().0.backoff(Backoff::exponential(0.5)), ConfigError::BackoffFactor),
        (builder().0.backoff(Backoff::exponential(f64::NAN)), ConfigError::BackoffFactor),
        (builder().0.backoff(Backoff::exponential(f64::INFINITY)), ConfigError::BackoffFactor),
        (builder().0.backoff(Backoff::exponential(2.0).jitter(1.5)), ConfigError::BackoffJitter),
        (
            builder().0.backoff(Backoff::exponential(2.0).jitter(f64::NAN)),
            ConfigError::BackoffJitter,
        ),
        (builder().0.backoff(Backoff::none().cap(Duration::ZERO)), ConfigError::ZeroBackoffCap),
        (CircuitBreaker::builder(""), ConfigError::EmptyName),
    ];
    for (builder, expected) in cases {
        let broken = builder.build().unwrap_err();
        assert_eq!(broken, expected);
        assert!(!broken.to_string().is_empty());
    }
}

#[test]
fn extreme_durations_neither_panic_nor_wrap() {
    let (builder, hand) = builder();
    let breaker = builder.reset_timeout(Duration::MAX).probe_lease(Duration::MAX).build().unwrap();
    fail(&breaker, 5);
    hand.advance(Duration::from_secs(u32::MAX.into()));
    assert_eq!(breaker.state(), State::Open);
    assert!(breaker.try_acquire().is_err());
}

#[test]
fn a_clock_that_steps_back_neither_panics_nor_opens_early() {
    let (breaker, hand) = tripped();
    hand.step_back(MINUTE);
    assert!(breaker.try_acquire().is_err());
    hand.advance(MINUTE * 2);
    assert!(breaker.try_acquire().is_ok());
}
