//! Commands that have no variant of their own.

use std::time::Duration;

use redis::{Arg, Cmd};

/// Any command, with what its caller knows about it.
///
/// Taken as a write that may not be repeated, unless told otherwise.
#[derive(Clone, Debug)]
pub struct Raw {
    pub(super) cmd: Cmd,
    write: bool,
    repeatable: bool,
    deadline: Option<Duration>,
}

/// What a command does to the connection it is sent on.
///
/// In the order of what it takes to send one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Manner {
    /// Nothing: it may travel with others.
    Shared,
    /// Holds it up until something happens in Redis.
    Blocks,
    /// Leaves it in another state than it found it.
    Alters,
}

/// The flag `blocking` in `COMMAND LIST`.
const BLOCKS: &[&str] = &[
    "BLPOP",
    "BRPOP",
    "BRPOPLPUSH",
    "BLMOVE",
    "BLMPOP",
    "BZPOPMIN",
    "BZPOPMAX",
    "BZMPOP",
    "WAIT",
    "WAITAOF",
];

/// The groups connection, transactions and pub/sub of the Redis documentation.
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
];

/// Words after `CLIENT` that change the client itself.
const ALTERS_CLIENT: &[&str] = &["REPLY", "TRACKING", "CACHING", "SETNAME", "NO-EVICT", "NO-TOUCH"];

impl Raw {
    /// A command that writes and may not be repeated.
    #[must_use]
    pub const fn new(cmd: Cmd) -> Self {
        Self { cmd, write: true, repeatable: false, deadline: None }
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
    #[must_use]
    pub const fn within(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// The command as it is sent.
    #[must_use]
    pub const fn cmd(&self) -> &Cmd {
        &self.cmd
    }

    pub(crate) const fn deadline(&self) -> Option<Duration> {
        self.deadline
    }

    pub(super) const fn is_write(&self) -> bool {
        self.write
    }

    pub(super) const fn is_repeatable(&self) -> bool {
        self.repeatable
    }

    pub(super) fn manner(&self) -> Manner {
        let mut words = self
            .cmd
            .args_iter()
            .filter_map(|arg| if let Arg::Simple(word) = arg { Some(word) } else { None });
        let Some(name) = words.next() else { return Manner::Shared };
        if is_one_of(name, ALTERS) {
            return Manner::Alters;
        }
        if is_one_of(name, BLOCKS) {
            return Manner::Blocks;
        }
        if is_one_of(name, &["XREAD", "XREADGROUP"]) && words.any(|w| is_one_of(w, &["BLOCK"])) {
            return Manner::Blocks;
        }
        if is_one_of(name, &["CLIENT"]) && words.next().is_some_and(|w| is_one_of(w, ALTERS_CLIENT))
        {
            return Manner::Alters;
        }
        Manner::Shared
    }
}

fn is_one_of(word: &[u8], names: &[&str]) -> bool {
    names.iter().any(|name| word.eq_ignore_ascii_case(name.as_bytes()))
}
