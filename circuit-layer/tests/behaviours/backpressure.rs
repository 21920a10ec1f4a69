//! Waiting for an admission, as a balancer needs it.

use std::time::Duration;

use circuit_layer::{CircuitBreaker, CircuitBreakerLayer, CircuitBreakerService, Clock, State};
use futures_util::future::{Ready, ready};
use tokio_test::{assert_pending, assert_ready, task};
use tower::balance::p2c::Balance;
use tower::discover::ServiceList;
use tower::load::Constant;
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::support::{Count, MINUTE, MS, boom, builder, fail};

type Echo = fn(()) -> Ready<Result<(), std::io::Error>>;

fn echo(breaker: &CircuitBreaker) -> CircuitBreakerService<tower::util::ServiceFn<Echo>> {
    let echo: Echo = |()| ready(Ok(()));
    CircuitBreakerLayer::new(breaker.clone()).backpressure().layer(service_fn(echo))
}

#[tokio::test(start_paused = true)]
async fn it_is_pending_while_open_and_ready_when_the_wait_is_over() {
    let breaker = CircuitBreaker::new("pending");
    fail(&breaker, 5);
    let mut service = echo(&breaker);
    let begin = breaker.now();
    service.ready().await.unwrap().call(()).await.unwrap();
    assert_eq!((breaker.now() - begin).as_secs(), 60);
    assert_eq!(breaker.state(), State::HalfOpen);
}

#[test]
fn a_manual_clock_wakes_it_too() {
    let (builder, hand) = builder();
    let breaker = builder.build().unwrap();
    fail(&breaker, 5);
    let mut service = echo(&breaker);
    let mut waiting = task::spawn(service.ready());
    assert_pending!(waiting.poll());
    hand.advance(MINUTE - MS);
    assert_pending!(waiting.poll());
    hand.advance(MS);
    assert!(waiting.is_woken());
    assert!(assert_ready!(waiting.poll()).is_ok());
}

#[test]
fn it_wakes_when_the_breaker_closes_by_order() {
    let (breaker, _hand) = crate::support::tripped();
    let mut service = echo(&breaker);
    let mut waiting = task::spawn(service.ready());
    assert_pending!(waiting.poll());
    breaker.reset("repaired");
    assert!(waiting.is_woken());
    assert!(assert_ready!(waiting.poll()).is_ok());
}

#[test]
fn it_wakes_when_a_probe_gives_its_slot_back() {
    let (breaker, _hand) = crate::support::half_open();
    let probes: Vec<_> = (0..3).map(|_| breaker.try_acquire().unwrap()).collect();
    let mut service = echo(&breaker);
    let mut waiting = task::spawn(service.ready());
    assert_pending!(waiting.poll());
    drop(probes);
    assert!(waiting.is_woken());
    assert!(assert_ready!(waiting.poll()).is_ok());
}

#[test]
fn it_wakes_when_the_lease_of_a_hung_probe_ends_and_no_other_call_comes() {
    let (builder, hand) = builder();
    let breaker = builder.half_open_max_attempts(1).build().unwrap();
    fail(&breaker, 5);
    hand.advance(MINUTE);
    let _hung = breaker.try_acquire().unwrap();
    let mut service = echo(&breaker);
    let mut waiting = task::spawn(service.ready());
    assert_pending!(waiting.poll());
    hand.advance(Duration::from_secs(30));
    assert!(waiting.is_woken());
    assert_pending!(waiting.poll());
    assert_eq!(breaker.state(), State::Open);
    hand.advance(MINUTE);
    assert!(waiting.is_woken());
    assert!(assert_ready!(waiting.poll()).is_ok());
}

#[test]
fn it_waits_for_the_new_deadline_once_the_probe_it_waited_for_has_failed() {
    let (builder, hand) = builder();
    let builder = builder.half_open_max_attempts(1).reset_timeout(10 * MS);
    let breaker = builder.build().unwrap();
    fail(&breaker, 5);
    hand.advance(10 * MS);
    let probe = breaker.try_acquire().unwrap();
    let mut service = echo(&breaker);
    let mut waiting = task::spawn(service.ready());
    assert_pending!(waiting.poll(), "for 30 s, which is its lease");
    probe.failure("down again");
    assert!(waiting.is_woken());
    assert_pending!(waiting.poll(), "for 10 ms");
    hand.advance(10 * MS);
    assert!(waiting.is_woken());
    assert!(assert_ready!(waiting.poll()).is_ok());
}

#[test]
fn it_waits_for_the_limit_that_an_order_without_one_gets_later() {
    let (breaker, hand) = crate::support::defaults();
    breaker.force_open("until further notice", None);
    let mut service = echo(&breaker);
    let mut waiting = task::spawn(service.ready());
    assert_pending!(waiting.poll());
    breaker.force_open("for a minute more", Some(MINUTE));
    assert!(waiting.is_woken());
    assert_pending!(waiting.poll());
    hand.advance(MINUTE);
    assert!(waiting.is_woken());
    assert!(assert_ready!(waiting.poll()).is_ok());
}

#[test]
fn every_waiter_is_woken_not_only_one() {
    let (breaker, _hand) = crate::support::tripped();
    let mut services: Vec<_> = (0..5).map(|_| echo(&breaker)).collect();
    let mut waiting: Vec<_> = services.iter_mut().map(|s| task::spawn(s.ready())).collect();
    for waiter in &mut waiting {
        assert_pending!(waiter.poll());
    }
    breaker.force_closed("go on", None);
    for waiter in &mut waiting {
        assert!(waiter.is_woken());
        assert!(assert_ready!(waiter.poll()).is_ok());
    }
}

/// Two endpoints under tower's balancer; one of them can be switched off.
#[tokio::test(start_paused = true)]
async fn under_a_balancer_a_dead_endpoint_leaves_rotation_and_comes_back() {
    let dead = Count::default();
    let endpoint = |name: &str, hits: Count, dead: Option<Count>| {
        let breaker = CircuitBreaker::builder(name)
            .fail_max(2)
            .reset_timeout(Duration::from_secs(10))
            .clock(Clock::default())
            .build()
            .unwrap();
        let layer = CircuitBreakerLayer::new(breaker.clone()).backpressure();
        let service = layer.layer(service_fn(move |()| {
            hits.up();
            ready(match &dead {
                Some(dead) if dead.get() > 0 => Err(boom()),
                _ => Ok(()),
            })
        }));
        (breaker, Constant::new(service.map_err(tower::BoxError::from), 1_u32))
    };
    let (good_hits, bad_hits) = (Count::default(), Count::default());
    let (_good, one) = endpoint("good", good_hits.clone(), None);
    let (bad, two) = endpoint("bad", bad_hits.clone(), Some(dead.clone()));
    let one = one.boxed();
    let two = two.boxed();
    let list = ServiceList::new([Constant::new(one, 1_u32), Constant::new(two, 1_u32)]);
    let mut balance = Balance::new(list);

    dead.up();
    let mut failures = 0;
    for _ in 0..200 {
        failures += usize::from(balance.ready().await.unwrap().call(()).await.is_err());
    }
    assert_eq!(failures, 2, "then it was out of rotation");
    assert_eq!(bad.state(), State::Open);
    assert_eq!(bad_hits.get(), 2);

    dead.down();
    tokio::time::advance(Duration::from_secs(10)).await;
    for _ in 0..200 {
        balance.ready().await.unwrap().call(()).await.unwrap();
    }
    assert_eq!(bad.state(), State::Closed, "its probes got out");
    assert!(bad_hits.get() > 20, "and it takes its share again: {}", bad_hits.get());
    assert!(good_hits.get() > 198);
}
