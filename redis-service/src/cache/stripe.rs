//! What was told about a few of the keys, and our own writes that are under way.

use std::time::Duration;

use bytes::Bytes;
use circuit_layer::Moment;

use super::entry::Entry;
use super::era::Trust;
use super::{Cache, DOUBTS, Stamp, lock};

/// The keys of one hash.
#[derive(Debug, Default)]
pub(super) struct Stripe {
    /// Changes told, and writes begun or ended.
    pub(super) changes: u64,
    writing: Vec<Writing>,
    last: u64,
}

/// A write of ours that is under way.
#[derive(Debug)]
struct Writing {
    id: u64,
    key: Bytes,
    /// A change was told meanwhile: this write, or somebody else's.
    echoed: bool,
    /// Another write of the same key was under way at the same time: nobody knows which was last.
    spoiled: bool,
}

/// Taken before a write is sent, and given back with what came of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    stripe: usize,
    id: u64,
    era: Stamp,
    at: Moment,
}

/// What a write came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// The key holds this now, for so long.
    Value(Bytes, Option<Duration>),
    /// It may hold anything.
    Unknown,
    /// Nothing was changed.
    Nothing,
}

impl Stripe {
    pub(super) const fn bump(&mut self) {
        self.changes = self.changes.wrapping_add(1);
    }

    /// A change was told that may be one of ours.
    pub(super) fn echo(&mut self, key: &Bytes) {
        for write in self.writing.iter_mut().filter(|write| write.key == *key) {
            write.spoiled |= write.echoed;
            write.echoed = true;
        }
    }

    /// Every key was changed.
    pub(super) fn spoil(&mut self) {
        self.bump();
        for write in &mut self.writing {
            write.spoiled = true;
        }
    }

    fn begin(&mut self, key: &Bytes) -> u64 {
        self.bump();
        self.last = self.last.wrapping_add(1);
        let mut spoiled = false;
        for other in self.writing.iter_mut().filter(|write| write.key == *key) {
            other.spoiled = true;
            spoiled = true;
        }
        self.writing.push(Writing { id: self.last, key: key.clone(), echoed: false, spoiled });
        self.last
    }

    fn end(&mut self, id: u64) -> Option<Writing> {
        self.bump();
        let at = self.writing.iter().position(|write| write.id == id)?;
        Some(self.writing.swap_remove(at))
    }
}

#[expect(
    clippy::significant_drop_tightening,
    reason = "the lock of a stripe covers the entry as well"
)]
impl Cache {
    /// A key is about to be written.
    pub(crate) fn begin_write(&self, key: &Bytes, now: Moment) -> Mark {
        let stripe = self.stripe_of(key);
        let id = self.stripe(stripe).begin(key);
        Mark { stripe, id, era: self.stamp(), at: now }
    }

    /// The write has come to an end.
    pub(crate) fn end_write(&self, mark: Mark, key: &Bytes, written: Written) {
        let mut stripe = self.stripe(mark.stripe);
        let Some(write) = stripe.end(mark.id) else { return };
        match written {
            Written::Nothing => {}
            Written::Value(value, ttl) if !write.spoiled && self.stamp() == mark.era => {
                self.wrote(mark, key, value, ttl, write.echoed);
            }
            Written::Value(..) | Written::Unknown => {
                self.entries.remove(key);
            }
        }
    }

    fn wrote(&self, mark: Mark, key: &Bytes, value: Bytes, ttl: Option<Duration>, echoed: bool) {
        let watched = matches!(self.era().trust, Trust::Watched { .. });
        let owed = self.entries.peek(key).filter(|kept| kept.era == mark.era.number());
        let owed = owed.map_or(0, |kept| kept.echoes);
        let entry = Entry {
            value: Some(value),
            until: ttl.map_or(Moment::NEVER, |ttl| mark.at + ttl),
            echoes: if watched { owed.saturating_add(u8::from(!echoed)) } else { 0 },
            doubt: watched,
            ..Entry::read(mark.at, mark.era.number())
        };
        self.entries.insert(key.clone(), entry);
        // What is too heavy to be kept needs nobody to read it back.
        if watched && self.entries.contains_key(key) && !self.doubt(key) {
            self.entries.remove(key);
        }
    }

    /// Asks for the read that will confirm the key. False if too many wait.
    pub(super) fn doubt(&self, key: &Bytes) -> bool {
        let mut doubtful = lock(&self.doubtful);
        doubtful.contains(key) || (doubtful.len() < DOUBTS && doubtful.insert(key.clone()))
    }

    /// Keys whose values nobody has read since we wrote them.
    pub(crate) fn take_doubtful(&self) -> Vec<Bytes> {
        lock(&self.doubtful).drain().collect()
    }

    /// How many bytes a value has that is kept and in doubt.
    pub(crate) fn in_doubt(&self, key: &Bytes) -> Option<usize> {
        let kept = self.entries.peek(key).filter(|kept| kept.doubt)?;
        kept.value.map(|value| value.len())
    }

    /// Keeps a write that Redis did not get, or forgets it.
    pub(crate) fn write_local(
        &self,
        key: &Bytes,
        value: Option<Bytes>,
        ttl: Option<Duration>,
        now: Moment,
    ) {
        let mut stripe = self.stripe(self.stripe_of(key));
        stripe.bump();
        let until = ttl.map_or(Moment::NEVER, |ttl| now + ttl);
        let entry = Entry { value, until, local: true, ..Entry::read(now, 0) };
        self.entries.insert(key.clone(), entry);
    }

    pub(crate) fn forget(&self, key: &Bytes) {
        let mut stripe = self.stripe(self.stripe_of(key));
        stripe.bump();
        self.entries.remove(key);
    }
}
