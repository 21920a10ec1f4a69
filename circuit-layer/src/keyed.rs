//! A breaker for each key, and never too many of them.
//!
//! One breaker over many shards, tenants or hosts turns the outage of one into the outage of all; a
//! breaker for each keeps them apart, and a table of breakers that only grows is a leak that anybody
//! with an imagination for keys can open. So the table is bounded. What may go is decided by what
//! would be lost: a breaker that is closed, has no failure to remember and has not been asked for
//! lately is as good as a new one. Any other stays, however many come.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast;

use crate::breaker::{CircuitBreaker, LONGEST_CHANNEL};
use crate::builder::CircuitBreakerBuilder;
use crate::config_error::ConfigError;

const CAPACITY: usize = 1_000;

/// Breakers by key, all to the same measure.
///
/// When the table is full, breakers go that are closed, clean and idle: without a failure in their
/// counts, not looked up since the last time that room was needed, and held by nobody else. When none
/// can go, new keys share one *overflow* breaker whose name says so. A rejected caller of it learns
/// that it was not about his key alone.
///
/// All breakers carry the name of the table, because names are never freed and keys may come from
/// requests; the caller knows the key.
///
/// # Clone
///
/// Clones share the table.
///
/// ```
/// use circuit_layer::{CircuitBreaker, KeyedBreakers};
///
/// let shards = KeyedBreakers::new("shards", |builder| builder.fail_max(3))?;
/// let breaker = shards.get("eu-1");
/// assert_eq!(breaker.name(), "shards");
/// # Ok::<(), circuit_layer::ConfigError>(())
/// ```
pub struct KeyedBreakers<K>(Arc<Table<K>>);

/// A change in the table, told under its lock and so in order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyedEvent<K> {
    /// This key has got a breaker of its own.
    Added(K),
    /// The breaker of this key was let go. Whatever was kept for it outside, such as a series of
    /// metrics, may go as well.
    Removed(K),
}

struct Table<K> {
    name: String,
    measure: Box<dyn Fn(CircuitBreakerBuilder) -> CircuitBreakerBuilder + Send + Sync>,
    capacity: usize,
    overflow: CircuitBreaker,
    inside: Mutex<Inside<K>>,
}

struct Inside<K> {
    entries: HashMap<K, Entry>,
    listeners: Vec<broadcast::Sender<KeyedEvent<K>>>,
}

struct Entry {
    breaker: CircuitBreaker,
    /// Looked up since the last sweep.
    wanted: bool,
}

impl<K: Hash + Eq + Clone> KeyedBreakers<K> {
    /// A table of at most 1000 breakers, each built by `measure`.
    ///
    /// # Errors
    ///
    /// The first rule that the configuration breaks. It is checked once, here.
    pub fn new(
        name: &str,
        measure: impl Fn(CircuitBreakerBuilder) -> CircuitBreakerBuilder + Send + Sync + 'static,
    ) -> Result<Self, ConfigError> {
        Self::with_capacity(name, CAPACITY, measure)
    }

    /// A table of at most `capacity` breakers. With none at all every key shares the overflow breaker.
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new).
    pub fn with_capacity(
        name: &str,
        capacity: usize,
        measure: impl Fn(CircuitBreakerBuilder) -> CircuitBreakerBuilder + Send + Sync + 'static,
    ) -> Result<Self, ConfigError> {
        measure(CircuitBreaker::builder(name)).build()?;
        let overflow = measure(CircuitBreaker::builder(&format!("{name} (overflow)"))).build()?;
        Ok(Self(Arc::new(Table {
            name: name.to_owned(),
            measure: Box::new(measure),
            capacity,
            overflow,
            inside: Mutex::new(Inside { entries: HashMap::new(), listeners: Vec::new() }),
        })))
    }

    /// The breaker of this key: the one that is there, a new one, or the overflow breaker.
    pub fn get<Q>(&self, key: &Q) -> CircuitBreaker
    where
        Q: ToOwned<Owned = K> + Hash + Eq + ?Sized,
        K: std::borrow::Borrow<Q>,
    {
        // Dropped after the lock is: with a breaker go observers, which are foreign code.
        let _gone: Vec<Entry>;
        let mut inside = self.inside();
        if let Some(entry) = inside.entries.get_mut(key) {
            entry.wanted = true;
            return entry.breaker.clone();
        }
        if inside.entries.len() >= self.0.capacity {
            _gone = inside.sweep();
        }
        if inside.entries.len() >= self.0.capacity {
            return self.0.overflow.clone();
        }
        let breaker = self.0.fresh();
        let entry = Entry { breaker: breaker.clone(), wanted: true };
        inside.entries.insert(key.to_owned(), entry);
        inside.tell(|| KeyedEvent::Added(key.to_owned()));
        breaker
    }

    /// Lets every breaker go now that is closed, clean and idle since the last sweep, and tells how many
    /// those were. The table does so by itself when it needs room, and only then; there is no other
    /// time after which a breaker goes.
    #[expect(clippy::must_use_candidate, reason = "sweeping is done for its effect")]
    pub fn sweep(&self) -> usize {
        let gone = self.inside().sweep();
        gone.len()
    }

    /// The keys with breakers of their own, in no order, to look at. It asks for none of them: whoever
    /// is idle stays so, once the handles are dropped.
    #[must_use]
    pub fn breakers(&self) -> Vec<(K, CircuitBreaker)> {
        let inside = self.inside();
        inside.entries.iter().map(|(key, entry)| (key.clone(), entry.breaker.clone())).collect()
    }

    /// Each key that gets a breaker or loses it from now on, in a channel of this receiver's own that
    /// holds the newest `capacity` of them, at least 1 and at most 65 536. Whoever reads too slowly is
    /// told how many he has missed; [`breakers`](Self::breakers) tells where things stand.
    #[must_use]
    pub fn events(&self, capacity: usize) -> broadcast::Receiver<KeyedEvent<K>> {
        let (listener, events) = broadcast::channel(capacity.clamp(1, LONGEST_CHANNEL));
        let mut inside = self.inside();
        inside.listeners.retain(|listener| listener.receiver_count() > 0);
        inside.listeners.push(listener);
        events
    }

    /// How many keys have a breaker of their own.
    #[must_use]
    pub fn len(&self) -> usize {
        self.inside().entries.len()
    }

    /// Whether no key has a breaker of its own.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn inside(&self) -> MutexGuard<'_, Inside<K>> {
        self.0.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The breaker that keys share for which there is no room.
    #[must_use]
    pub fn overflow(&self) -> &CircuitBreaker {
        &self.0.overflow
    }
}

impl<K: Hash + Eq + Clone> Inside<K> {
    /// Lets the idle ones go, and starts to watch the others for being idle.
    fn sweep(&mut self) -> Vec<Entry> {
        let idle =
            |entry: &mut Entry| !std::mem::take(&mut entry.wanted) && entry.breaker.is_spare();
        let (keys, gone): (Vec<_>, Vec<_>) =
            self.entries.extract_if(|_, entry| idle(entry)).unzip();
        for key in keys {
            self.tell(|| KeyedEvent::Removed(key.clone()));
        }
        gone
    }

    fn tell(&self, event: impl Fn() -> KeyedEvent<K>) {
        for listener in &self.listeners {
            // An error means that nobody listens any more.
            drop(listener.send(event()));
        }
    }
}

impl<K> Table<K> {
    fn fresh(&self) -> CircuitBreaker {
        let builder = (self.measure)(CircuitBreaker::builder(&self.name));
        // The measure has been checked; one that changes its mind later still gets a breaker.
        builder.build().unwrap_or_else(|_| CircuitBreaker::new(&self.name))
    }
}

impl<K> Clone for KeyedBreakers<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K> fmt::Debug for KeyedBreakers<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedBreakers")
            .field("name", &self.0.name)
            .field("capacity", &self.0.capacity)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_that_has_stopped_to_listen_is_forgotten_when_the_next_one_comes() {
        let keys = KeyedBreakers::<u32>::new("keys", |builder| builder).unwrap();
        for _ in 0..100 {
            drop(keys.events(1));
        }
        let _events = keys.events(1);
        assert_eq!(keys.inside().listeners.len(), 1);
    }
}
