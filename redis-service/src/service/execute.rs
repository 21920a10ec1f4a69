//! One call, from its request to its answer.

use redis::Value;

use super::Core;
use crate::alone::{Alone, refused};
use crate::dial::Dial;
use crate::error::{CallError, RedisError};
use crate::flight::Flight;
use crate::manager::SHARES;
use crate::request::{Manner, Request, Transaction, Wire};
use crate::slot::share_of;

impl<D: Dial> Core<D> {
    pub(super) async fn execute(&self, request: &Request) -> Result<Value, RedisError> {
        let (mut wire, mut after) = request.plan(self.deadline);
        if matches!(request, Request::HealthCheck) {
            after = self.health_deadline;
        }
        let share = if self.lanes.cluster { share(request) } else { 0 };
        let mut flight = Flight::begin(&self.lanes, share, after)?;
        let outcome =
            tokio::time::timeout(after, self.answer(request, &mut wire, &mut flight)).await;
        outcome.unwrap_or_else(|_elapsed| Err(flight.timed_out()))
    }

    async fn answer(
        &self,
        request: &Request,
        wire: &mut Wire,
        flight: &mut Flight<'_, D>,
    ) -> Result<Value, RedisError> {
        let manner = request.manner();
        let answer = if let Request::Transaction(transaction) = request {
            // The rare ways are boxed: the future of every call is as big as its biggest part.
            Box::pin(self.transact(transaction, flight)).await?
        } else if let Some(why) = request.refusal(manner) {
            Err(refused(why))
        } else {
            match self.attempt(manner, wire, flight).await? {
                Err(lost) if lost.is_lost() && request.is_repeatable() => {
                    Box::pin(self.repeat(request, wire, flight, lost)).await?
                }
                answer => answer,
            }
        };
        answer.map_err(|source| RedisError::Call { operation: request.operation(), source })
    }

    /// Sends it once more, after the answer to the first time was lost.
    async fn repeat(
        &self,
        request: &Request,
        wire: &mut Wire,
        flight: &mut Flight<'_, D>,
        lost: CallError,
    ) -> Result<Result<Value, CallError>, RedisError> {
        (*wire, _) = request.plan(self.deadline);
        flight.repeats();
        match self.attempt(request.manner(), wire, flight).await {
            Ok(answer) => Ok(answer.map_err(|error| error.after(&lost))),
            // Why it was not sent again says nothing of the first time.
            Err(_unsent) if request.is_write() => Ok(Err(lost)),
            Err(unsent) => Err(unsent),
        }
    }

    async fn attempt(
        &self,
        manner: Manner,
        wire: &mut Wire,
        flight: &mut Flight<'_, D>,
    ) -> Result<Result<Value, CallError>, RedisError> {
        if manner != Manner::Shared {
            return Box::pin(self.attempt_alone(wire, flight)).await;
        }
        let lane = match self.lanes.live() {
            Some(lane) => lane,
            None => Box::pin(self.lanes.shared()).await?,
        };
        flight.sent_over(lane.pulse(), true);
        let answer = lane.send(wire, self.lanes.is_crowded()).await;
        Ok(flight.settle(answer))
    }

    async fn attempt_alone(
        &self,
        wire: &mut Wire,
        flight: &mut Flight<'_, D>,
    ) -> Result<Result<Value, CallError>, RedisError> {
        let mut alone = self.alone(flight).await?;
        flight.sent_over(alone.pulse(), true);
        let answer = flight.settle(alone.send(wire).await);
        // Only now, so that one which is of no more use does not go back.
        drop(alone);
        Ok(answer)
    }

    async fn alone(&self, flight: &mut Flight<'_, D>) -> Result<Alone<D>, RedisError> {
        flight.queues();
        let place = self.lanes.place().await?;
        flight.has_place();
        self.lanes.alone(place).await
    }

    /// Nil where it was given up: by its own decision, or because it lost every attempt.
    async fn transact(
        &self,
        transaction: &Transaction,
        flight: &mut Flight<'_, D>,
    ) -> Result<Result<Value, CallError>, RedisError> {
        if self.lanes.cluster {
            return Ok(Err(refused("keys can not be watched in a redis cluster")));
        }
        if let Some(why) = transaction.refusal() {
            return Ok(Err(refused(why)));
        }
        let mut alone = self.alone(flight).await?;
        let mut answer = Ok(Value::Nil);
        for _ in 0..transaction.attempts {
            flight.sent_over(alone.pulse(), false);
            let prepared = alone.prepare(transaction).await;
            answer = match flight.settle(prepared) {
                Ok(None) => Ok(Value::Nil),
                Err(error) => Err(error),
                Ok(Some(writes)) => {
                    flight.sent_over(alone.pulse(), true);
                    let answer = alone.send(&mut Wire::Many(writes.to_commands())).await;
                    match flight.settle(answer) {
                        // A watched key was changed meanwhile.
                        Ok(Value::Nil) => continue,
                        answer => answer,
                    }
                }
            };
            break;
        }
        drop(alone);
        Ok(answer)
    }
}

/// Which of the watched shares of a cluster's keys a request is about; the last is that of none.
fn share(request: &Request) -> usize {
    request.key().map_or(SHARES - 1, |key| share_of(key, SHARES - 1))
}
