//! What a call that got no answer teaches about its connection.
//!
//! A hung Redis breaks no connection, so nobody replaces it: only the calls notice. A call that has
//! waited for its deadline says so itself. One that was dropped by an outer timeout can not, so its
//! guard says it.

use std::sync::Arc;
use std::time::Duration;

use circuit_layer::Moment;

use crate::classify::ErrorKind;
use crate::dial::Dial;
use crate::error::{CallError, RedisError};
use crate::lanes::Lanes;
use crate::manager::Pulse;

/// One call on its way: knows what it waits for.
pub(crate) struct Flight<'a, D: Dial> {
    lanes: &'a Lanes<D>,
    awaits: Awaits,
    /// It was sent before, and the answer was lost with its connection.
    repeated: bool,
    /// Which share of the keys it is about.
    share: usize,
    after: Duration,
}

/// What a call waits for.
enum Awaits {
    /// A place among those who want a connection to themselves.
    Place,
    /// A connection.
    Connection,
    /// The answer of a connection to something that may, or can not, have changed anything.
    Answer { pulse: Arc<Pulse>, since: Moment, changes: bool },
}

impl<'a, D: Dial> Flight<'a, D> {
    pub(crate) fn begin(
        lanes: &'a Lanes<D>,
        share: usize,
        after: Duration,
    ) -> Result<Self, RedisError> {
        lanes.enter()?;
        Ok(Self { lanes, awaits: Awaits::Connection, repeated: false, share, after })
    }

    pub(crate) const fn repeats(&mut self) {
        self.repeated = true;
    }

    pub(crate) fn queues(&mut self) {
        self.awaits = Awaits::Place;
    }

    pub(crate) fn has_place(&mut self) {
        self.awaits = Awaits::Connection;
    }

    pub(crate) fn sent_over(&mut self, pulse: &Arc<Pulse>, changes: bool) {
        let since = self.lanes.clock.now();
        self.awaits = Awaits::Answer { pulse: Arc::clone(pulse), since, changes };
    }

    pub(crate) fn settle<T>(&mut self, answer: Result<T, CallError>) -> Result<T, CallError> {
        let Awaits::Answer { pulse, .. } = self.landed() else { return answer };
        match &answer {
            Err(error) if error.class().retire && !self.lanes.cluster => {
                self.lanes.retire(&pulse, error.class().kind.label());
            }
            // Only a connection's own timeout, where a user's `Dial` sets one.
            Err(error) if error.class().kind == ErrorKind::Timeout => self.missed(&pulse),
            _ => pulse.answered(self.share),
        }
        answer
    }

    /// The deadline has ended.
    pub(crate) fn timed_out(&mut self) -> RedisError {
        let (after, repeated) = (self.after, self.repeated);
        match self.landed() {
            Awaits::Place if !repeated => RedisError::Busy { after },
            Awaits::Place | Awaits::Connection => {
                RedisError::Timeout { maybe_applied: repeated, after }
            }
            Awaits::Answer { pulse, changes, .. } => {
                self.missed(&pulse);
                RedisError::Timeout { maybe_applied: changes || repeated, after }
            }
        }
    }

    fn landed(&mut self) -> Awaits {
        std::mem::replace(&mut self.awaits, Awaits::Connection)
    }

    fn missed(&self, pulse: &Arc<Pulse>) {
        if pulse.timed_out(self.share) {
            self.lanes.retire(pulse, "stalled");
        }
    }
}

impl<D: Dial> Drop for Flight<'_, D> {
    fn drop(&mut self) {
        // An outer timeout must not hide a hung connection: dropped late is as good as timed out.
        if let Awaits::Answer { pulse, since, .. } = self.landed()
            && (self.lanes.clock.now() - since).saturating_mul(2) >= self.after
        {
            self.missed(&pulse);
        }
        self.lanes.leave();
    }
}
