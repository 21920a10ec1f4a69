//! Commands that wait in Redis until there is something.

use std::time::Duration;

use bytes::Bytes;
use redis::{Cmd, FromRedisValue, Value};
use tower_service::Service;

use super::Redis;
use crate::Arg;
use crate::error::Error;
use crate::fallback::Answer;
use crate::request::{Raw, Request};

/// An end of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a list has two")]
pub enum End {
    /// Where `LPUSH` puts.
    Head,
    /// Where `RPOP` takes from.
    Tail,
}

impl End {
    const fn word(self) -> &'static str {
        match self {
            Self::Head => "LEFT",
            Self::Tail => "RIGHT",
        }
    }
}

/// Each method waits in Redis, on a connection of its own, for up to `wait`: `None` if nothing came.
///
/// The deadline of the call is `wait` and the ordinary deadline on top. A `wait` of zero is one
/// millisecond; nothing waits for ever. A call that finds no free connection to wait on is
/// [`RedisError::Busy`](crate::RedisError::Busy).
///
/// # Cancellation
///
/// A call that is dropped closes its connection; what Redis had popped for it in that moment is lost.
/// The breaker takes a drop after its `abandoned_after` for an abandoned call, so let a worker wait
/// for short times, again and again.
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
    /// Takes the value at the head of the first of these lists that has one, or gets one; with its
    /// key.
    pub async fn blpop<T: FromRedisValue>(
        &self,
        keys: impl IntoIterator<Item = impl Arg>,
        wait: Duration,
    ) -> Result<Option<(Bytes, T)>, Error> {
        self.wait_for(command("BLPOP", keys).arg(seconds(wait))).await
    }

    /// The same at the tail.
    pub async fn brpop<T: FromRedisValue>(
        &self,
        keys: impl IntoIterator<Item = impl Arg>,
        wait: Duration,
    ) -> Result<Option<(Bytes, T)>, Error> {
        self.wait_for(command("BRPOP", keys).arg(seconds(wait))).await
    }

    /// Moves a value from an end of one list to an end of another.
    pub async fn blmove<T: FromRedisValue>(
        &self,
        (from, taken): (impl Arg, End),
        (to, put): (impl Arg, End),
        wait: Duration,
    ) -> Result<Option<T>, Error> {
        let mut cmd = command("BLMOVE", [from.into_bytes(), to.into_bytes()]);
        self.wait_for(cmd.arg(taken.word()).arg(put.word()).arg(seconds(wait))).await
    }

    /// Takes the member with the lowest score of the first of these sorted sets that has one, or gets
    /// one; with its key and score.
    pub async fn bzpopmin<T: FromRedisValue>(
        &self,
        keys: impl IntoIterator<Item = impl Arg>,
        wait: Duration,
    ) -> Result<Option<(Bytes, T, f64)>, Error> {
        self.wait_for(command("BZPOPMIN", keys).arg(seconds(wait))).await
    }

    /// The same with the highest score.
    pub async fn bzpopmax<T: FromRedisValue>(
        &self,
        keys: impl IntoIterator<Item = impl Arg>,
        wait: Duration,
    ) -> Result<Option<(Bytes, T, f64)>, Error> {
        self.wait_for(command("BZPOPMAX", keys).arg(seconds(wait))).await
    }

    async fn wait_for<T: FromRedisValue>(&self, cmd: &mut Cmd) -> Result<T, Error> {
        self.ask(Request::Raw(Raw::new(std::mem::take(cmd)))).await
    }
}

fn command(name: &str, keys: impl IntoIterator<Item = impl Arg>) -> Cmd {
    let mut cmd = redis::cmd(name);
    for key in keys {
        cmd.arg(&key.into_bytes()[..]);
    }
    cmd
}

/// Redis takes a fraction of a second, and zero as for ever.
fn seconds(wait: Duration) -> f64 {
    wait.max(Duration::from_millis(1)).as_secs_f64()
}
