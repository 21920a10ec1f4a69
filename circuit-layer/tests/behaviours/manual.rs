//! What operators may say.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use circuit_layer::{
    CircuitBreaker, CircuitBreakerLayer, Control, Error, Event, Reason, Recorded, State,
};
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::support::{
    MINUTE, MS, boom, defaults, fail, half_open, poll_once, rejection, succeed, tripped,
};

#[test]
fn reset_closes_with_zero_counts_and_clears_when_closed() {
    let (breaker, _hand) = tripped();
    breaker.reset("repaired");
    fail(&breaker, 4);
    breaker.reset("again");
    fail(&breaker, 4);
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn a_disabled_breaker_passes_everything_and_records_nothing() {
    let (breaker, _hand) = defaults();
    breaker.disable("test", None);
    for _ in 0..100 {
        assert_eq!(breaker.try_acquire().unwrap().failure("x"), Recorded::Ignored);
    }
    breaker.release("done");
    fail(&breaker, 4);
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn a_forced_open_breaker_stays_open_past_its_reset_timeout() {
    let (breaker, hand) = defaults();
    breaker.force_open("maintenance", None);
    hand.advance(MINUTE * 1_000);
    let rejected = rejection(&breaker);
    assert_eq!(rejected.reason(), Reason::ForcedOpen);
    assert_eq!(rejected.retry_after(), None);
    assert_eq!(breaker.snapshot().control, Control::ForcedOpen);
    assert_eq!(breaker.snapshot().retry_after, None);
}

#[test]
fn a_forced_open_with_a_limit_expires_to_half_open_and_forcing_again_sets_it_anew() {
    let (breaker, hand) = tripped();
    breaker.force_open("maintenance", Some(MINUTE * 10));
    hand.advance(MINUTE * 9);
    breaker.force_open("longer", Some(MINUTE * 10));
    hand.advance(MINUTE * 10 - MS);
    assert_eq!(rejection(&breaker).retry_after(), Some(MS));
    hand.advance(MS);
    assert!(breaker.try_acquire().unwrap().is_probe());
    assert_eq!(breaker.state(), State::HalfOpen);
    assert_eq!(breaker.snapshot().control, Control::Automatic);
}

#[test]
fn releasing_a_forced_open_breaker_lets_probes_decide() {
    let (breaker, _hand) = defaults();
    breaker.force_open("maintenance", None);
    breaker.release("over");
    assert_eq!(breaker.state(), State::HalfOpen);
    succeed(&breaker, 3);
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn a_forced_closed_breaker_counts_and_never_trips() {
    let (breaker, hand) = defaults();
    breaker.force_closed("must go on", Some(MINUTE));
    for _ in 0..100 {
        assert_eq!(breaker.try_acquire().unwrap().failure("x"), Recorded::Counted);
    }
    assert_eq!(breaker.state(), State::Closed);
    hand.advance(MINUTE);
    fail(&breaker, 4);
    assert_eq!(breaker.state(), State::Closed, "the limit left it closed and empty");
    fail(&breaker, 1);
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn observe_only_goes_through_the_states_and_rejects_nothing() {
    let (breaker, hand) = defaults();
    let shadows = Arc::new(Mutex::new((Vec::new(), 0)));
    let log = Arc::clone(&shadows);
    breaker.observe(move |event: &Event| match event {
        Event::Transition(transition) => {
            log.lock().unwrap().0.push((transition.to, transition.shadow));
        }
        Event::WouldReject { .. } => log.lock().unwrap().1 += 1,
        _ => {}
    });
    breaker.observe_only("new limits", None);
    fail(&breaker, 5);
    assert_eq!(breaker.state(), State::Open);
    for _ in 0..10 {
        assert_eq!(breaker.try_acquire().unwrap().failure("x"), Recorded::Ignored);
    }
    hand.advance(MINUTE);
    succeed(&breaker, 3);
    assert_eq!(breaker.state(), State::Closed);
    assert_eq!(breaker.snapshot().control, Control::ObserveOnly);
    let (transitions, would_reject) = &*shadows.lock().unwrap();
    assert_eq!(
        *transitions,
        [State::Closed, State::Open, State::HalfOpen, State::Closed].map(|to| (to, true))
    );
    assert_eq!(*would_reject, 10);
}

#[test]
fn every_order_is_a_transition_with_its_reason_and_a_generation_of_its_own() {
    let (breaker, _hand) = defaults();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&heard);
    breaker.observe(move |event: &Event| {
        if let Event::Transition(t) = event {
            log.lock().unwrap().push((t.generation, t.reason.as_deref().unwrap().to_owned()));
        }
    });
    let first = breaker.snapshot().generation;
    breaker.force_open("a", None);
    breaker.force_closed("b", None);
    breaker.disable("c", Some(Duration::from_secs(1)));
    breaker.observe_only("d", None);
    breaker.reset("e");
    breaker.release("nothing to release");
    let expected: Vec<_> =
        (first + 1..).zip(["a", "b", "c", "d", "e"].map(str::to_owned)).collect();
    assert_eq!(*heard.lock().unwrap(), expected);
}

#[test]
fn an_order_makes_the_permits_that_are_out_stale() {
    let (breaker, _hand) = half_open();
    let probe = breaker.try_acquire().unwrap();
    breaker.force_closed("enough", None);
    assert_eq!(probe.failure("x"), Recorded::Stale);
}

#[tokio::test(start_paused = true)]
async fn observe_only_lets_a_service_pass_in_any_state() {
    for backpressure in [false, true] {
        let breaker = CircuitBreaker::new("shadow");
        let layer = CircuitBreakerLayer::new(breaker.clone());
        let layer = if backpressure { layer.backpressure() } else { layer };
        let mut service = layer.layer(service_fn(|()| async { Err::<(), _>(boom()) }));
        breaker.observe_only("new limits", None);
        for _ in 0..10 {
            let called = service.ready().await.unwrap().call(()).await;
            assert!(matches!(called, Err(Error::Inner(_))), "never rejected");
        }
        assert_eq!(breaker.state(), State::Open);
        tokio::time::advance(MINUTE).await;
        let probes: Vec<_> = (0..3).map(|_| breaker.try_acquire().unwrap()).collect();
        let called = service.ready().await.unwrap().call(()).await;
        assert!(matches!(called, Err(Error::Inner(_))), "nor while the probes are out");
        assert_eq!((breaker.state(), breaker.snapshot().rejected), (State::HalfOpen, 0));
        drop(probes);
    }
}

#[test]
fn each_order_has_a_reason_and_a_limit_that_a_snapshot_tells_until_it_is_over() {
    type Give = fn(&CircuitBreaker, Option<Duration>);
    let orders: [(Control, Give, State); 4] = [
        (Control::ForcedOpen, |b, limit| b.force_open("why", limit), State::HalfOpen),
        (Control::ForcedClosed, |b, limit| b.force_closed("why", limit), State::Closed),
        (Control::Disabled, |b, limit| b.disable("why", limit), State::Closed),
        (Control::ObserveOnly, |b, limit| b.observe_only("why", limit), State::Closed),
    ];
    for (control, give, after) in orders {
        let (breaker, hand) = defaults();
        give(&breaker, None);
        hand.advance(MINUTE * 1_000);
        let held = breaker.snapshot();
        assert_eq!((held.control, held.control_ends_in), (control, None), "sticky");
        give(&breaker, Some(MINUTE));
        hand.advance(MINUTE - MS);
        let held = breaker.snapshot();
        assert_eq!((held.control, held.control_ends_in), (control, Some(MS)));
        assert_eq!(held.reason.as_deref(), Some("why"));
        hand.advance(MS);
        drop(breaker.try_acquire().unwrap());
        let over = breaker.snapshot();
        assert_eq!((over.control, over.state), (Control::Automatic, after));
        assert_eq!((over.reason, over.control_ends_in), (None, None));
    }
}

#[test]
fn the_shadow_keeps_the_reason_through_its_own_transitions() {
    let (breaker, hand) = defaults();
    breaker.observe_only("new limits", Some(2 * MINUTE));
    fail(&breaker, 5);
    hand.advance(MINUTE);
    drop(breaker.try_acquire().unwrap());
    let shadow = breaker.snapshot();
    assert_eq!((shadow.state, shadow.reason.as_deref()), (State::HalfOpen, Some("new limits")));
    assert_eq!(shadow.control_ends_in, Some(MINUTE));
    breaker.release("enough");
    assert_eq!(breaker.snapshot().reason, None);
}

#[tokio::test]
async fn a_snapshot_tells_the_deadline_to_sleep_until() {
    let (breaker, hand) = tripped();
    hand.advance(MS);
    let open = breaker.snapshot();
    assert_eq!(open.deadline, Some(breaker.now() + open.retry_after.unwrap()));
    let mut sleep = breaker.clock().sleep_until(open.deadline.unwrap());
    assert!(poll_once(&mut sleep).is_pending());
    hand.advance(MINUTE - MS);
    assert!(poll_once(&mut sleep).is_ready());
    assert!(breaker.try_acquire().unwrap().is_probe());
    assert_eq!(breaker.snapshot().deadline, None);
    breaker.force_open("maintenance", None);
    assert_eq!(breaker.snapshot().deadline, None);
}
