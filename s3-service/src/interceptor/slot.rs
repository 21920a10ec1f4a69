//! What one attempt carries through the SDK's hooks, in the operation's own `ConfigBag`.
//!
//! The bag belongs to the operation's future: dropped with it, the permit is given back without a
//! hook having to run. The stage is also the guard against a second installation: each hook acts
//! only on the stage before its own, so of two interceptors the first governs and the second rests.

use std::sync::Arc;

use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use circuit_layer::{CircuitBreaker, Moment, Outcome, Permit};
use tracing::Span;

use crate::body::{Source, Tail};

#[derive(Debug)]
pub(super) enum Slot {
    /// Between attempts.
    Idle,
    /// This attempt was rejected.
    Rejected,
    /// This attempt may go.
    Admitted(Attempt),
}

impl Storable for Slot {
    type Storer = StoreReplace<Self>;
}

#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) breaker: CircuitBreaker,
    /// `None` if the attempt passes without being judged.
    pub(super) permit: Option<Permit>,
    /// Set once the request body is wrapped.
    pub(super) source: Option<Arc<Source>>,
    /// When the attempt began, and with it its deadline.
    pub(super) since: Moment,
    /// Set once the request is about to go out.
    pub(super) transmitted: bool,
    /// Set once the response body is wrapped.
    pub(super) tail: Option<Arc<Tail>>,
    /// The span of the call.
    span: Span,
}

/// What was dropped before it was transmitted was waiting for credentials, and an upload whose source had
/// nothing to give was waiting for its caller: neither for the service.
impl Drop for Attempt {
    fn drop(&mut self) {
        let Some(permit) = self.permit.take() else { return };
        let _current = self.span.enter();
        let starved = self.source.as_ref().is_some_and(|source| source.starved());
        if self.transmitted && !starved {
            drop(permit);
        } else {
            permit.record(Outcome::Ignored);
        }
    }
}

impl Attempt {
    pub(super) fn new(breaker: CircuitBreaker, permit: Option<Permit>, span: Span) -> Self {
        let since = breaker.now();
        Self { breaker, permit, source: None, since, transmitted: false, tail: None, span }
    }
}

/// Whether an attempt is under way already.
pub(super) fn is_taken(cfg: &mut ConfigBag) -> bool {
    let slot = cfg.get_mut_from_interceptor_state::<Slot>();
    slot.is_some_and(|slot| !matches!(slot, Slot::Idle))
}

pub(super) fn put(cfg: &mut ConfigBag, slot: Slot) {
    cfg.interceptor_state().store_put(slot);
}

/// The attempt under way, if it was admitted.
pub(super) fn attempt(cfg: &mut ConfigBag) -> Option<&mut Attempt> {
    match cfg.get_mut_from_interceptor_state::<Slot>()? {
        Slot::Admitted(attempt) => Some(attempt),
        Slot::Idle | Slot::Rejected => None,
    }
}

/// Ends the attempt.
pub(super) fn take(cfg: &mut ConfigBag) -> Option<Attempt> {
    let slot = cfg.get_mut_from_interceptor_state::<Slot>()?;
    match std::mem::replace(slot, Slot::Idle) {
        Slot::Admitted(attempt) => Some(attempt),
        Slot::Idle | Slot::Rejected => None,
    }
}
