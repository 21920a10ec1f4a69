//! What is about no key, or about many.

use redis::{FromRedisValue, Value, from_redis_value};
use tower_service::Service;

use super::Redis;
use crate::error::Error;
use crate::fallback::Answer;
use crate::request::{Pipeline, Raw, Request, Transaction};

/// Connection, pipelines, and whatever has no method of its own.
///
/// # Errors
///
/// Those of every operation.
#[expect(clippy::missing_errors_doc, reason = "the errors are those of the whole block, above")]
impl<S> Redis<S>
where
    S: Service<Request> + Clone,
    Answer<Value>: From<S::Response>,
    Error: From<S::Error>,
{
    /// Asks whether Redis answers, as an ordinary call.
    pub async fn ping(&self) -> Result<(), Error> {
        self.call(Request::Ping).await.map(drop)
    }

    /// Asks whether Redis answers within the deadline of a health check.
    ///
    /// It is a call like any other: admitted by the breaker, which learns from it, and counted as
    /// `health_check`. So while the breaker is open it is rejected at once, which is the truth about
    /// what callers get; and once a probe is due, it can be that probe. Every ten seconds it also asks
    /// for the node's [`Role`](crate::Role), which [`get_status`](Self::get_status) then tells.
    pub async fn health_check(&self) -> Result<(), Error> {
        self.call(Request::HealthCheck).await?;
        self.shared.ask_role().await;
        Ok(())
    }

    /// Any other command. Taken as a write that may not be repeated; [`call`](Self::call) with a
    /// [`Raw`] says more.
    pub async fn raw<T: FromRedisValue>(&self, cmd: redis::Cmd) -> Result<T, Error> {
        self.ask(Request::Raw(Raw::new(cmd))).await
    }

    /// Several requests in one round trip, their replies as a list or a tuple.
    pub async fn pipeline<T: FromRedisValue>(&self, pipeline: Pipeline) -> Result<T, Error> {
        self.ask(Request::Pipeline(pipeline)).await
    }

    /// Reads, decides and writes under watched keys, on a connection of its own. `None` if it wrote
    /// nothing: because its closure said so, or because a key was changed at each attempt.
    pub async fn transaction<T: FromRedisValue>(
        &self,
        transaction: Transaction,
    ) -> Result<Option<T>, Error> {
        self.ask(Request::Transaction(transaction)).await
    }

    pub(super) async fn ask<T: FromRedisValue>(&self, request: Request) -> Result<T, Error> {
        Ok(self.ask_answer(request).await?.value)
    }

    pub(super) async fn ask_answer<T: FromRedisValue>(
        &self,
        request: Request,
    ) -> Result<Answer<T>, Error> {
        let operation = request.operation();
        let reply = self.call_answer(request).await?;
        reply.try_map(|reply| {
            from_redis_value(reply).map_err(|source| Error::Decode { operation, source })
        })
    }
}
