//! A connection to the Redis in memory.

use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use redis::aio::ConnectionLike;
use redis::{Arg, Cmd, Pipeline, RedisError, RedisFuture, Value, parse_redis_value};

use super::commands::{Known, known};
use super::{Memory, Node};
use crate::fallback::listen::Pushes;

/// A connection to a [`Memory`], which breaks when that goes down.
#[derive(Clone)]
pub struct MemoryConn {
    memory: Memory,
    life: u64,
}

/// An error as Redis words it.
pub(super) type Refusal = String;

impl MemoryConn {
    pub(super) const fn new(memory: Memory, life: u64) -> Self {
        Self { memory, life }
    }

    /// Does something in one step, as the one thread of Redis would; then tells who listens.
    fn step<T>(&self, act: impl FnOnce(&mut Session<'_>) -> T) -> Result<T, RedisError> {
        let mut node = self.memory.node();
        if node.down || node.life != self.life {
            return Err(io::Error::from(io::ErrorKind::BrokenPipe).into());
        }
        let now = self.memory.clock.now();
        let mut session = Session { node: &mut node, now };
        let result = act(&mut session);
        let changed = node.store.take_changes();
        let listeners: Vec<_> = if changed.is_empty() {
            Vec::new()
        } else {
            node.listeners.iter().map(Arc::clone).collect()
        };
        drop(node);
        for listener in listeners {
            listener(Pushes::Changed(&changed));
        }
        Ok(result)
    }
}

pub(super) struct Session<'a> {
    node: &'a mut Node,
    pub(super) now: circuit_layer::Moment,
}

impl Session<'_> {
    fn one(&mut self, words: &[Bytes]) -> Value {
        match known(words).and_then(|known| self.run(known, words)) {
            Ok(value) => value,
            Err(refusal) => error(&refusal),
        }
    }

    fn run(&mut self, known: Known, words: &[Bytes]) -> Result<Value, Refusal> {
        let args = words.get(1..).unwrap_or_default();
        (known.run)(&mut self.node.store, self.now, args)
    }

    /// Redis looks at each command when it queues it; one that it does not know spoils them all.
    fn transaction(&mut self, commands: &[Vec<Bytes>]) -> Value {
        if commands.iter().any(|words| known(words).is_err()) {
            return error("EXECABORT Transaction discarded because of previous errors.");
        }
        Value::Array(commands.iter().map(|words| self.one(words)).collect())
    }
}

impl ConnectionLike for MemoryConn {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move { self.step(|session| session.one(&words(cmd))) })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        _offset: usize,
        _count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            let commands: Vec<_> = pipeline.cmd_iter().map(words).collect();
            if pipeline.is_transaction() {
                return Ok(vec![self.step(|session| session.transaction(&commands))?]);
            }
            commands.iter().map(|words| self.step(|session| session.one(words))).collect()
        })
    }

    fn get_db(&self) -> i64 {
        0
    }
}

fn words(cmd: &Cmd) -> Vec<Bytes> {
    let words = cmd.args_iter().map(|arg| {
        let Arg::Simple(word) = arg else { return Bytes::from_static(b"0") };
        Bytes::copy_from_slice(word)
    });
    words.collect()
}

fn error(refusal: &str) -> Value {
    parse_redis_value(format!("-{refusal}\r\n").as_bytes()).unwrap_or(Value::Nil)
}

impl fmt::Debug for MemoryConn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryConn").field("life", &self.life).finish_non_exhaustive()
    }
}
