//! Where a breaker lives: the published word, the lock, and the effects around the machine.
//!
//! A future that outlives every handle must still reach its breaker when it ends. Cloning an `Arc`
//! into each future costs more than everything else on the closed path and is the one thing that
//! two cores would fight over. So cells are never freed: a call reaches its cell by a plain
//! `&'static` reference. Dropping the last handle empties the cell, ends its generation, so that
//! permits still out are stale, and puts it back for the next breaker.

mod active_probe;
mod ledger;
mod published;
mod step;
#[cfg(test)]
#[cfg(not(circuit_loom))]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use self::ledger::Ledger;
use self::published::Published;
use crate::active_probe::{ActiveProbe, Prober};
use crate::cause::Cause;
use crate::clock::{Clock, Kind, Moment};
use crate::error::{Reason, Rejected};
use crate::front::Front;
use crate::machine::{At, Machine, Order, Refusal, Rules, Ticket, Time};
use crate::observe::{Audience, Event};
use crate::outcome::{Outcome, Recorded};
use crate::policy::Deferral;
use crate::state::State;
use crate::sync::{AtomicU64, Mutex, Ordering, lock};
use crate::word::Word;

pub(crate) struct Cell {
    published: Published,
    front: Front,
    rejected: AtomicU64,
    core: Mutex<Option<Core>>,
}

/// The cold half of a breaker, behind the lock.
struct Core {
    machine: Machine,
    rules: Rules,
    ledger: Ledger,
}

/// Everything that a breaker starts with.
pub(crate) struct Seed {
    pub(crate) name: String,
    pub(crate) rules: Rules,
    pub(crate) clock: Clock,
    pub(crate) audience: Audience,
    pub(crate) abandoned_after: Option<Duration>,
    pub(crate) active_probe: Option<ActiveProbe>,
}

impl Cell {
    pub(crate) fn new() -> Self {
        Self {
            published: Published::new(),
            front: Front::new(),
            rejected: AtomicU64::new(0),
            core: Mutex::new(None),
        }
    }

    /// Moves a breaker in. The cell must be empty: the arena hands out no other.
    pub(crate) fn settle_in(&self, name: &'static str, seed: Seed) {
        let now = seed.clock.now();
        let born = self.word().generation() + 1;
        let machine = Machine::new(name, born, At { now, rules: &seed.rules, roll: 0.0 });
        self.published.set_abandoned_after(seed.abandoned_after);
        self.published.set_clock(seed.clock.kind());
        self.published.set_noisy(seed.audience.wants_rejections());
        self.rejected.store(0, Ordering::Relaxed);
        let mut ledger = Ledger::new(name, born, seed.clock, seed.audience);
        ledger.prober = seed.active_probe.map(Prober::new);
        self.published.set_probe_due(ledger.probe_due());
        let mut slot = lock(&self.core);
        self.published.publish(&machine);
        self.front.open(machine.deferral());
        *slot = Some(Core { machine, rules: seed.rules, ledger });
    }

    /// Moves the breaker out: its data is freed and its permits are stale.
    pub(crate) fn move_out(&self) {
        let mut slot = lock(&self.core);
        let gone = slot.take();
        self.front.take();
        self.front.open(Deferral::NONE);
        self.published.end_generation();
        drop(slot);
        drop(gone);
    }

    #[inline]
    pub(crate) fn word(&self) -> Word {
        self.published.word()
    }

    /// Whether this generation lasts and a success changes nothing in it.
    #[inline]
    pub(crate) fn is_pristine(&self, generation: u64) -> bool {
        self.word() == Word::pristine(generation)
    }

    /// Counts a success without the lock, if the policy lets it wait. Its code is kept out of the calls
    /// that have nothing to count.
    #[inline(never)]
    pub(crate) fn count_aside(&self, generation: u64) -> bool {
        let Some(door) = self.front.door() else { return false };
        if self.word() != Word::counting(generation) {
            return false;
        }
        let until = self.front.until();
        (until.is_never() || self.now() < until) && self.front.count(door)
    }

    /// The time by the breaker's clock, without its lock unless a test owns the clock.
    pub(crate) fn now(&self) -> Moment {
        match self.published.clock() {
            Kind::Tokio => Clock::default().now(),
            Kind::Coarse => Clock::coarse().now(),
            Kind::Manual => self.manual_now(),
        }
    }

    #[cold]
    fn manual_now(&self) -> Moment {
        lock(&self.core).as_ref().map_or(Moment::NEVER, |core| core.ledger.clock.now())
    }

    /// Whether the wait still lasts, for a word that says shut.
    pub(crate) fn is_shut(&self, now: Moment) -> bool {
        now < self.published.deadline()
    }

    /// The rejection while shut, without the lock. None once the wait is over.
    #[inline]
    pub(crate) fn shut_until(&self, now: Moment) -> Option<Refusal> {
        self.published.shut_until(now)
    }

    /// Asks the machine for an admission.
    pub(crate) fn admit(&self, now: Moment) -> Result<Ticket, Refusal> {
        let gone = Refusal {
            state: State::Closed,
            reason: Reason::NotReady,
            until: None,
            cause: Cause::Released.into(),
        };
        self.step(now, |machine, ledger, at| {
            let admitted = machine.admit(at);
            if admitted == Ok(Ticket::UNCOUNTED) {
                let generation = machine.generation();
                ledger.notes.push(Event::WouldReject { name: ledger.name, generation });
            }
            admitted
        })
        .unwrap_or(Err(gone))
    }

    /// Whether a call would be rejected at this moment. Reserves nothing.
    pub(crate) fn forecast(&self, now: Moment) -> Option<Refusal> {
        self.step(now, |machine, _, at| {
            machine.tick(at);
            machine.refusal(now, &at.rules.half_open)
        })?
    }

    /// What a waiting caller has to wait for: a word that there is room, or a moment. None if a call
    /// could be admitted already.
    pub(crate) fn wait_for_room(&self, now: Moment) -> Option<(watch::Receiver<()>, Moment)> {
        self.step(now, |machine, ledger, at| {
            machine.tick(at);
            // Subscribed under the lock that every change takes, so no word can get lost.
            let refused = machine.refusal(now, &at.rules.half_open).is_some();
            refused.then(|| (ledger.room.subscribe(), machine.wake_at()))
        })?
    }

    /// Hands an outcome to the machine.
    #[cold]
    pub(crate) fn settle(&self, ticket: Ticket, time: Option<Time>, outcome: Outcome) -> Recorded {
        if ticket.generation == Ticket::UNCOUNTED.generation {
            return Recorded::Ignored;
        }
        self.step(self.now(), |machine, ledger, at| {
            let recorded = machine.settle(ticket, time, outcome, at);
            if recorded == Recorded::Stale {
                ledger.note_stale(ticket.generation, outcome);
            }
            recorded
        })
        .unwrap_or(Recorded::Stale)
    }

    /// Settles a probe as a success and hands back a ticket of the then current generation.
    pub(crate) fn settle_early(&self, ticket: Ticket, time: Option<Time>) -> Ticket {
        self.step(self.now(), |machine, ledger, at| {
            machine.settle_early(ticket, time, at).unwrap_or_else(|| {
                ledger.note_stale(ticket.generation, Outcome::Success);
                Ticket::UNCOUNTED
            })
        })
        .unwrap_or(Ticket::UNCOUNTED)
    }

    /// Ends the time of a call whose answer has begun. None if its outcome needs none.
    pub(crate) fn answered(&self, ticket: Ticket, time: Time) -> Option<Time> {
        self.step(self.now(), |machine, _, at| machine.answered(ticket, time, at))?
    }

    pub(crate) fn order(&self, order: Order, reason: Arc<str>, now: Moment) {
        self.step(now, |machine, _, at| machine.order(order, reason, at));
    }

    /// Whether a call that began then has been out for so long that dropping it means something.
    pub(crate) fn is_abandoned(&self, started: Moment, now: Moment) -> bool {
        self.published.is_abandoned(now - started)
    }

    /// Counts a rejection, tells those who want to hear of each, and lets the active probe start.
    #[inline]
    pub(crate) fn reject(
        &'static self,
        name: &'static str,
        refusal: Refusal,
        now: Moment,
    ) -> Rejected {
        self.rejected.fetch_add(1, Ordering::Relaxed);
        let rejected = Rejected {
            name,
            state: refusal.state,
            reason: refusal.reason,
            retry_after: refusal.until.map(|until| until - now),
            cause: refusal.cause,
        };
        if self.published.is_noisy() {
            self.tell_of(rejected, now);
        }
        if refusal.reason == Reason::Open && self.published.is_probe_due(now) {
            self.start_active_probe(now);
        }
        rejected
    }

    #[cold]
    fn tell_of(&self, rejected: Rejected, now: Moment) {
        self.step(now, |_, ledger, _| ledger.notes.push(Event::Rejected(rejected)));
    }

    pub(crate) fn rejected(&self) -> u64 {
        self.rejected.load(Ordering::Relaxed)
    }

    /// Reads or changes the cold half.
    pub(crate) fn look<R>(
        &self,
        look: impl FnOnce(&mut Machine, &mut Ledger, At<'_>) -> R,
    ) -> Option<R> {
        self.step(self.now(), look)
    }
}

impl std::fmt::Debug for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cell").field("word", &self.word()).finish_non_exhaustive()
    }
}
