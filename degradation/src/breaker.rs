//! A circuit breaker as the source of a dependency's health.
//!
//! The breaker already knows: what it rejects is down. Two cases need care. Half-open is half well
//! only after a probe has succeeded: before that nothing speaks for the dependency, and each failed
//! recovery would make the score wiggle. And a breaker in [`Control::ObserveOnly`] rejects nothing,
//! so nothing may be shed on its word: it counts as well, and its detail says what it would do.

use circuit_layer::{CircuitBreaker, Control, Event, Snapshot, State};

use crate::health::Health;
use crate::score::FULL_SCORE;
use crate::source::{HealthFuture, HealthSource, Wake};

/// What half-open is worth once a probe has succeeded.
const HALF_OPEN_SCORE: u8 = 50;

impl HealthSource for CircuitBreaker {
    fn health(&self) -> HealthFuture<'_> {
        let by_state = |state| if state == State::Closed { FULL_SCORE } else { HALF_OPEN_SCORE };
        Box::pin(std::future::ready(judge(&self.snapshot(), by_state)))
    }

    fn watch(&self, wake: Wake) {
        self.observe(move |event: &Event| {
            if matches!(event, Event::Transition(_)) {
                wake.wake();
            }
        });
    }

    fn breaker(&self) -> Option<CircuitBreaker> {
        Some(self.clone())
    }
}

pub(crate) fn judge(breaker: &Snapshot, score: impl Fn(State) -> u8) -> Health {
    let shadow = breaker.control == Control::ObserveOnly;
    let health = match breaker.state {
        _ if shadow => Health::up(score(State::Closed)),
        State::Closed => Health::up(score(State::Closed)),
        State::HalfOpen if breaker.probes_succeeded > 0 => Health::up(score(State::HalfOpen)),
        State::HalfOpen | State::Open => Health::down(),
    };
    let health = match detail(breaker, shadow) {
        Some(detail) => health.detail(detail),
        None => health,
    };
    match breaker.retry_after {
        Some(wait) => health.retry_after(wait),
        None => health,
    }
}

fn detail(breaker: &Snapshot, shadow: bool) -> Option<String> {
    let state = match (breaker.state, breaker.control) {
        (State::Closed, _) => return None,
        (_, Control::ForcedOpen) => return Some("forced open".to_owned()),
        (state, _) if shadow => format!("observed only, would be {state}"),
        (state, _) => state.to_string(),
    };
    Some(breaker.cause.map_or_else(|| state.clone(), |cause| format!("{state}: {cause}")))
}
