//! Observers: told everything in order, and in nobody's way.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use circuit_layer::{CircuitBreaker, Event, Observer, State};

use crate::support::{Count, MINUTE, defaults, fail, succeed, tripped, until};

fn record(breaker: &CircuitBreaker) -> Arc<Mutex<Vec<(State, State, u64)>>> {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&heard);
    breaker.observe(move |event: &Event| {
        if let Event::Transition(t) = event {
            log.lock().unwrap().push((t.from, t.to, t.generation));
        }
    });
    heard
}

#[test]
fn the_new_state_is_visible_before_the_event() {
    let (breaker, _hand) = defaults();
    let seen = Arc::new(Mutex::new(None));
    let (handle, log) = (breaker.clone(), Arc::clone(&seen));
    breaker.observe(move |_: &Event| *log.lock().unwrap() = Some(handle.state()));
    fail(&breaker, 5);
    assert_eq!(*seen.lock().unwrap(), Some(State::Open));
    breaker.reset("break the cycle of handles");
}

#[test]
fn an_observer_may_call_the_breaker() {
    let (breaker, _hand) = defaults();
    let heard = record(&breaker);
    let handle = breaker.clone();
    breaker.observe(move |event: &Event| {
        if let Event::Transition(t) = event
            && t.to == State::Open
        {
            assert_eq!(handle.snapshot().state, State::Open);
            handle.reset("at once");
        }
    });
    fail(&breaker, 5);
    assert_eq!(breaker.state(), State::Closed);
    let states: Vec<_> = heard.lock().unwrap().iter().map(|(from, to, _)| (*from, *to)).collect();
    assert_eq!(states, [(State::Closed, State::Open), (State::Open, State::Closed)]);
}

#[test]
fn a_panicking_observer_silences_nobody_else() {
    let (breaker, _hand) = defaults();
    breaker.observe(|_: &Event| panic!("observer"));
    let heard = record(&breaker);
    fail(&breaker, 5);
    breaker.reset("again");
    assert_eq!(heard.lock().unwrap().len(), 2);
}

#[test]
fn under_races_every_event_follows_from_the_last() {
    let (breaker, _hand) = defaults();
    let heard = record(&breaker);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..500 {
                    breaker.force_open("a", None);
                    breaker.reset("b");
                }
            });
        }
    });
    let heard = heard.lock().unwrap();
    assert_eq!(heard.len() as u64 + breaker.snapshot().events_dropped, 4_000);
    follows(&heard);
}

/// Each transition begins where the last one ended.
fn follows(heard: &[(State, State, u64)]) {
    for (last, next) in heard.iter().zip(heard.iter().skip(1)) {
        assert!(last.2 < next.2);
        assert_eq!(last.1, next.0);
    }
}

#[test]
fn what_is_dropped_behind_a_slow_observer_is_counted_and_the_newest_state_is_not() {
    let (breaker, _hand) = defaults();
    let (hold, held) = std::sync::mpsc::channel::<()>();
    let held = Mutex::new(held);
    let (watched, entered) = (breaker.subscribe(), Count::default());
    let at_the_door = entered.clone();
    breaker.observe(move |_: &Event| {
        at_the_door.up();
        // Ends when the sender does.
        assert!(held.lock().unwrap().recv().is_err());
    });
    let heard = record(&breaker);
    std::thread::scope(|scope| {
        scope.spawn(|| breaker.force_open("first", None));
        until(|| entered.get() == 1);
        for _ in 0..1_500 {
            breaker.reset("a");
            breaker.force_open("b", None);
        }
        breaker.reset("last");
        drop(hold);
    });
    let heard = heard.lock().unwrap();
    assert_eq!(breaker.snapshot().events_dropped, 3_001 - 1_024);
    assert_eq!(heard.len(), 1 + 1_024);
    follows(&heard);
    assert_eq!(heard.last().unwrap().2, breaker.snapshot().generation);
    assert_eq!((*watched.borrow(), breaker.state()), (State::Closed, State::Closed));
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_sees_the_newest_state_and_the_end() {
    let breaker = CircuitBreaker::new("watched");
    let mut state = breaker.subscribe();
    assert_eq!(*state.borrow_and_update(), State::Closed);
    fail(&breaker, 5);
    state.changed().await.unwrap();
    assert_eq!(*state.borrow_and_update(), State::Open);
    tokio::time::advance(MINUTE).await;
    succeed(&breaker, 3);
    state.changed().await.unwrap();
    assert_eq!(*state.borrow_and_update(), State::Closed);
    drop(breaker);
    assert!(state.changed().await.is_err());
}

#[test]
fn rejections_are_told_only_to_those_who_want_them() {
    struct Wants(Count);
    impl Observer for Wants {
        fn event(&self, event: &Event) {
            if let Event::Rejected(rejected) = event {
                assert_eq!(rejected.name(), "test");
                self.0.up();
            }
        }
        fn wants_rejections(&self) -> bool {
            true
        }
    }
    let (breaker, _hand) = tripped();
    let (wanted, unwanted) = (Count::default(), Count::default());
    let log = unwanted.clone();
    breaker.observe(move |event: &Event| {
        if let Event::Rejected(_) = event {
            log.up();
        }
    });
    assert!(breaker.try_acquire().is_err());
    breaker.observe(Wants(wanted.clone()));
    let mut events = breaker.events(8);
    for _ in 0..3 {
        assert!(breaker.try_acquire().is_err());
    }
    assert_eq!((wanted.get(), unwanted.get()), (3, 0));
    assert!(events.try_recv().is_err(), "channels carry none");
}

#[test]
fn stale_outcomes_and_lapsed_leases_are_told() {
    let (breaker, hand) = tripped();
    let told = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&told);
    breaker.observe(move |event: &Event| match event {
        Event::Stale { .. } => log.lock().unwrap().push("stale"),
        Event::LeaseExpired { probes, .. } => {
            assert_eq!(*probes, 1);
            log.lock().unwrap().push("lapsed");
        }
        _ => {}
    });
    hand.advance(MINUTE);
    let hung = breaker.try_acquire().unwrap();
    hand.advance(Duration::from_secs(30));
    hung.success();
    assert_eq!(*told.lock().unwrap(), ["lapsed", "stale"]);
}

#[test]
fn each_lapsed_probe_is_told_once() {
    let (breaker, hand) = tripped();
    let told = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&told);
    breaker.observe(move |event: &Event| {
        if let Event::LeaseExpired { generation, probes, .. } = event {
            log.lock().unwrap().push((*generation, *probes));
        }
    });
    let mut lapsed = Vec::new();
    for _ in 0..2 {
        hand.advance(MINUTE);
        let _hung = breaker.try_acquire().unwrap();
        lapsed.push((breaker.snapshot().generation, 1));
        hand.advance(Duration::from_secs(30));
        assert_eq!(breaker.snapshot().state, State::Open);
        assert_eq!(breaker.snapshot().leases_expired, lapsed.len() as u64);
    }
    assert_eq!(*told.lock().unwrap(), lapsed);
}
