//! Breakers by key: apart, bounded, and never forgotten while they matter.

use circuit_layer::{CircuitBreaker, ConfigError, KeyedBreakers, State};

use crate::support::fail;

fn table(capacity: usize) -> KeyedBreakers<u32> {
    KeyedBreakers::with_capacity("keys", capacity, |builder| builder.fail_max(2)).unwrap()
}

#[test]
fn one_key_has_one_breaker_and_two_keys_have_two() {
    let keys = table(10);
    fail(&keys.get(&1), 2);
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
