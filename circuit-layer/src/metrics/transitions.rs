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
    /// `breaker`, `from` and `to`. The series end with the breaker; those of breakers of one name are
    /// added up. Transitions that a breaker under
    /// [`observe_only`](CircuitBreaker::observe_only) would have made are not counted.
    pub fn count_transitions(&self, breaker: &CircuitBreaker) {
        let counts = Arc::new(Counts { name: breaker.name(), moves: Default::default() });
        let shown = Arc::clone(self.transitions());
        shown.lock().push(Arc::downgrade(&counts));
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

/// The transitions of one breaker. Its observer owns them.
#[derive(Debug)]
struct Counts {
    name: &'static str,
    moves: [[AtomicU64; 3]; 3],
}

impl Counts {
    fn of(&self, from: State, to: State) -> Option<&AtomicU64> {
        let index = |state| STATES.iter().position(|(known, _)| *known == state);
        self.moves.get(index(from)?)?.get(index(to)?)
    }
}

/// The breakers whose transitions are counted.
#[derive(Debug, Default)]
pub(super) struct Transitions(Mutex<Vec<Weak<Counts>>>);

type Moves = BTreeMap<(&'static str, &'static str, &'static str), u64>;

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
                for ((name, from, into), count) in moves {
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

    fn lock(&self) -> MutexGuard<'_, Vec<Weak<Counts>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The sums of the living, the ways between two states from zero on, so that a rate sees the
    /// first transition.
    fn moves(&self) -> Moves {
        let mut moves = Moves::new();
        self.lock().retain(|counts| {
            let Some(counts) = counts.upgrade() else { return false };
            for (from, from_name) in STATES {
                for (to, to_name) in STATES {
                    let count =
                        counts.of(from, to).map_or(0, |count| count.load(Ordering::Relaxed));
                    if from != to || count > 0 {
                        *moves.entry((counts.name, from_name, to_name)).or_default() += count;
                    }
                }
            }
            true
        });
        moves
    }
}
