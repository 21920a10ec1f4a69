//! Beginning and ending to listen.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use circuit_layer::{CircuitBreaker, Event, State, Subscription};
use tokio::sync::broadcast::error::RecvError;

use crate::support::{Count, defaults, fail, tripped, until};

fn flip(breaker: &CircuitBreaker) {
    breaker.force_open("a", None);
    breaker.reset("b");
}

#[test]
fn after_unsubscribe_has_returned_no_callback_runs() {
    let (breaker, _hand) = defaults();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                flip(&breaker);
            }
        });
        for _ in 0..100 {
            let (ended, heard, late) =
                (Arc::new(AtomicBool::new(false)), Count::default(), Count::default());
            let (flag, hears, lates) = (Arc::clone(&ended), heard.clone(), late.clone());
            let listening = breaker.observe(move |_: &Event| {
                std::thread::yield_now();
                hears.up();
                if flag.load(Ordering::SeqCst) {
                    lates.up();
                }
            });
            until(|| heard.get() > 0);
            listening.unsubscribe();
            ended.store(true, Ordering::SeqCst);
            let told = heard.get();
            flip(&breaker);
            assert_eq!((late.get(), heard.get()), (0, told));
        }
        over.store(true, Ordering::Relaxed);
    });
}

#[test]
fn unsubscribe_waits_for_a_callback_that_is_under_way() {
    let (breaker, _hand) = defaults();
    let (entered, (go, gone)) = (Count::default(), channel::<()>());
    let (ins, gone) = (entered.clone(), Mutex::new(gone));
    let left = Arc::new(AtomicBool::new(false));
    let leaves = Arc::clone(&left);
    let listening = breaker.observe(move |_: &Event| {
        ins.up();
        assert!(gone.lock().unwrap().recv().is_err());
        leaves.store(true, Ordering::SeqCst);
    });
    std::thread::scope(|scope| {
        scope.spawn(|| breaker.force_open("a", None));
        until(|| entered.get() == 1);
        let waiting = scope.spawn(|| {
            listening.unsubscribe();
            left.load(Ordering::SeqCst)
        });
        // It can not be seen waiting, but it must not be seen to have returned.
        for _ in 0..1_000 {
            std::thread::yield_now();
            assert!(!waiting.is_finished());
        }
        drop(go);
        assert!(waiting.join().unwrap());
    });
}

/// An observer that does this in its first callback, with its own subscription.
fn at_first(breaker: &CircuitBreaker, act: impl Fn(Subscription) + Send + Sync + 'static) -> Count {
    let (heard, own) = (Count::default(), Arc::new(Mutex::new(None::<Subscription>)));
    let (hears, slot) = (heard.clone(), Arc::clone(&own));
    let listening = breaker.observe(move |_: &Event| {
        hears.up();
        let listening = slot.lock().unwrap().take();
        listening.into_iter().for_each(&act);
    });
    *own.lock().unwrap() = Some(listening);
    heard
}

#[test]
fn from_within_its_own_callback_it_returns_and_that_callback_is_the_last() {
    let (breaker, _hand) = defaults();
    let heard = at_first(&breaker, Subscription::unsubscribe);
    flip(&breaker);
    flip(&breaker);
    assert_eq!(heard.get(), 1);
}

#[test]
fn two_that_end_each_other_from_their_callbacks_do_not_wait_for_each_other() {
    let (left, right) = (CircuitBreaker::new("left"), CircuitBreaker::new("right"));
    let inside = Count::default();
    let subscriptions: [Arc<Mutex<Option<Subscription>>>; 2] =
        std::array::from_fn(|_| Arc::default());
    for (mine, breaker) in [&left, &right].into_iter().enumerate() {
        let (inside, other) = (inside.clone(), Arc::clone(&subscriptions[1 - mine]));
        let listening = breaker.observe(move |_: &Event| {
            inside.up();
            until(|| inside.get() >= 2);
            let other = other.lock().unwrap().take();
            other.into_iter().for_each(Subscription::unsubscribe);
        });
        *subscriptions[mine].lock().unwrap() = Some(listening);
    }
    std::thread::scope(|scope| {
        scope.spawn(|| left.force_open("a", None));
        scope.spawn(|| right.force_open("b", None));
    });
    flip(&left);
    flip(&right);
    assert_eq!(inside.get(), 2);
}

#[test]
fn what_the_observer_held_is_freed_outside_of_the_lock() {
    struct AsksWhenDropped(CircuitBreaker, Count);
    impl Drop for AsksWhenDropped {
        fn drop(&mut self) {
            assert_eq!(self.0.snapshot().state, State::Closed);
            self.1.up();
        }
    }
    let (breaker, _hand) = defaults();
    let dropped = Count::default();
    let held = AsksWhenDropped(breaker.clone(), dropped.clone());
    let listening = breaker.observe(move |_: &Event| assert_eq!(held.0.name(), "test"));
    listening.unsubscribe();
    assert_eq!(dropped.get(), 1);
}

#[test]
fn dropping_a_subscription_keeps_the_observer_and_one_of_a_dead_breaker_ends_nothing() {
    let (breaker, _hand) = defaults();
    let heard = Count::default();
    let hears = heard.clone();
    drop(breaker.observe(move |_: &Event| {
        hears.up();
    }));
    flip(&breaker);
    assert_eq!(heard.get(), 2);

    let (gone, _hand) = defaults();
    let late = gone.observe(|_: &Event| {});
    drop(gone);
    // One of these lives where the dead one did.
    let tenants: Vec<_> = (0..20).map(|_| defaults().0).collect();
    let hears: Vec<_> = tenants.iter().map(|tenant| at_first(tenant, drop)).collect();
    late.unsubscribe();
    tenants.iter().for_each(flip);
    assert!(hears.iter().all(|heard| heard.get() == 2));
}

#[tokio::test]
async fn a_channel_has_every_event_in_order_and_ends_with_the_breaker() {
    let (breaker, _hand) = tripped();
    let mut events = breaker.events(8);
    assert!(breaker.try_acquire().is_err());
    breaker.reset("repaired");
    fail(&breaker, 5);
    let mut seen = Vec::new();
    drop(breaker);
    while let Ok(event) = events.recv().await {
        match event {
            Event::Transition(moved) => seen.push((moved.from, moved.to)),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(seen, [(State::Open, State::Closed), (State::Closed, State::Open)]);
}

#[tokio::test]
async fn a_channel_holds_the_newest_and_tells_how_many_were_missed() {
    let (breaker, _hand) = defaults();
    let (mut one, mut none) = (breaker.events(1), breaker.events(0));
    for _ in 0..50 {
        flip(&breaker);
    }
    for events in [&mut one, &mut none] {
        assert_eq!(events.recv().await.unwrap_err(), RecvError::Lagged(99));
        let Event::Transition(last) = events.recv().await.unwrap() else { panic!() };
        assert_eq!(last.generation, breaker.snapshot().generation);
    }
    // A channel may be as long as anybody likes to ask for.
    drop(breaker.events(usize::MAX));
}
