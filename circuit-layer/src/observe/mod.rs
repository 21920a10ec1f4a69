//! Telling others what a breaker does, without letting them get in its way.
//!
//! An observer that runs under the lock can deadlock it, and one that runs outside may see
//! transitions out of order. So transitions are queued under the lock, in the order of their
//! generations, and delivered outside it by one caller at a time, after the new state is visible.
//! A panic in an observer is caught; a slow observer delays later deliveries and the one caller
//! that delivers, never an admission or a settlement.
//!
//! | for | sink | when it does not keep up |
//! | --- | --- | --- |
//! | doing something at once | an [`Observer`], such as a closure | it delays the caller that delivers |
//! | logs and traces | `TracingObserver` (feature `tracing`) | |
//! | the state, for whoever looks now and then | [`subscribe`](crate::CircuitBreaker::subscribe) | it skips to the newest |
//! | each event, in a task | [`events`](crate::CircuitBreaker::events) | it is told how many it has missed |

mod audience;
mod event;
mod guest;
mod outbox;
#[cfg(feature = "tracing")]
mod tracing;

pub(crate) use self::audience::Audience;
pub use self::event::{Event, Transition};
pub(crate) use self::guest::Guest;
pub use self::guest::Subscription;
pub(crate) use self::outbox::Outbox;
#[cfg(feature = "tracing")]
pub use self::tracing::TracingObserver;

/// Gets a breaker's events. Closures over `&Event` are observers.
///
/// When: after the new state is visible, outside every lock, on the thread of the call that caused
/// the event or of one that came after. It may call the breaker; what that causes is delivered
/// later. It should not block. A panic is caught and ignored.
///
/// Each transition that it gets begins in the state in which the last one ended, whatever the races.
pub trait Observer: Send + Sync + 'static {
    /// Takes note of an event.
    fn event(&self, event: &Event);

    /// Whether to get an [`Event::Rejected`] for each rejected call. It costs each of them a lock,
    /// so the default is no. Asked once, when the observer is added.
    fn wants_rejections(&self) -> bool {
        false
    }
}

impl<F: Fn(&Event) + Send + Sync + 'static> Observer for F {
    fn event(&self, event: &Event) {
        self(event);
    }
}
