//! Permission as a value.
//!
//! A breaker that hands out `true` has to hope that whoever got it comes back, and a probe whose
//! caller was cancelled wedges it. A [`Permit`] comes back by itself: it is settled once, by an
//! outcome or by `Drop`, and it knows the generation that issued it, so that it can not speak for
//! another one.

use crate::abandoned::leave_mark;
use crate::cell::Cell;
use crate::clock::Moment;
use crate::machine::{Ticket, Time};
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
/// had waited in vain, and it counts as a failure. [`if_abandoned`](crate::if_abandoned) hears of that.
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
    time: Option<Time>,
    stage: Stage,
}

/// How much of the call is still to be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// All of it.
    Whole,
    /// The rest of an answer that has begun.
    Rest,
    /// The rest of an answer whose probe has been settled: only a failure counts.
    FollowUp,
}

#[expect(clippy::must_use_candidate, reason = "settling is done for its effect")]
impl Permit {
    pub(crate) fn new(cell: &'static Cell, ticket: Ticket) -> Self {
        Self { cell, ticket, time: None, stage: Stage::Whole }
    }

    /// For a call whose policy wants to know how long it takes.
    pub(crate) fn timed(cell: &'static Cell, ticket: Ticket, now: Moment) -> Self {
        let time = ticket.is_timed().then(|| Time::from(now));
        Self { cell, ticket, time, stage: Stage::Whole }
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

    /// The answer has begun: what remains to be judged is the rest of it.
    ///
    /// For streamed answers, whose length is not the dependency's doing. The call's time ends here:
    /// it is not slow because of its body, and dropping the rest counts as nothing, however late.
    ///
    /// A probe settles as a success now, because a slow reader must not hold one of the few slots.
    /// The permit that comes back then holds no slot, belongs to the generation that is current after
    /// the settlement, and only a failure of it counts.
    pub fn settle_early(mut self) -> Self {
        let (cell, time) = (self.cell, self.time.take());
        let ticket = self.take();
        if ticket.probe != 0 {
            let ticket = cell.settle_early(ticket, time);
            return Self { cell, ticket, time: None, stage: Stage::FollowUp };
        }
        let time = time.filter(|_| ticket.is_timed()).and_then(|time| match time.answered {
            Some(_) => Some(time),
            None => cell.answered(ticket, time),
        });
        Self { cell, ticket, time, stage: self.stage.max(Stage::Rest) }
    }

    /// Moves the permit out of the future that carries it.
    #[inline]
    pub(crate) fn hand_over(&mut self) -> Self {
        let (ticket, time) = (self.take(), self.time.take());
        Self { cell: self.cell, ticket, time, stage: self.stage }
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
        self.time.get_or_insert(Time { started: now, answered: None });
    }

    /// Starts the time now, unless it runs already.
    #[inline]
    pub(crate) fn start_if_pending(&mut self) {
        if self.time.is_none() {
            self.time = Some(self.cell.now().into());
        }
    }

    /// Settles in place, for the future that carries the permit. A second time does nothing.
    #[inline]
    pub(crate) fn settle(&mut self, outcome: Outcome) -> Recorded {
        // Field by field: to load the ticket as a whole would stall on the stores of its parts.
        if matches!(outcome, Outcome::Success) && self.ticket.probe == 0 {
            let generation = self.ticket.generation;
            let counts = self.stage != Stage::FollowUp;
            if self.cell.is_pristine(generation) || counts && self.cell.count_aside(generation) {
                self.ticket.generation = Ticket::UNCOUNTED.generation;
                return Recorded::Counted;
            }
        }
        self.settle_slowly(outcome)
    }

    #[cold]
    fn settle_slowly(&mut self, outcome: Outcome) -> Recorded {
        let ticket = self.take();
        if outcome == Outcome::Success && self.stage == Stage::FollowUp {
            return Recorded::Ignored;
        }
        self.cell.settle(ticket, self.time, outcome)
    }

    /// Generation 0 marks a permit that has nothing left to settle.
    fn take(&mut self) -> Ticket {
        let ticket = self.ticket;
        self.ticket.generation = Ticket::UNCOUNTED.generation;
        ticket
    }

    #[cold]
    fn give_back(&mut self) {
        let abandoned = self.stage == Stage::Whole
            && self.time.is_some_and(|time| self.cell.is_abandoned(time.started, self.cell.now()));
        if abandoned {
            leave_mark();
            self.settle(Outcome::ABANDONED);
        } else if self.ticket.probe != 0 || self.ticket.is_timed() {
            self.settle(Outcome::Ignored);
        }
    }
}

impl Drop for Permit {
    #[inline]
    fn drop(&mut self) {
        let open = self.ticket.generation != Ticket::UNCOUNTED.generation;
        if open && (self.time.is_some() || self.ticket.probe != 0) {
            self.give_back();
        }
    }
}
