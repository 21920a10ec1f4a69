//! One connection and everything that is sent over it.

use std::mem;
use std::sync::Arc;

use redis::aio::ConnectionLike;
use redis::{RedisError, Value};

use crate::combiner::Combiner;
use crate::error::{CallError, answer};
use crate::manager::{Conn, Pulse};
use crate::request::Wire;

/// A handle on a connection. Clones share the connection and its mark; their commands travel in
/// one stream, so that many callers cost few packets.
#[derive(Debug)]
pub(crate) struct Lane<C>(Arc<Track<C>>);

/// What a handle leads to, behind one reference count.
#[derive(Debug)]
struct Track<C> {
    link: C,
    pulse: Arc<Pulse>,
    combiner: Option<Combiner>,
}

impl<C> Clone for Lane<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<C: ConnectionLike + Clone + Send + Sync + 'static> Lane<C> {
    /// For one caller at a time.
    pub(crate) fn of(conn: &Conn<C>) -> Self {
        let (link, pulse) = (conn.link.clone(), Arc::clone(&conn.pulse));
        Self(Arc::new(Track { link, pulse, combiner: None }))
    }

    /// The same connection for everybody.
    pub(crate) fn combining(&self) -> Self {
        let (link, pulse) = (self.0.link.clone(), Arc::clone(&self.0.pulse));
        let combiner = Some(Combiner::over(link.clone()));
        Self(Arc::new(Track { link, pulse, combiner }))
    }

    pub(crate) fn pulse(&self) -> &Arc<Pulse> {
        &self.0.pulse
    }

    /// Sends and waits for the answer, without a limit in time. Where it sends several commands as one,
    /// it takes this one away; so encode it anew to send it again.
    ///
    /// All calls of the shared lane come through here, so this is the place that decides how they
    /// share it: in a crowd, small commands travel together.
    ///
    /// A future that is dropped before its first poll has sent nothing. Dropped later, Redis may
    /// execute the command; its answer then goes nowhere, and nobody else gets it.
    pub(crate) async fn send(&self, wire: &mut Wire, crowded: bool) -> Result<Value, CallError> {
        match wire {
            Wire::One(cmd) => {
                let reply = match &self.0.combiner {
                    Some(combiner) if crowded && Combiner::takes(cmd) => {
                        combiner.send(mem::take(cmd)).await
                    }
                    _ => self.0.link.clone().req_packed_command(cmd).await,
                };
                reply.and_then(answer).map_err(CallError::new)
            }
            Wire::Many(commands) if commands.is_empty() => Ok(Value::Array(Vec::new())),
            Wire::Many(commands) => {
                let count = commands.len();
                // Of a transaction, the answers to MULTI and to what is queued are left out.
                let (skipped, kept) = if commands.is_transaction() {
                    (count.saturating_add(1), 1)
                } else {
                    (0, count)
                };
                let mut link = self.0.link.clone();
                let replies = link.req_packed_commands(commands, skipped, kept).await;
                let mut replies = replies.map_err(CallError::in_pipeline)?;
                if commands.is_transaction() {
                    return transaction(replies.pop());
                }
                all(replies)
            }
        }
    }
}

/// What `EXEC` answered: the replies of the transaction, or nil if a watched key had changed.
fn transaction(reply: Option<Value>) -> Result<Value, CallError> {
    match reply {
        Some(Value::Array(replies)) => all(replies),
        Some(Value::ServerError(refused)) => Err(CallError::new(refused.into())),
        Some(other) => Ok(other),
        None => Ok(Value::Nil),
    }
}

/// The replies of a pipeline, or its worst error: the first that counts, or else the first.
fn all(replies: Vec<Value>) -> Result<Value, CallError> {
    let mut answers = Vec::with_capacity(replies.len());
    let mut worst: Option<CallError> = None;
    for reply in replies {
        match answer(reply) {
            Ok(value) => answers.push(value),
            Err(error) => worst = Some(worse(worst, error)),
        }
    }
    worst.map_or(Ok(Value::Array(answers)), Err)
}

fn worse(so_far: Option<CallError>, error: RedisError) -> CallError {
    let error = CallError::in_pipeline(error);
    match so_far {
        Some(earlier) if earlier.class().counts || !error.class().counts => earlier,
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use redis::parse_redis_value;

    use super::*;
    use crate::ErrorKind;

    fn replies(lines: &[&str]) -> Vec<Value> {
        lines.iter().map(|line| parse_redis_value(line.as_bytes()).unwrap()).collect()
    }

    #[test]
    fn a_pipeline_answers_with_its_replies_in_order() {
        let answer = all(replies(&[":1\r\n", "+OK\r\n", "$-1\r\n"])).unwrap();
        assert_eq!(answer, Value::Array(vec![Value::Int(1), Value::Okay, Value::Nil]));
    }

    #[test]
    fn the_worst_error_of_a_pipeline_speaks() {
        let mixed = replies(&["-WRONGTYPE a\r\n", ":1\r\n", "-OOM b\r\n", "-MISCONF c\r\n"]);
        let error = all(mixed).unwrap_err();
        assert_eq!(error.class().kind, ErrorKind::Oom);
        let own = all(replies(&["-ERR a\r\n", "-WRONGTYPE b\r\n"])).unwrap_err();
        assert_eq!(own.redis().code(), Some("ERR"));
    }

    #[test]
    fn an_aborted_transaction_is_nil() {
        assert_eq!(transaction(Some(Value::Nil)).unwrap(), Value::Nil);
    }
}
