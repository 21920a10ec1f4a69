//! How often each breaker changed its state: the opt-in family `breaker_transitions_total`.
//!
//! A gauge that is scraped every 15 seconds misses a breaker that opens and closes in between. A
//! counter misses nothing.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use opentelemetry::KeyValue;
use opentelemetry::metrics::Meter;

use super::hub::Metrics;
use crate::breaker::CircuitBreaker;
use crate::observe::Event;
use crate::state::State;

const STATES: [(State, &str); 3] =
    [(State::Closed, "closed"), (State::Open, "open"), (State::HalfOpen, "half-open")];

impl Metrics {
    /// Counts the transitions of `breaker` from now on, as `breaker_transitions_total` with the labels
    /// `breaker`, `from` and `to`. Breakers of one name, such as those of `KeyedBreakers`, are one set of
    /// series, which ends with the last of them: what the others did stays in it. Transitions that a breaker under
    /// [`observe_only`](CircuitBreaker::observe_only) would have made are not counted.
    pub fn count_transitions(&self, breaker: &CircuitBreaker) {
        let shown = Arc::clone(self.transitions());
        let counts = shown.of_name(breaker.name());
        breaker.observe(move |event: &Event| {
            // The breaker keeps what shows its series, whoever has dropped the metrics.
            let _kept = &shown;
            if let Event::Transition(moved) = event
                && !moved.shadow
                && let Some(count) = counts.of(moved.from, moved.to)
            {
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
}

/// The transitions of the breakers of one name. Their observers own them.
#[derive(Debug, Default)]
struct Counts([[AtomicU64; 3]; 3]);

impl Counts {
    fn of(&self, from: State, to: State) -> Option<&AtomicU64> {
        let index = |state| STATES.iter().position(|(known, _)| *known == state);
        self.0.get(index(from)?)?.get(index(to)?)
    }
}

/// The names of the breakers whose transitions are counted.
///
/// One count for all of a name: the sum of those that live would fall when one goes, and to Prometheus
/// that is a restart, after which all that is left has happened anew.
#[derive(Debug, Default)]
pub(super) struct Transitions(Mutex<BTreeMap<&'static str, Weak<Counts>>>);

impl Transitions {
    pub(super) fn of(meter: &Meter) -> Arc<Self> {
        let transitions = Arc::new(Self::default());
        let weak = Arc::downgrade(&transitions);
        meter
            .u64_observable_counter("breaker_transitions_total")
            .with_description("Circuit breaker transitions, by breaker and states.")
            .with_unit("{transition}")
            .with_callback(move |to| {
                let moves = weak.upgrade().map(|all| all.moves()).unwrap_or_default();
                for (name, from, into, count) in moves {
                    let labels = [
                        KeyValue::new("breaker", name),
                        KeyValue::new("from", from),
                        KeyValue::new("to", into),
                    ];
                    to.observe(count, &labels);
                }
            })
            .build();
        transitions
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, Weak<Counts>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The counts of this name, new ones if no breaker of it lives.
    fn of_name(&self, name: &'static str) -> Arc<Counts> {
        let mut names = self.lock();
        let known = names.entry(name).or_default();
        let counts = known.upgrade().unwrap_or_default();
        *known = Arc::downgrade(&counts);
        drop(names);
        counts
    }

    /// Name, states and count, the ways between two states from zero on, so that a rate sees the first
    /// transition.
    fn moves(&self) -> Vec<(&'static str, &'static str, &'static str, u64)> {
        let mut moves = Vec::new();
        self.lock().retain(|name, counts| {
            let Some(counts) = counts.upgrade() else { return false };
            for (from, from_name) in STATES {
                for (to, to_name) in STATES {
                    let count =
                        counts.of(from, to).map_or(0, |count| count.load(Ordering::Relaxed));
                    if from != to || count > 0 {
                        moves.push((*name, from_name, to_name, count));
                    }
                }
            }
            true
        });
        moves
    }
}
