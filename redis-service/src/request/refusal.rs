//! What is refused before it is sent.
//!
//! Some commands do something else here than on a connection of one's own, or do harm to others. Sent,
//! they would look like a fault of Redis; so the caller is told, and nothing was done.
//!
//! | refused | because |
//! | --- | --- |
//! | `SELECT`, `SUBSCRIBE`, `MULTI` by hand … | the connection is shared, or goes back to a pool |
//! | `BLPOP` and its like in a pipeline | each in turn waits, all of them beyond any deadline; in an atomic one none does |
//! | `WAIT`, `WAITAOF` alone | they tell of the writes on their own connection, and those went over another |

use super::{Manner, Request};

impl Request {
    /// Why it is not sent, if so. A transaction is looked at as it goes.
    pub(crate) fn refusal(&self, manner: Manner) -> Option<&'static str> {
        if manner == Manner::Alters {
            return Some("the command would alter the connection that all calls share");
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
}
