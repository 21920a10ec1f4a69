//! An outcome moves only the generation that admitted it.

use circuit_layer::{ActiveProbe, CircuitBreaker, Recorded, State};

use crate::support::{Count, MINUTE, defaults, fail, succeed};

#[test]
fn a_stale_failure_changes_nothing_in_half_open() {
    let (breaker, hand) = defaults();
    let stale = breaker.try_acquire().unwrap();
    fail(&breaker, 5);
    hand.advance(MINUTE);
    let probe = breaker.try_acquire().unwrap();
    assert_eq!(stale.failure("x"), Recorded::Stale);
    assert_eq!(breaker.state(), State::HalfOpen);
    assert_eq!(breaker.snapshot().stale, 1);
    assert_eq!(probe.success(), Recorded::Counted);
}

#[test]
fn a_stale_success_neither_closes_nor_uses_up_a_slot() {
    let (breaker, hand) = defaults();
    let stale: Vec<_> = (0..5).map(|_| breaker.try_acquire().unwrap()).collect();
    fail(&breaker, 5);
    hand.advance(MINUTE);
    succeed(&breaker, 1);
    for permit in stale {
        assert_eq!(permit.success(), Recorded::Stale);
    }
    let snapshot = breaker.snapshot();
    assert_eq!((snapshot.state, snapshot.probes_succeeded), (State::HalfOpen, 1));
    assert_eq!(snapshot.stale, 5);
    succeed(&breaker, 2);
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn a_stale_success_while_open_does_not_close() {
    let (breaker, _hand) = defaults();
    let stale = breaker.try_acquire().unwrap();
    fail(&breaker, 5);
    assert_eq!(stale.success(), Recorded::Stale);
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn failures_of_an_earlier_closed_period_do_not_count_after_recovery() {
    let (breaker, hand) = defaults();
    let stale: Vec<_> = (0..5).map(|_| breaker.try_acquire().unwrap()).collect();
    fail(&breaker, 5);
    hand.advance(MINUTE);
    succeed(&breaker, 3);
    for permit in stale {
        assert_eq!(permit.failure("x"), Recorded::Stale);
    }
    assert_eq!(breaker.state(), State::Closed);
    fail(&breaker, 4);
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn a_probe_of_the_previous_half_open_period_decides_nothing() {
    let (breaker, hand) = defaults();
    fail(&breaker, 5);
    hand.advance(MINUTE);
    let former = breaker.try_acquire().unwrap();
    fail(&breaker, 1);
    hand.advance(MINUTE);
    let current = breaker.try_acquire().unwrap();
    assert_eq!(former.success(), Recorded::Stale);
    assert_eq!(breaker.snapshot().probes_succeeded, 0);
    assert_eq!(breaker.snapshot().probes_in_flight, 1, "nor does it free another probe's slot");
    assert_eq!(current.success(), Recorded::Counted);
}

#[test]
fn a_permit_of_a_dropped_breaker_settles_nothing() {
    let (breaker, _hand) = defaults();
    let (good, bad) = (breaker.try_acquire().unwrap(), breaker.try_acquire().unwrap());
    drop(breaker);
    assert_eq!((good.success(), bad.failure("x")), (Recorded::Stale, Recorded::Stale));
}

#[test]
fn a_permit_tells_which_generation_admitted_it_and_none_where_nothing_counts() {
    let (breaker, hand) = defaults();
    let tells = |probe: bool| {
        let permit = breaker.try_acquire().unwrap();
        assert_eq!(permit.generation(), breaker.snapshot().generation);
        assert_eq!(permit.is_probe(), probe);
    };
    tells(false);
    fail(&breaker, 5);
    hand.advance(MINUTE);
    tells(true);
    breaker.observe_only("a test", None);
    let _probes: Vec<_> = (0..3).map(|_| breaker.try_acquire().unwrap()).collect();
    let beyond = breaker.try_acquire().unwrap();
    assert_eq!((beyond.generation(), beyond.is_probe()), (0, false));
}

#[test]
fn a_permit_of_a_dropped_breaker_is_stale_for_the_next_tenant_of_its_cell() {
    let (first, _hand) = defaults();
    let late: Vec<_> = (0..5).map(|_| first.try_acquire().unwrap()).collect();
    drop(first);
    // The arena hands the same cell out again, to one of these.
    let tenants: Vec<_> = (0..64).map(|_| CircuitBreaker::new("tenant")).collect();
    for permit in late {
        assert_eq!(permit.failure("x"), Recorded::Stale);
    }
    for tenant in tenants {
        let snapshot = tenant.snapshot();
        assert_eq!((snapshot.state, snapshot.stale), (State::Closed, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn the_active_probe_of_a_dropped_breaker_ends_nothing_of_the_next_tenant_of_its_cell() {
    let starts = Count::default();
    let open = || {
        let started = starts.clone();
        let probe = ActiveProbe::new(move || {
            started.up();
            std::future::pending::<Result<(), std::io::Error>>()
        });
        let breaker = CircuitBreaker::builder("tenant").active_probe(probe).build().unwrap();
        fail(&breaker, 5);
        assert!(breaker.try_acquire().is_err());
        breaker
    };
    let first = open();
    tokio::task::yield_now().await;
    drop(first);
    // One of these lives where the first did, and its probe is out before the first one's has ended.
    let tenants: Vec<_> = (0..20).map(|_| open()).collect();
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert_eq!(starts.get(), 21);
    tokio::time::advance(std::time::Duration::from_secs(1)).await;
    assert!(tenants.iter().all(|tenant| tenant.try_acquire().is_err()));
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert_eq!(starts.get(), 21, "each is still out");
}
