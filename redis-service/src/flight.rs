//! What a call that got no answer teaches about its connection.
//!
//! A hung Redis breaks no connection, so nobody replaces it: only the calls notice. A call that has
//! waited for its deadline says so itself. One that was dropped by an outer timeout can not, so its
//! guard says it.

use std::sync::Arc;
use std::time::Duration;

use circuit_layer::Moment;
use redis::Value;

use crate::classify::ErrorKind;
use crate::dial::Dial;
use crate::error::{CallError, RedisError};
use crate::lanes::Lanes;
use crate::manager::Pulse;

/// One call on its way: knows which connection owes it an answer.
pub(crate) struct Flight<'a, D: Dial> {
    lanes: &'a Lanes<D>,
    owes: Option<(Arc<Pulse>, Moment)>,
    after: Duration,
}

impl<'a, D: Dial> Flight<'a, D> {
    pub(crate) fn begin(lanes: &'a Lanes<D>, after: Duration) -> Result<Self, RedisError> {
        lanes.enter()?;
        Ok(Self { lanes, owes: None, after })
    }

    pub(crate) fn sent_over(&mut self, pulse: &Arc<Pulse>) {
        self.owes = Some((Arc::clone(pulse), self.lanes.clock.now()));
    }

    pub(crate) fn settle(&mut self, answer: Result<Value, CallError>) -> Result<Value, CallError> {
        let Some((pulse, _)) = self.owes.take() else { return answer };
        match &answer {
            Err(error) if error.class().retire => {
                self.lanes.retire(&pulse, error.class().kind.label());
            }
            // Only a connection's own timeout, where a user's `Dial` sets one.
            Err(error) if error.class().kind == ErrorKind::Timeout => self.missed(&pulse),
            _ => pulse.answered(),
        }
        answer
    }

    /// Whether the command had been handed to a connection.
    pub(crate) fn timed_out(&mut self) -> bool {
        let Some((pulse, _)) = self.owes.take() else { return false };
        self.missed(&pulse);
        true
    }

    fn missed(&self, pulse: &Arc<Pulse>) {
        if pulse.timed_out() {
            self.lanes.retire(pulse, "stalled");
        }
    }
}

impl<D: Dial> Drop for Flight<'_, D> {
    fn drop(&mut self) {
        // An outer timeout must not hide a hung connection: dropped late is as good as timed out.
        if let Some((pulse, since)) = self.owes.take()
            && (self.lanes.clock.now() - since).saturating_mul(2) >= self.after
        {
            self.missed(&pulse);
        }
        self.lanes.leave();
    }
}
