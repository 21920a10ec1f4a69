//! One observer, and the door that it can be shown.
//!
//! Whoever stops listening wants to free what the observer uses, and must know that it is not being
//! used right now. So each observer has a door: nobody enters once it is shut, and shutting it waits
//! for those who are inside.

use std::cell::Cell as Flag;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::{Event, Observer};
use crate::cell::Cell;
use crate::sync::{Condvar, Mutex, PoisonError, lock, thread_local};

thread_local! {
    /// Whether this thread is in a callback of some observer.
    static IN_CALLBACK: Flag<bool> = Flag::default();
}

pub(crate) struct Guest {
    observer: Box<dyn Observer>,
    wants_rejections: bool,
    door: Mutex<Door>,
    left: Condvar,
}

struct Door {
    shut: bool,
    inside: usize,
}

impl Guest {
    pub(crate) fn new(observer: Box<dyn Observer>) -> Arc<Self> {
        let door = Mutex::new(Door { shut: false, inside: 0 });
        let wants_rejections = observer.wants_rejections();
        Arc::new(Self { observer, wants_rejections, door, left: Condvar::new() })
    }

    pub(super) fn wants_rejections(&self) -> bool {
        self.wants_rejections
    }

    /// Tells the observer, unless its door is shut. One that panics is skipped this time.
    pub(super) fn tell(&self, event: &Event) {
        let mut door = lock(&self.door);
        if door.shut {
            return;
        }
        door.inside += 1;
        drop(door);
        let before = IN_CALLBACK.with(|flag| flag.replace(true));
        let heard = catch_unwind(AssertUnwindSafe(|| self.observer.event(event)));
        IN_CALLBACK.with(|flag| flag.set(before));
        let mut door = lock(&self.door);
        door.inside -= 1;
        drop(door);
        self.left.notify_all();
        // The observer's panic is its own affair: the message has gone through the panic hook.
        drop(heard);
    }

    #[expect(clippy::significant_drop_tightening, reason = "the guard is what is waited with")]
    fn shut(&self) {
        let mut door = lock(&self.door);
        door.shut = true;
        // Whoever is inside himself would wait for himself, or for another who waits for him.
        let wait = !IN_CALLBACK.with(Flag::get);
        while wait && door.inside > 0 {
            door = self.left.wait(door).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// An observer's place, from [`CircuitBreaker::observe`](crate::CircuitBreaker::observe).
///
/// Dropping it changes nothing: the observer stays for as long as the breaker lives.
pub struct Subscription {
    guest: Arc<Guest>,
    cell: &'static Cell,
    born: u64,
}

impl Subscription {
    pub(crate) const fn new(guest: Arc<Guest>, cell: &'static Cell, born: u64) -> Self {
        Self { guest, cell, born }
    }

    /// Ends the observer's events. **After it returns the observer does not run and will not run
    /// again**, on any thread: it blocks until a callback that is under way has ended. So do not call
    /// it while you hold a lock that the callback takes.
    ///
    /// Called from within a callback, of this observer or of any other, it does not wait, because it
    /// would wait for itself: no further callback of the observer begins after it has returned, but one
    /// that is under way goes on to its end.
    pub fn unsubscribe(self) {
        self.guest.shut();
        let Self { guest, cell, born } = self;
        let gone =
            cell.look(|_, ledger, _| (ledger.born == born).then(|| ledger.audience.remove(&guest)));
        // Outside of the lock, together with `guest`: with them goes the observer.
        drop(gone);
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").finish_non_exhaustive()
    }
}
