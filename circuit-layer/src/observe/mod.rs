//! Telling others what a breaker does, without letting them get in its way.
//!
//! An observer that runs under the lock can deadlock it, and one that runs outside may see
//! transitions out of order. So transitions are queued under the lock, in the order of their
//! generations, and delivered outside it by one caller at a time, after the new state is visible.
//! A panic in an observer is caught; a slow observer delays later deliveries and the one caller
//! that delivers, never an admission or a settlement.

#[cfg(feature = "tracing")]
mod tracing;

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tokio::sync::watch;

#[cfg(feature = "tracing")]
pub use self::tracing::TracingObserver;
use crate::cause::Cause;
use crate::clock::Moment;
use crate::error::Rejected;
use crate::outcome::Outcome;
use crate::state::State;

/// How many transitions may wait for delivery before further ones are dropped and counted.
const BACKLOG: usize = 1024;

/// Something worth knowing about a breaker.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// The breaker entered a state. Delivered in the order of the generations.
    Transition(Transition),
    /// A call was rejected. Delivered only to observers that
    /// [want rejections](Observer::wants_rejections).
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
    /// The state it left.
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

/// Gets a breaker's events. Closures over `&Event` are observers.
///
/// When: after the new state is visible, outside every lock, on the thread of the call that caused
/// the event or of one that came after. It may call the breaker; what that causes is delivered
/// later. It should not block. A panic is caught and ignored.
pub trait Observer: Send + Sync + 'static {
    /// Takes note of an event.
    fn event(&self, event: &Event);

    /// Whether to get an [`Event::Rejected`] for each rejected call. It costs each of them a lock,
    /// so the default is no.
    fn wants_rejections(&self) -> bool {
        false
    }
}

impl<F: Fn(&Event) + Send + Sync + 'static> Observer for F {
    fn event(&self, event: &Event) {
        self(event);
    }
}

/// The observers of one breaker, and the state for those who only want to watch it.
#[derive(Clone)]
pub(crate) struct Audience {
    observers: Arc<[Arc<dyn Observer>]>,
    state: Arc<watch::Sender<State>>,
}

impl Audience {
    pub(crate) fn new(observers: Vec<Arc<dyn Observer>>) -> Self {
        Self { observers: observers.into(), state: Arc::new(watch::Sender::new(State::Closed)) }
    }

    pub(crate) fn add(&mut self, observer: Arc<dyn Observer>) {
        self.observers = self.observers.iter().cloned().chain([observer]).collect();
    }

    pub(crate) fn watch(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    pub(crate) fn wants_rejections(&self) -> bool {
        self.observers.iter().any(|observer| observer.wants_rejections())
    }

    /// Tells everybody. Whoever panics is skipped this time.
    pub(crate) fn tell(&self, event: &Event) {
        if let Event::Transition(transition) = event {
            self.state.send_replace(transition.to);
        }
        for observer in &*self.observers {
            let heard = catch_unwind(AssertUnwindSafe(|| {
                if !matches!(event, Event::Rejected(_)) || observer.wants_rejections() {
                    observer.event(event);
                }
            }));
            // The observer's panic is its own affair: the message has gone through the panic hook.
            drop(heard);
        }
    }
}

/// Transitions on their way out.
#[derive(Default)]
pub(crate) struct Outbox {
    waiting: VecDeque<Event>,
    delivering: bool,
    pub(crate) dropped: u64,
}

impl Outbox {
    pub(crate) fn push(&mut self, transition: Transition) {
        if self.waiting.len() < BACKLOG {
            self.waiting.push_back(Event::Transition(transition));
        } else {
            self.dropped += 1;
        }
    }

    /// True for the one caller that must now deliver, until [`next`](Self::next) yields none.
    pub(crate) fn claim(&mut self) -> bool {
        let claimed = !self.delivering && !self.waiting.is_empty();
        self.delivering |= claimed;
        claimed
    }

    pub(crate) fn next(&mut self) -> Option<Event> {
        let event = self.waiting.pop_front();
        self.delivering = event.is_some();
        event
    }
}
