//! Who listens, and hears in order, while others come and go.

use std::sync::Arc;

use loom::sync::Mutex;
use loom::thread;

use super::{breaker, race};
use crate::Event;

#[test]
fn observers_hear_transitions_in_the_order_of_generations() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(2);
    model.check(|| {
        let (breaker, _hand) = breaker(1, 1);
        let heard = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&heard);
        breaker.observe(move |event: &Event| {
            if let Event::Transition(transition) = event {
                log.lock().unwrap().push(transition.generation);
            }
        });
        let first = breaker.snapshot().generation;
        let other = breaker.clone();
        race(move || other.reset("one"), || breaker.reset("two"));
        assert_eq!(*heard.lock().unwrap(), [first + 1, first + 2]);
    });
}

#[test]
fn after_unsubscribe_no_callback_runs() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(2);
    model.check(|| {
        let (breaker, _hand) = breaker(1, 1);
        // Callbacks that have begun, and those that have ended.
        let heard = Arc::new(Mutex::new((0, 0)));
        let log = Arc::clone(&heard);
        let listening = breaker.observe(move |_: &Event| {
            log.lock().unwrap().0 += 1;
            thread::yield_now();
            log.lock().unwrap().1 += 1;
        });
        let other = breaker.clone();
        let (_, (begun, ended)) = race(
            move || other.reset("race"),
            || {
                listening.unsubscribe();
                *heard.lock().unwrap()
            },
        );
        assert_eq!(begun, ended);
        assert_eq!(*heard.lock().unwrap(), (begun, ended));
    });
}
