//! What there is to tell.

use std::sync::Arc;

use crate::cause::Cause;
use crate::clock::Moment;
use crate::error::Rejected;
use crate::outcome::Outcome;
use crate::state::State;

/// Something worth knowing about a breaker.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// The breaker entered a state. Delivered in the order of the generations.
    Transition(Transition),
    /// A call was rejected. Delivered only to observers that
    /// [want rejections](super::Observer::wants_rejections).
    Rejected(Rejected),
    /// A call that an earlier generation admitted has ended; it changed nothing.
    Stale {
        /// The breaker's name.
        name: &'static str,
        /// The generation that admitted the call.
        generation: u64,
        /// How the call ended.
        outcome: Outcome,
    },
    /// Probes did not answer within their lease and were counted as failed.
    LeaseExpired {
        /// The breaker's name.
        name: &'static str,
        /// The generation of the half-open state.
        generation: u64,
        /// How many.
        probes: u64,
    },
    /// The active probe has its answer, and the wait has been set by it.
    ActiveProbe {
        /// The breaker's name.
        name: &'static str,
        /// The generation of the open state.
        generation: u64,
        /// Whether the dependency answered, and in time.
        healthy: bool,
    },
    /// The shadow machine would have rejected this call; it passed uncounted.
    WouldReject {
        /// The breaker's name.
        name: &'static str,
        /// The generation that would have rejected.
        generation: u64,
    },
}

/// A breaker entered a state.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Transition {
    /// The breaker's name.
    pub name: &'static str,
    /// The state it left. Where transitions had to be [dropped](crate::Snapshot::events_dropped) in
    /// between, the one that the last delivered event has told.
    pub from: State,
    /// The state it entered; the same for an order that changed only who decides.
    pub to: State,
    /// What made it move.
    pub cause: Cause,
    /// The operator's reason, if it was an order.
    pub reason: Option<Arc<str>>,
    /// The new generation: one more than the last.
    pub generation: u64,
    /// Whether the machine runs in shadow ([`Control::ObserveOnly`](crate::Control::ObserveOnly)).
    pub shadow: bool,
    /// When, on the breaker's clock.
    pub at: Moment,
}
