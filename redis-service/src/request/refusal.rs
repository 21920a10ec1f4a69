//! What is refused before it is sent.
//!
//! Some commands do something else here than on a connection of one's own, or do harm to others. Sent,
//! they would look like a fault of Redis; so the caller is told, and nothing was done.
//!
//! | refused | because |
//! | --- | --- |
//! | an empty command, with or without others | it has no reply, so the next one would be taken for it, and so on |
//! | `SELECT`, `SUBSCRIBE`, `MULTI` by hand … | the connection is shared, or goes back to a pool |
//! | `BLPOP` and its like in a pipeline | each in turn waits, all of them beyond any deadline; in an atomic one none does |
//! | `WAIT`, `WAITAOF` alone | they tell of the writes on their own connection, and those went over another |

use super::{Manner, Pipeline, Request, Transaction};

/// `Cmd::take` is how one comes to be empty without being meant to.
const EMPTY: &str = "a command has no name: it is empty, as `Cmd::take` leaves it behind";

impl Request {
    /// Why it is not sent, if so. A transaction has a refusal of its own.
    pub(crate) fn refusal(&self, manner: Manner) -> Option<&'static str> {
        if manner == Manner::Alters {
            return Some(if self.has_empty() {
                EMPTY
            } else {
                "the command would alter the connection that all calls share"
            });
        }
        if let Self::Raw(raw) = self
            && raw.confirms()
        {
            return Some(
                "to confirm writes, put it behind them in one pipeline that is not atomic",
            );
        }
        if let Self::Pipeline(pipeline) = self
            && pipeline.blocks()
        {
            return Some("a command that blocks can be part of an atomic pipeline only");
        }
        None
    }

    fn has_empty(&self) -> bool {
        if let Self::Pipeline(pipeline) = self {
            return pipeline.has_empty();
        }
        matches!(self, Self::Raw(raw) if raw.is_empty())
    }
}

impl Pipeline {
    fn has_empty(&self) -> bool {
        self.requests().iter().any(Request::has_empty)
    }
}

impl Transaction {
    /// Why it is not begun, if so.
    pub(crate) fn refusal(&self) -> Option<&'static str> {
        if self.reads.has_empty() {
            return Some(EMPTY);
        }
        let reads = self.reads.manner() != Manner::Alters && !self.reads.waits();
        let is_sound = reads && !self.watched.is_empty();
        (!is_sound).then_some("a transaction watches a key, and reads without a wait")
    }

    /// Why it ends without these writes, if so.
    pub(crate) fn refusal_of(writes: &Pipeline) -> Option<&'static str> {
        if writes.has_empty() {
            return Some(EMPTY);
        }
        let alters = writes.manner() == Manner::Alters;
        alters.then_some("a transaction can not hold what alters its connection")
    }
}
