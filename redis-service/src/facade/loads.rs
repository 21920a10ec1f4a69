//! One load of a key at a time, and not too many in all.
//!
//! When a popular key ends, everybody misses it at once. If each of them asked the source, it would get
//! in a moment what the cache kept from it all day. So those who miss meet here: one of them loads, the
//! others wait for what it finds. Whoever leads may go away at any moment; then the next in line leads,
//! with a loader of its own.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;
use tokio::sync::Semaphore;

/// What a load came to; everyone who waited gets it.
pub(super) type Loaded = Result<Bytes, Arc<dyn StdError + Send + Sync>>;

/// The place where those meet who miss the same key. Its turn is the right to load.
type Flight = tokio::sync::Mutex<Option<Loaded>>;

/// The loads of one client.
#[derive(Debug)]
pub(crate) struct Loads {
    flights: Mutex<HashMap<Bytes, Weak<Flight>>>,
    slots: Semaphore,
    ended: AtomicU64,
}

impl Loads {
    pub(crate) fn new(at_once: usize) -> Self {
        Self {
            flights: Mutex::default(),
            slots: Semaphore::new(at_once.clamp(1, Semaphore::MAX_PERMITS)),
            ended: AtomicU64::new(0),
        }
    }

    /// Counts the loads that have ended: a miss from before the last one may be out of date.
    pub(super) fn ended(&self) -> u64 {
        self.ended.load(Ordering::Acquire)
    }

    pub(super) fn join(&self, key: &Bytes) -> Joined<'_> {
        let mut flights = self.flights();
        let running = flights.get(key).and_then(Weak::upgrade);
        let flight = running.unwrap_or_else(|| {
            let flight = Arc::default();
            flights.insert(key.clone(), Arc::downgrade(&flight));
            flight
        });
        drop(flights);
        Joined { loads: self, key: key.clone(), flight }
    }

    fn flights(&self) -> MutexGuard<'_, HashMap<Bytes, Weak<Flight>>> {
        // Nothing panics while it holds the lock.
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of those who wait for a key. The last one to leave takes the flight along.
pub(super) struct Joined<'a> {
    loads: &'a Loads,
    key: Bytes,
    flight: Arc<Flight>,
}

impl Joined<'_> {
    /// Waits for the turn; then takes what was loaded, or loads.
    ///
    /// # Cancellation
    ///
    /// Dropped while it loads, it passes the turn on.
    #[expect(clippy::significant_drop_tightening, reason = "the turn is the right to load")]
    pub(super) async fn lead_or_follow<F>(&self, load: impl FnOnce() -> F) -> Loaded
    where
        F: Future<Output = Loaded>,
    {
        let mut turn = self.flight.lock().await;
        if let Some(loaded) = &*turn {
            return loaded.clone();
        }
        // Never closed, so there always is a permit in the end.
        let slot = self.loads.slots.acquire().await;
        let loaded = load().await;
        drop(slot);
        *turn = Some(loaded.clone());
        self.loads.ended.fetch_add(1, Ordering::AcqRel);
        loaded
    }

    /// Those who come from now on start anew.
    pub(super) fn end(&self) {
        let mut flights = self.loads.flights();
        if flights.get(&self.key).is_some_and(|flight| flight.ptr_eq(&Arc::downgrade(&self.flight)))
        {
            flights.remove(&self.key);
        }
    }
}

impl Drop for Joined<'_> {
    fn drop(&mut self) {
        let mut flights = self.loads.flights();
        let last = Arc::strong_count(&self.flight) == 1;
        if last
            && flights
                .get(&self.key)
                .is_some_and(|flight| flight.ptr_eq(&Arc::downgrade(&self.flight)))
        {
            flights.remove(&self.key);
        }
    }
}
