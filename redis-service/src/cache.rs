//! What a client remembers of Redis, kept true by the news of changes.
//!
//! A cache beside a server has three ways to lie: it keeps a value that another client has overwritten,
//! it stores an old answer after the news of its change, and it grows. Against the first stand the
//! [eras](era), against the second the tickets, against the third a cache that is bounded by weight.
//!
//! A *ticket* is taken before a request is sent. The reply is kept only if no change of its key was
//! told meanwhile: the answer and the news travel on different connections, and either may be first.
//! Keys share a thousand stripes, so a change of one key may keep the reply of another from being
//! stored; the next read stores it.
//!
//! Our own writes are told too, as an *echo* that looks like anybody's change. So a write knows how many
//! echoes it is owed, and until one read has confirmed what it left in Redis (within a second, unless too
//! much is written: see `fallback::tracker`) its value is *in doubt*: it ages from the write, not from the
//! last news.

mod entry;
pub(crate) mod era;
mod find;
mod stripe;

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use circuit_layer::Moment;
use quick_cache::OptionsBuilder;
use quick_cache::sync::{Cache as Bounded, DefaultLifecycle};

use entry::{Entry, Weigh};
use era::{Era, News, Trust};
use stripe::Stripe;
pub(crate) use stripe::{Mark, Written};

const STRIPES: u16 = 1024;

/// Shards of the bounded cache; each has its part of the weight to itself.
const SHARDS: usize = 16;

/// Writes that wait for the read that confirms them; what is written beyond that is not kept.
const DOUBTS: usize = 1024;

/// Without news, a value that was read so long ago is stored again, to be younger.
const REFRESH: Duration = Duration::from_secs(1);

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) bytes: u64,
    pub(crate) entries: u64,
}

#[derive(Debug)]
pub(crate) struct Cache {
    entries: Bounded<Bytes, Entry, Weigh>,
    stripes: Box<[Mutex<Stripe>]>,
    hasher: RandomState,
    era: Mutex<Era>,
    /// The era's number, and whether it is cut, for those who only compare.
    published: AtomicU64,
    doubtful: Mutex<HashSet<Bytes>>,
}

/// Taken before a read is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket {
    stripe: usize,
    changes: u64,
    era: Stamp,
    at: Moment,
}

/// The era that a call was begun in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp(u64);

#[expect(
    clippy::significant_drop_tightening,
    reason = "the lock of a stripe covers the entry as well: news and replies meet there"
)]
impl Cache {
    pub(crate) fn new(bounds: Bounds) -> Self {
        let weigh = Weigh::new(bounds);
        let capacity = weigh.capacity(SHARDS);
        let items = usize::try_from(bounds.entries).unwrap_or(usize::MAX);
        let mut options = OptionsBuilder::new();
        options.shards(SHARDS).weight_capacity(capacity);
        options.estimated_items_capacity(items.clamp(32 * SHARDS, 1 << 20));
        let mut empty = Vec::new();
        empty.resize_with(usize::from(STRIPES), Mutex::default);
        let entries = match options.build() {
            Ok(options) => Bounded::with_options(
                options,
                weigh,
                Default::default(),
                DefaultLifecycle::default(),
            ),
            // Both numbers that it asks for were given.
            Err(_) => Bounded::with_weighter(items, capacity, weigh),
        };
        Self {
            entries,
            stripes: empty.into_boxed_slice(),
            hasher: RandomState::new(),
            era: Mutex::new(Era::FIRST),
            published: AtomicU64::new(0),
            doubtful: Mutex::default(),
        }
    }

    /// Takes in the news. What is void goes.
    pub(crate) fn hear(&self, news: News) {
        let mut era = lock(&self.era);
        let (before, after) = (*era, era.after(news));
        *era = after;
        self.published.store(stamp(after).0, Ordering::Release);
        drop(era);
        if before.number == after.number {
            return;
        }
        lock(&self.doubtful).clear();
        if before.trust == Trust::Unwatched {
            self.carry_over(before, after);
        } else {
            self.entries.retain(|_, entry| entry.local);
        }
    }

    /// Redis has not been out of reach since these were read, but nobody told whether they changed.
    fn carry_over(&self, before: Era, after: Era) {
        let keys: Vec<_> = self.entries.iter().map(|(key, _)| key).collect();
        for key in keys {
            let stripe = self.stripe(self.stripe_of(&key));
            let kept = self.entries.peek(&key).filter(|kept| kept.era == before.number);
            let Some(kept) = kept.filter(|kept| !kept.local) else { continue };
            if self.doubt(&key) {
                self.entries.insert(key, Entry { era: after.number, doubt: true, ..kept });
            } else {
                self.entries.remove(&key);
            }
            drop(stripe);
        }
    }

    pub(crate) fn era(&self) -> Era {
        *lock(&self.era)
    }

    pub(crate) fn stamp(&self) -> Stamp {
        Stamp(self.published.load(Ordering::Acquire))
    }

    /// Redis answered a call that was begun then.
    pub(crate) fn served(&self, begun: Stamp) -> bool {
        let Some(number) = begun.cut() else { return false };
        self.hear(News::Served { begun: number });
        true
    }

    /// A key is about to be read.
    pub(crate) fn ticket(&self, key: &Bytes, now: Moment) -> Ticket {
        let stripe = self.stripe_of(key);
        Ticket { stripe, changes: self.stripe(stripe).changes, era: self.stamp(), at: now }
    }

    /// Redis answered a read with this.
    pub(crate) fn learn(&self, ticket: Ticket, key: &Bytes, value: Option<&[u8]>, now: Moment) {
        let stripe = self.stripe(ticket.stripe);
        if stripe.changes != ticket.changes || self.stamp() != ticket.era {
            return;
        }
        let kept = self.entries.peek(key);
        let Some(value) = value else {
            // What has reached its end may still be needed, see `find_ended`.
            if kept.is_some_and(|kept| kept.until > now) {
                self.entries.remove(key);
            }
            return;
        };
        let kept = kept.filter(|kept| kept.era == ticket.era.number());
        let same = kept.filter(|kept| kept.value.as_deref() == Some(value));
        let read = ticket.at;
        if let Some(kept) = &same
            && !kept.doubt
            && now - kept.read < REFRESH
        {
            return;
        }
        let entry = Entry {
            // The same bytes are not copied again.
            value: same
                .as_ref()
                .map_or_else(|| Some(Bytes::copy_from_slice(value)), |kept| kept.value.clone()),
            until: same.as_ref().map_or(Moment::NEVER, |kept| kept.until),
            echoes: same.as_ref().map_or(0, |kept| kept.echoes),
            ..Entry::read(read, ticket.era.number())
        };
        self.entries.insert(key.clone(), entry);
    }

    /// Somebody has changed the key, perhaps we.
    pub(crate) fn changed(&self, key: &Bytes, now: Moment) {
        let mut stripe = self.stripe(self.stripe_of(key));
        stripe.bump();
        let kept = self.entries.peek(key);
        // The oldest echo comes first: that of the write whose value is kept, if it is owed one.
        if let Some(mut entry) = kept.clone().filter(|kept| kept.echoes > 0) {
            entry.echoes = entry.echoes.saturating_sub(1);
            self.entries.insert(key.clone(), entry);
            return;
        }
        stripe.echo(key);
        // The end of one that has ended is no news, and ours never was in Redis.
        if kept.is_some_and(|kept| kept.until > now && !kept.local) {
            self.entries.remove(key);
        }
    }

    /// We may have changed anything; who listens hears of it, key by key.
    pub(crate) fn changed_unless_told(&self) {
        if !matches!(self.era().trust, Trust::Watched { .. }) {
            self.changed_all();
        }
    }

    /// Everything has changed.
    pub(crate) fn changed_all(&self) {
        for stripe in &self.stripes {
            lock(stripe).spoil();
        }
        self.entries.retain(|_, entry| entry.local);
    }

    /// Entries, and what they weigh.
    pub(crate) fn size(&self) -> (usize, u64) {
        (self.entries.len(), self.entries.weight())
    }

    fn stripe_of(&self, key: &Bytes) -> usize {
        let hash = self.hasher.hash_one(key);
        usize::try_from(hash % u64::from(STRIPES)).unwrap_or_default()
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "`stripe_of` is a remainder of the number of stripes"
    )]
    fn stripe(&self, index: usize) -> MutexGuard<'_, Stripe> {
        lock(&self.stripes[index])
    }
}

impl Stamp {
    const fn number(self) -> u64 {
        self.0 >> 1
    }

    /// The number of the era, if it is cut.
    pub(crate) const fn cut(self) -> Option<u64> {
        if self.0 & 1 == 1 { Some(self.number()) } else { None }
    }
}

fn stamp(era: Era) -> Stamp {
    Stamp(era.number << 1 | u64::from(era.is_cut()))
}

/// Nothing panics while it holds one of these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
