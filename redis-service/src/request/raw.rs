//! Commands that have no variant of their own.

use std::time::Duration;

use redis::{Arg, Cmd};

use super::block;

/// Any command, with what its caller knows about it.
///
/// Taken as a write that may not be repeated, unless told otherwise.
#[derive(Clone, Debug)]
pub struct Raw {
    pub(super) cmd: Cmd,
    write: bool,
    repeatable: bool,
    deadline: Option<Duration>,
    alone: bool,
}

/// What a command does to the connection it is sent on.
///
/// In the order of what it takes to send one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Manner {
    /// Nothing: it may travel with others.
    Shared,
    /// Holds it up: it waits in Redis, it must not be interrupted, or it is big.
    Alone,
    /// Leaves it in another state than it found it, or its replies in disorder.
    Alters,
}

/// The groups connection, transactions and pub/sub of the Redis documentation, and what replicas say: Redis
/// leaves some of that unanswered.
const ALTERS: &[&str] = &[
    "MULTI",
    "EXEC",
    "DISCARD",
    "WATCH",
    "UNWATCH",
    "SUBSCRIBE",
    "PSUBSCRIBE",
    "SSUBSCRIBE",
    "UNSUBSCRIBE",
    "PUNSUBSCRIBE",
    "SUNSUBSCRIBE",
    "MONITOR",
    "SELECT",
    "AUTH",
    "HELLO",
    "RESET",
    "QUIT",
    "READONLY",
    "READWRITE",
    "ASKING",
    "SYNC",
    "PSYNC",
    "REPLCONF",
];

/// Words after `CLIENT` that change the client itself.
const ALTERS_CLIENT: &[&str] = &["REPLY", "TRACKING", "CACHING", "SETNAME", "NO-EVICT", "NO-TOUCH"];

/// Commands that change keys which they do not name.
const KEYLESS: &[&str] = &["FLUSHALL", "FLUSHDB", "SWAPDB", "REPLICAOF", "SLAVEOF", "DEBUG"];

/// Commands that tell how many keys they name, in their second argument.
const SCRIPTS: &[&str] = &["EVAL", "EVALSHA", "FCALL"];

impl Raw {
    /// A command that writes and may not be repeated.
    #[must_use]
    pub const fn new(cmd: Cmd) -> Self {
        Self { cmd, write: true, repeatable: false, deadline: None, alone: false }
    }

    /// The command changes nothing; so it may be repeated.
    #[must_use]
    pub const fn read_only(mut self) -> Self {
        self.write = false;
        self.repeatable = true;
        self
    }

    /// The command may be repeated: twice leaves the same data and gives the same answer.
    #[must_use]
    pub const fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    /// A deadline of its own, for a command that is meant to wait, such as `BLPOP`.
    ///
    /// A blocking command that names a time needs none: it has that time and the ordinary deadline on
    /// top. One that would block for ever is told to end half an ordinary deadline before this one,
    /// so that Redis itself says that nothing came.
    #[must_use]
    pub const fn within(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Sends it over a connection of its own, because its reply is big: on the shared one, all other
    /// replies would wait behind it. Blocking commands and big arguments go there by themselves.
    #[must_use]
    pub const fn alone(mut self) -> Self {
        self.alone = true;
        self
    }

    /// The command, as it was given.
    #[must_use]
    pub const fn cmd(&self) -> &Cmd {
        &self.cmd
    }

    /// The command as it is sent, and the deadline of the call.
    pub(crate) fn plan(&self, ordinary: Duration) -> (Cmd, Duration) {
        block::plan(&self.cmd, self.deadline, ordinary)
    }

    pub(super) const fn is_write(&self) -> bool {
        self.write
    }

    pub(super) const fn is_repeatable(&self) -> bool {
        self.repeatable
    }

    pub(super) fn waits(&self) -> bool {
        block::blocks(&self.cmd)
    }

    pub(super) fn confirms(&self) -> bool {
        block::confirms(&self.cmd)
    }

    /// Whether none of its arguments is a key, and any key may change. A script that names some keys
    /// must keep to them, by the rules of Redis.
    pub(crate) fn names_no_key(&self) -> bool {
        let word = |at| match self.cmd.args_iter().nth(at) {
            Some(Arg::Simple(word)) => word,
            _ => b"",
        };
        is_one_of(word(0), KEYLESS) || (is_one_of(word(0), SCRIPTS) && word(2) == b"0")
    }

    /// Whether there is nothing in it. Redis gives no reply to that, and redis-rs counts on one where
    /// it is part of a pipeline: all later replies would go to the wrong callers.
    pub(super) fn is_empty(&self) -> bool {
        is_empty(&self.cmd)
    }

    pub(super) fn manner(&self) -> Manner {
        if self.is_empty() {
            return Manner::Alters;
        }
        let mut words = self
            .cmd
            .args_iter()
            .filter_map(|arg| if let Arg::Simple(word) = arg { Some(word) } else { None });
        let Some(name) = words.next() else { return Manner::Shared };
        if is_one_of(name, ALTERS) {
            return Manner::Alters;
        }
        if self.alone || block::blocks(&self.cmd) {
            return Manner::Alone;
        }
        if is_one_of(name, &["CLIENT"]) && words.next().is_some_and(|w| is_one_of(w, ALTERS_CLIENT))
        {
            return Manner::Alters;
        }
        Manner::Shared
    }
}

pub(crate) fn is_empty(cmd: &Cmd) -> bool {
    cmd.args_iter().len() == 0
}

pub(super) fn is_one_of(word: &[u8], names: &[&str]) -> bool {
    names.iter().any(|name| word.eq_ignore_ascii_case(name.as_bytes()))
}
