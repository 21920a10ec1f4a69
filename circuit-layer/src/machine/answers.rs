//! A call whose answer has begun: its time ends there, and a probe's slot is free.

use super::{At, Machine, Phase, Ticket, Time};
use crate::outcome::{Outcome, Recorded};
use crate::state::Control;

impl Machine {
    /// Ends the time of a call in closed whose answer has begun. It is no longer in flight; if nobody
    /// takes it for slow, its outcome will come without a time.
    pub(crate) fn answered(&mut self, ticket: Ticket, time: Time, at: At<'_>) -> Option<Time> {
        self.tick(at);
        let Phase::Closed { policy, .. } = &mut self.phase else { return None };
        if ticket.generation != self.generation {
            return None;
        }
        let slow = at.is_slow(time);
        if ticket.watch == self.watch {
            if self.control == Control::Disabled {
                policy.forget(time.started);
            } else if let Some(cause) = policy.answered(time.started, at.now)
                && self.control != Control::ForcedClosed
            {
                self.trip(cause, None, at);
            }
        }
        slow.then_some(Time { answered: Some(at.now), ..time })
    }

    /// Settles a probe as a success, because its answer has begun. Hands back a ticket of the then current
    /// generation for the rest of it, of which only a failure counts, or none if the probe's was over.
    pub(crate) fn settle_early(
        &mut self,
        ticket: Ticket,
        time: Option<Time>,
        at: At<'_>,
    ) -> Option<Ticket> {
        let slow = time.is_some_and(|time| at.is_slow(time));
        match self.settle(ticket, time, Outcome::Success, at) {
            Recorded::Stale => None,
            // It has failed already, and nobody fails twice.
            Recorded::Counted | Recorded::Ignored if slow => Some(Ticket::UNCOUNTED),
            Recorded::Counted | Recorded::Ignored => {
                Some(Ticket { generation: self.generation, probe: 0, watch: 0 })
            }
        }
    }
}
