//! Who is shown when a meter is scraped.
//!
//! A callback of OpenTelemetry can never be taken back, and while it runs, the SDK holds a lock: a
//! callback that panics silences the meter for good, one that waits for another lock may wait for
//! ever. So there is one callback per metric for all instances, and what it needs is copied out of
//! the lock here before anything is handed to the SDK. An instance that is dropped takes itself off
//! the list, in its own thread.
//!
//! A name's counts outlive its instance. The SDK keeps the latency histogram of a name for ever; if
//! a later instance of that name began its counts at zero, the two would no longer agree.

use std::sync::Arc;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::cells::Cells;
use crate::breaker::CircuitBreaker;
use crate::health::HealthMetrics;
use crate::state::State;

/// Where the gauges of one instance come from.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) breaker: CircuitBreaker,
    pub(super) health: Arc<HealthMetrics>,
}

#[derive(Debug)]
struct Slot {
    cells: Arc<Cells>,
    live: bool,
    watched: Option<Watched>,
}

/// One slot per name ever used.
#[derive(Debug, Default)]
pub(super) struct Slots(Mutex<Vec<Slot>>);

/// The value of a gauge and the name of its instance.
pub(super) type Reading = (Option<Arc<str>>, u64);

impl Slots {
    fn lock(&self) -> MutexGuard<'_, Vec<Slot>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a name that no living instance has: its slot and its counts so far. None if it is
    /// taken.
    pub(super) fn take(
        &self,
        name: Option<&str>,
        new: impl FnOnce() -> Cells,
    ) -> Option<(usize, Arc<Cells>)> {
        take(&mut self.lock(), name, new)
    }

    pub(super) fn watch(&self, slot: usize, watched: Watched) {
        let before = self.lock().get_mut(slot).and_then(|slot| slot.watched.replace(watched));
        // Outside the lock: the last handle of a breaker may run its observers.
        drop(before);
    }

    pub(super) fn give_back(&self, slot: usize) {
        let watched = self.lock().get_mut(slot).and_then(|slot| {
            slot.live = false;
            slot.watched.take()
        });
        drop(watched);
    }

    /// The counts of the living.
    pub(super) fn live(&self) -> Vec<Arc<Cells>> {
        self.lock().iter().filter(|slot| slot.live).map(|slot| Arc::clone(&slot.cells)).collect()
    }

    /// 0 closed, 1 open, 2 half-open. Forced open reads 1, forced closed and disabled 0,
    /// observe-only the state it would have: [`CircuitBreaker::state`] says so already.
    pub(super) fn states(&self) -> Vec<Reading> {
        self.readings(|watched| match watched.breaker.state() {
            State::Closed => 0,
            State::Open => 1,
            State::HalfOpen => 2,
        })
    }

    pub(super) fn scores(&self) -> Vec<Reading> {
        self.readings(|watched| u64::from(watched.health.score(watched.breaker.state())))
    }

    fn readings(&self, read: impl Fn(&Watched) -> u64) -> Vec<Reading> {
        let read = |slot: &Slot| Some((slot.cells.name.clone(), read(slot.watched.as_ref()?)));
        self.lock().iter().filter_map(read).collect()
    }
}

fn take(
    slots: &mut Vec<Slot>,
    name: Option<&str>,
    new: impl FnOnce() -> Cells,
) -> Option<(usize, Arc<Cells>)> {
    let known = slots.iter().position(|slot| slot.cells.name.as_deref() == name);
    let index = known.unwrap_or(slots.len());
    if known.is_none() {
        slots.push(Slot { cells: Arc::new(new()), live: false, watched: None });
    }
    let slot = slots.get_mut(index).filter(|slot| !slot.live)?;
    slot.live = true;
    Some((index, Arc::clone(&slot.cells)))
}
