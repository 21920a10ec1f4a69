//! Breakers by key: apart, bounded, and never forgotten while they matter.

use circuit_layer::{CircuitBreaker, ConfigError, Event, KeyedBreakers, KeyedEvent, State};

use crate::support::{Count, fail};

fn table(capacity: usize) -> KeyedBreakers<u32> {
    KeyedBreakers::with_capacity("keys", capacity, |builder| builder.fail_max(2)).unwrap()
}

#[test]
fn one_key_has_one_breaker_and_two_keys_have_two() {
    let keys = table(10);
    assert!(keys.is_empty());
    fail(&keys.get(&1), 2);
    assert!(!keys.is_empty());
    assert_eq!(keys.get(&1).state(), State::Open);
    assert_eq!(keys.get(&2).state(), State::Closed);
    assert_eq!(keys.clone().get(&1).state(), State::Open);
}

#[test]
fn a_flood_of_cold_keys_neither_grows_the_table_nor_evicts_a_breaker_that_matters() {
    let keys = table(500);
    fail(&keys.get(&0), 2);
    fail(&keys.get(&1), 1);
    keys.get(&2).disable("test", None);
    let held = keys.get(&3);
    for key in 10..200_000 {
        keys.get(&key);
    }
    assert!(keys.len() <= 500);
    assert_eq!(keys.get(&0).state(), State::Open);
    assert_eq!(keys.get(&1).snapshot().counts.failed, 1);
    fail(&held, 2);
    assert_eq!(keys.get(&3).state(), State::Open, "the one that was held is still the key's");
    assert!(keys.get(&2).try_acquire().is_ok());
}

#[test]
fn when_nothing_can_go_new_keys_share_an_overflow_breaker_that_says_so() {
    let keys = table(3);
    let held: Vec<CircuitBreaker> = (0..3).map(|key| keys.get(&key)).collect();
    let (one, two) = (keys.get(&10), keys.get(&11));
    assert_eq!(one.name(), "keys (overflow)");
    fail(&one, 2);
    assert_eq!(two.state(), State::Open);
    assert_eq!(keys.overflow().state(), State::Open);
    assert_eq!(held[0].state(), State::Closed);
    drop(held);
    keys.get(&12);
    assert_eq!(keys.get(&13).name(), "keys", "there is room again after the sweep");
}

#[test]
fn a_breaker_that_was_looked_up_since_the_last_sweep_stays() {
    let keys = table(2);
    let first = keys.get(&1).snapshot().generation;
    keys.get(&2);
    keys.get(&3); // sweeps, and finds both wanted
    keys.get(&1);
    keys.get(&4); // sweeps, and finds 2 idle
    assert_eq!(keys.len(), 2);
    assert_eq!(keys.get(&1).snapshot().generation, first);
}

#[test]
fn a_broken_measure_is_refused_at_once() {
    let broken = KeyedBreakers::<u32>::new("keys", |builder| builder.fail_max(0));
    assert_eq!(broken.unwrap_err(), ConfigError::ZeroFailMax);
}

#[test]
fn each_key_that_comes_or_goes_is_told_in_order() {
    let keys = table(2);
    let mut events = keys.events(8);
    for key in [1, 1, 2, 3] {
        keys.get(&key);
    }
    // Nobody has asked for 1 or 2 since the sweep that 3 has caused; both made room for 4.
    keys.get(&4);
    let told: Vec<_> = std::iter::from_fn(|| events.try_recv().ok()).collect();
    assert_eq!(told.first_chunk(), Some(&[KeyedEvent::Added(1), KeyedEvent::Added(2)]));
    assert_eq!(told.last(), Some(&KeyedEvent::Added(4)));
    let mut gone: Vec<_> = told.into_iter().skip(2).take(2).collect();
    gone.sort_by_key(|event| matches!(event, KeyedEvent::Removed(2)));
    assert_eq!(gone, [KeyedEvent::Removed(1), KeyedEvent::Removed(2)]);
}

#[test]
fn whoever_listens_hears_it_whoever_else_has_stopped_to() {
    let keys = table(10);
    let (mut first, stopped) = (keys.events(8), keys.events(8));
    drop(stopped);
    let mut last = keys.events(8);
    keys.get(&1);
    for events in [&mut first, &mut last] {
        assert_eq!(events.try_recv(), Ok(KeyedEvent::Added(1)));
    }
}

#[test]
fn a_sweep_lets_go_of_what_is_idle_and_of_nothing_else() {
    let keys = table(10);
    fail(&keys.get(&1), 2);
    keys.get(&2).force_closed("test", None);
    let held = keys.get(&3);
    keys.get(&4);
    keys.get(&5);
    assert_eq!(keys.sweep(), 0, "all of them were asked for");
    keys.get(&5);
    assert_eq!(keys.sweep(), 1);
    let mut left: Vec<_> = keys.breakers().into_iter().map(|(key, _)| key).collect();
    left.sort_unstable();
    assert_eq!(left, [1, 2, 3, 5]);
    drop(held);
    assert_eq!(keys.sweep(), 2, "nobody looks at 3 and 5 any more");
}

#[test]
fn to_look_at_all_breakers_is_to_ask_for_none() {
    let keys = table(10);
    fail(&keys.get(&1), 2);
    keys.get(&2);
    keys.sweep();
    let states: Vec<_> = keys.breakers().iter().map(|(key, one)| (*key, one.state())).collect();
    assert!(states.contains(&(1, State::Open)) && states.contains(&(2, State::Closed)));
    assert_eq!(keys.sweep(), 1);
}

#[test]
fn what_a_breaker_carried_goes_with_it() {
    struct Series(Count);
    impl Drop for Series {
        fn drop(&mut self) {
            self.0.up();
        }
    }
    let ended = Count::default();
    let ends = ended.clone();
    let keys = KeyedBreakers::<u32>::with_capacity("keys", 10, move |builder| {
        let series = Series(ends.clone());
        builder.observer(move |_: &Event| assert_eq!(series.0.get(), 0))
    })
    .unwrap();
    // The measure was tried once, and the overflow breaker keeps its own.
    let before = ended.get();
    let state = keys.get(&1).subscribe();
    keys.sweep();
    assert_eq!(keys.sweep(), 1);
    assert_eq!(ended.get(), before + 1);
    assert!(state.has_changed().is_err(), "closed");
}
