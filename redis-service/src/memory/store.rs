//! The keys of the Redis in memory, and when they end.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use bytes::Bytes;
use circuit_layer::Moment;

use super::link::Refusal;

/// What a key holds. Empty lists, hashes and sets are no keys.
#[derive(Clone, Debug)]
pub(super) enum Data {
    Text(Bytes),
    List(VecDeque<Bytes>),
    Hash(BTreeMap<Bytes, Bytes>),
    Set(BTreeSet<Bytes>),
    Sorted(BTreeMap<Bytes, f64>),
}

impl Data {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Text(_) => "string",
            Self::List(_) => "list",
            Self::Hash(_) => "hash",
            Self::Set(_) => "set",
            Self::Sorted(_) => "zset",
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::Text(_) => false,
            Self::List(list) => list.is_empty(),
            Self::Hash(hash) => hash.is_empty(),
            Self::Set(set) => set.is_empty(),
            Self::Sorted(sorted) => sorted.is_empty(),
        }
    }
}

/// One kind of [`Data`].
pub(super) trait Kind: Default {
    fn of(data: &mut Data) -> Option<&mut Self>;
    fn wrap(self) -> Data;
}

macro_rules! kinds {
    ($($variant:ident: $kind:ty),*) => {$(
        impl Kind for $kind {
            fn of(data: &mut Data) -> Option<&mut Self> {
                if let Data::$variant(inner) = data { Some(inner) } else { None }
            }

            fn wrap(self) -> Data {
                Data::$variant(self)
            }
        }
    )*};
}

kinds!(
    Text: Bytes,
    List: VecDeque<Bytes>,
    Hash: BTreeMap<Bytes, Bytes>,
    Set: BTreeSet<Bytes>,
    Sorted: BTreeMap<Bytes, f64>
);

const WRONG_TYPE: &str = "WRONGTYPE Operation against a key holding the wrong kind of value";

#[derive(Debug, Default)]
pub(super) struct Store {
    keys: HashMap<Bytes, (Data, Moment)>,
    changes: Vec<Bytes>,
}

impl Store {
    /// Reads a key; a key of another type is an error.
    pub(super) fn read<K: Kind>(
        &mut self,
        key: &Bytes,
        now: Moment,
    ) -> Result<Option<&K>, Refusal> {
        match self.alive(key, now) {
            None => Ok(None),
            Some((data, _)) => match K::of(data) {
                Some(inner) => Ok(Some(inner)),
                None => Err(WRONG_TYPE.to_owned()),
            },
        }
    }

    /// Changes a key, which is made if there is none, and goes once it is empty.
    pub(super) fn change<K: Kind, T>(
        &mut self,
        key: &Bytes,
        now: Moment,
        change: impl FnOnce(&mut K) -> T,
    ) -> Result<T, Refusal> {
        if self.alive(key, now).is_none() {
            self.keys.insert(key.clone(), (K::default().wrap(), Moment::NEVER));
        }
        let entry = self.keys.get_mut(key).and_then(|(data, _)| K::of(data));
        let result = change(entry.ok_or_else(|| WRONG_TYPE.to_owned())?);
        if self.keys.get(key).is_some_and(|(data, _)| data.is_empty()) {
            self.keys.remove(key);
        }
        self.changes.push(key.clone());
        Ok(result)
    }

    pub(super) fn put(&mut self, key: Bytes, text: Bytes, until: Moment) {
        self.changes.push(key.clone());
        self.keys.insert(key, (Data::Text(text), until));
    }

    pub(super) fn remove(&mut self, key: &Bytes, now: Moment) -> bool {
        let was = self.alive(key, now).is_some();
        self.keys.remove(key);
        if was {
            self.changes.push(key.clone());
        }
        was
    }

    pub(super) fn name(&mut self, key: &Bytes, now: Moment) -> Option<&'static str> {
        self.alive(key, now).map(|(data, _)| data.name())
    }

    /// When a key ends, which may be `NEVER`.
    pub(super) fn until(&mut self, key: &Bytes, now: Moment) -> Option<Moment> {
        self.alive(key, now).map(|(_, until)| *until)
    }

    /// Lets a key end at another time. False if there is none.
    pub(super) fn end(&mut self, key: &Bytes, until: Moment, now: Moment) -> bool {
        let Some((_, end)) = self.alive(key, now) else { return false };
        *end = until;
        self.changes.push(key.clone());
        true
    }

    pub(super) fn len(&self, now: Moment) -> usize {
        self.keys.values().filter(|(_, until)| *until > now).count()
    }

    pub(super) fn clear(&mut self) {
        let keys = std::mem::take(&mut self.keys);
        self.changes.extend(keys.into_keys());
    }

    pub(super) fn take_changes(&mut self) -> Vec<Bytes> {
        std::mem::take(&mut self.changes)
    }

    fn alive(&mut self, key: &Bytes, now: Moment) -> Option<&mut (Data, Moment)> {
        if self.keys.get(key).is_some_and(|(_, until)| *until <= now) {
            self.keys.remove(key);
            self.changes.push(key.clone());
        }
        self.keys.get_mut(key)
    }
}
