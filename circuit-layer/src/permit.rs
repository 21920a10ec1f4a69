//! Permission as a value.
//!
//! A breaker that hands out `true` has to hope that whoever got it comes back, and a probe whose
//! caller was cancelled wedges it. A [`Permit`] comes back by itself: it is settled once, by an
//! outcome or by `Drop`, and it knows the generation that issued it, so that it can not speak for
//! another one.

use crate::cell::Cell;
use crate::clock::Moment;
use crate::machine::Ticket;
use crate::outcome::{Outcome, Recorded};

/// The breaker admitted this call.
///
/// Settle it with [`success`](Self::success), [`failure`](Self::failure) or
/// [`record`](Self::record); each consumes it. A permit may outlive every handle of its breaker.
///
/// # Cancellation
///
/// Dropping a permit gives a probe's slot back. It counts as nothing, unless the call had been out
/// for [`abandoned_after`](crate::CircuitBreakerBuilder::abandoned_after): then whoever dropped it
/// had waited in vain, and it counts as a failure.
///
/// # A permit can not be settled twice
///
/// ```compile_fail,E0382
/// let breaker = circuit_layer::CircuitBreaker::new("search");
/// let permit = breaker.try_acquire().unwrap();
/// permit.success();
/// permit.failure("timeout"); // use of moved value
/// ```
#[must_use = "a permit that is dropped at once admits nothing"]
#[derive(Debug)]
pub struct Permit {
    cell: &'static Cell,
    ticket: Ticket,
    started: Option<Moment>,
    follow_up: bool,
}

#[expect(clippy::must_use_candidate, reason = "settling is done for its effect")]
impl Permit {
    pub(crate) fn new(cell: &'static Cell, ticket: Ticket) -> Self {
        Self { cell, ticket, started: None, follow_up: false }
    }

    /// For a call whose policy wants to know how long it takes.
    pub(crate) fn timed(cell: &'static Cell, ticket: Ticket, now: Moment) -> Self {
        Self { cell, ticket, started: ticket.timed.then_some(now), follow_up: false }
    }

    /// The call succeeded.
    pub fn success(self) -> Recorded {
        self.record(Outcome::Success)
    }

    /// The call failed in a way that has this short name.
    pub fn failure(self, kind: &'static str) -> Recorded {
        self.record(Outcome::failure(kind))
    }

    /// The call ended like this.
    ///
    /// Returns [`Recorded::Stale`] when the generation that admitted the call is over; the outcome
    /// has then changed nothing.
    #[inline]
    pub fn record(mut self, outcome: Outcome) -> Recorded {
        self.settle(outcome)
    }

    /// Settles a probe as a success now and keeps watching the rest of its answer.
    ///
    /// For streamed answers: a slow reader must not hold one of the few probe slots. The permit that
    /// comes back holds no slot, belongs to the generation that is current after the settlement, and
    /// only a failure of it counts. A permit that is no probe comes back as it was.
    pub fn settle_early(mut self) -> Self {
        if !self.is_probe() {
            return self;
        }
        let ticket = self.take();
        let ticket = self.cell.settle_early(ticket, self.started);
        Self { cell: self.cell, ticket, started: None, follow_up: true }
    }

    /// The generation that admitted the call; zero if nothing of it counts.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.ticket.generation
    }

    /// Whether the call is one of the few that decide in half-open.
    #[must_use]
    pub const fn is_probe(&self) -> bool {
        self.ticket.probe != 0
    }

    /// Starts the time that `abandoned_after` and slow calls are measured by.
    pub(crate) fn start(&mut self, now: Moment) {
        self.started.get_or_insert(now);
    }

    /// Starts the time now, unless it runs already.
    #[inline]
    pub(crate) fn start_if_pending(&mut self) {
        if self.started.is_none() {
            self.started = Some(self.cell.now());
        }
    }

    /// Settles in place, for the future that carries the permit. A second time does nothing.
    #[inline]
    pub(crate) fn settle(&mut self, outcome: Outcome) -> Recorded {
        let ticket = self.take();
        if outcome == Outcome::Success {
            if ticket.probe == 0 && self.cell.is_pristine(ticket.generation) {
                return Recorded::Counted;
            }
            if self.follow_up {
                return Recorded::Ignored;
            }
            if ticket.probe == 0 && self.cell.count_aside(ticket.generation) {
                return Recorded::Counted;
            }
        }
        self.cell.settle(ticket, self.started, outcome)
    }

    fn take(&mut self) -> Ticket {
        std::mem::replace(&mut self.ticket, Ticket::UNCOUNTED)
    }

    #[cold]
    fn give_back(&mut self) {
        let abandoned =
            self.started.is_some_and(|started| self.cell.is_abandoned(started, self.cell.now()));
        if abandoned {
            self.settle(Outcome::ABANDONED);
        } else if self.ticket.probe != 0 || self.ticket.timed {
            self.settle(Outcome::Ignored);
        }
    }
}

impl Drop for Permit {
    #[inline]
    fn drop(&mut self) {
        if self.ticket != Ticket::UNCOUNTED && (self.started.is_some() || self.ticket.probe != 0) {
            self.give_back();
        }
    }
}
