//! One load of a key at a time, and not too many in all.
//!
//! When a popular key ends, everybody misses it at once. If each of them asked the source, it would get
//! in a moment what the cache kept from it all day. So those who miss meet here: one of them loads, the
//! others wait for what it finds. Whoever leads may go away at any moment; then the next in line leads,
//! with a loader of its own. They meet until the leader has also handed on what it found: whoever comes
//! before Redis has the value still finds it here.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Semaphore;

/// What a load came to; everyone who waited gets it.
pub(super) type Loaded = Result<Bytes, Arc<dyn StdError + Send + Sync>>;

/// The place where those meet who miss the same key. Its turn is the right to load.
type Flight = tokio::sync::Mutex<Option<Loaded>>;

/// A place, and how many are there.
#[derive(Debug, Default)]
struct Meeting {
    flight: Arc<Flight>,
    present: usize,
}

/// The loads of one client.
#[derive(Debug)]
pub(crate) struct Loads {
    meetings: Mutex<HashMap<Bytes, Meeting>>,
    slots: Semaphore,
    ended: AtomicU64,
}

impl Loads {
    pub(crate) fn new(at_once: usize) -> Self {
        Self {
            meetings: Mutex::default(),
            slots: Semaphore::new(at_once.clamp(1, Semaphore::MAX_PERMITS)),
            ended: AtomicU64::new(0),
        }
    }

    /// Counts the loads that have ended: a miss from before the last one may be out of date.
    pub(super) fn ended(&self) -> u64 {
        self.ended.load(Ordering::Acquire)
    }

    pub(super) fn join(&self, key: &Bytes) -> Joined<'_> {
        let mut meetings = self.meetings();
        let meeting = meetings.entry(key.clone()).or_default();
        meeting.present = meeting.present.saturating_add(1);
        let flight = Arc::clone(&meeting.flight);
        drop(meetings);
        Joined { loads: self, key: key.clone(), flight, led: false }
    }

    fn meetings(&self) -> MutexGuard<'_, HashMap<Bytes, Meeting>> {
        // Nothing panics while it holds the lock.
        self.meetings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of those who wait for a key. The one who has led takes the flight along when it leaves, so
/// that those who come from then on start anew; and so does the last one.
pub(super) struct Joined<'a> {
    loads: &'a Loads,
    key: Bytes,
    flight: Arc<Flight>,
    led: bool,
}

impl Joined<'_> {
    /// Waits for the turn; then takes what was loaded, or loads.
    ///
    /// # Cancellation
    ///
    /// Dropped while it loads, it passes the turn on.
    #[expect(clippy::significant_drop_tightening, reason = "the turn is the right to load")]
    pub(super) async fn lead_or_follow<F>(&mut self, load: impl FnOnce() -> F) -> Loaded
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
        self.led = true;
        loaded
    }
}

impl Drop for Joined<'_> {
    fn drop(&mut self) {
        let mut meetings = self.loads.meetings();
        if self.led {
            // Before the next one can begin, so that it looks again if it missed before.
            self.loads.ended.fetch_add(1, Ordering::AcqRel);
        }
        let here = meetings.get_mut(&self.key);
        // Another one has begun where the leader has already gone.
        let Some(here) = here.filter(|here| Arc::ptr_eq(&here.flight, &self.flight)) else {
            return;
        };
        here.present = here.present.saturating_sub(1);
        if self.led || here.present == 0 {
            meetings.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::{hint, thread};

    use super::*;

    #[test]
    fn of_two_who_leave_together_one_takes_the_flight_along() {
        const ROUNDS: usize = 10_000;
        let (loads, arrived) = (Loads::new(1), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    for round in 1..=ROUNDS {
                        let joined = loads.join(&Bytes::from(round.to_be_bytes().to_vec()));
                        arrived.fetch_add(1, Ordering::SeqCst);
                        // A barrier of the operating system would let one go well before the other.
                        for spins in 0_u32.. {
                            if arrived.load(Ordering::SeqCst) >= 2 * round {
                                break;
                            } else if spins < 500 {
                                hint::spin_loop();
                            } else {
                                thread::yield_now();
                            }
                        }
                        drop(joined);
                    }
                });
            }
        });
        assert_eq!(loads.meetings().len(), 0);
    }
}
