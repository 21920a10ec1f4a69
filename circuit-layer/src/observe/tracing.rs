//! Transitions as `tracing` events (feature `tracing`).

use tracing::{Level, event};

use super::{Event, Observer};
use crate::state::State;

/// Writes every transition as a `tracing` event named `circuit_breaker.state_change`: WARN for one
/// that opens, INFO for any other. Rejected calls are not logged singly.
///
/// The event has no message, so that a bridge to OpenTelemetry keeps its name as that of the span
/// event. It has these fields:
///
/// | field | |
/// | --- | --- |
/// | `circuit_breaker.name` | the breaker |
/// | `circuit_breaker.state.from`, `.to` | `closed`, `open`, `half-open` |
/// | `circuit_breaker.cause` | what made it move |
/// | `circuit_breaker.reason` | the operator's reason, empty without an order |
/// | `circuit_breaker.generation` | the new generation |
/// | `circuit_breaker.shadow` | whether the machine only observes |
///
/// ```
/// use circuit_layer::{CircuitBreaker, TracingObserver};
///
/// let breaker = CircuitBreaker::builder("search").observer(TracingObserver).build()?;
/// # Ok::<(), circuit_layer::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct TracingObserver;

impl Observer for TracingObserver {
    fn event(&self, event: &Event) {
        let Event::Transition(moved) = event else { return };
        // The level of an event is part of its static metadata.
        macro_rules! tell {
            ($level:expr) => {
                event!(
                    name: "circuit_breaker.state_change",
                    $level,
                    "circuit_breaker.name" = moved.name,
                    "circuit_breaker.state.from" = %moved.from,
                    "circuit_breaker.state.to" = %moved.to,
                    "circuit_breaker.cause" = %moved.cause,
                    "circuit_breaker.reason" = moved.reason.as_deref().unwrap_or_default(),
                    "circuit_breaker.generation" = moved.generation,
                    "circuit_breaker.shadow" = moved.shadow,
                )
            };
        }
        if moved.to == State::Open {
            tell!(Level::WARN);
        } else {
            tell!(Level::INFO);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing::span::{Attributes, Id, Record};
    use tracing::subscriber::with_default;
    use tracing::{Metadata, Subscriber};

    use super::*;
    use crate::CircuitBreaker;

    /// Keeps the name and the level of each event.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<(&'static str, Level)>>>);

    impl Subscriber for Log {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }

        fn record(&self, _: &Id, _: &Record<'_>) {}

        fn record_follows_from(&self, _: &Id, _: &Id) {}

        fn event(&self, event: &tracing::Event<'_>) {
            let metadata = event.metadata();
            self.0.lock().unwrap().push((metadata.name(), *metadata.level()));
        }

        fn enter(&self, _: &Id) {}

        fn exit(&self, _: &Id) {}
    }

    #[test]
    fn to_open_is_a_warning_and_any_other_move_is_told_by_the_way() {
        let log = Log::default();
        let breaker = CircuitBreaker::builder("logged").observer(TracingObserver).build().unwrap();
        with_default(log.clone(), || {
            breaker.force_open("a test", None);
            assert!(breaker.try_acquire().is_err(), "and not logged");
            breaker.release("half-open");
            breaker.reset("closed");
        });
        let moved = |level| ("circuit_breaker.state_change", level);
        let expected = [moved(Level::WARN), moved(Level::INFO), moved(Level::INFO)];
        assert_eq!(*log.0.lock().unwrap(), expected);
    }
}
