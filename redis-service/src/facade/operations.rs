//! One method per operation.

use std::time::Duration;

use redis::{FromRedisValue, Value};
use tower_service::Service;

use super::Redis;
use crate::Arg;
use crate::error::Error;
use crate::fallback::Answer;
use crate::request::{Request, SetOptions};

/// Each method sends the Redis command of its name.
///
/// # Errors
///
/// All of them: [`Error::Rejected`] while the breaker is open, [`Error::Redis`] if Redis fails or
/// does not answer within the deadline, [`Error::Decode`] if the reply is not of the type asked for.
#[expect(clippy::missing_errors_doc, reason = "the errors are those of the whole block, above")]
impl<S> Redis<S>
where
    S: Service<Request> + Clone,
    Answer<Value>: From<S::Response>,
    Error: From<S::Error>,
{
    /// The value of a key, if there is one.
    pub async fn get<T: FromRedisValue>(&self, key: impl Arg) -> Result<Option<T>, Error> {
        self.ask(Request::Get { key: key.into_bytes() }).await
    }

    /// The same, with where the value comes from and how old it is.
    pub async fn get_answer<T: FromRedisValue>(
        &self,
        key: impl Arg,
    ) -> Result<Answer<Option<T>>, Error> {
        self.ask_answer(Request::Get { key: key.into_bytes() }).await
    }

    /// Sets a key.
    pub async fn set(&self, key: impl Arg, value: impl Arg) -> Result<(), Error> {
        self.set_with(key, value, SetOptions::new()).await.map(drop)
    }

    /// Sets a key with a time to live or a condition. False if the condition did not hold.
    pub async fn set_with(
        &self,
        key: impl Arg,
        value: impl Arg,
        options: SetOptions,
    ) -> Result<bool, Error> {
        Ok(self.set_answer(key, value, options).await?.value)
    }

    /// The same, with whether Redis took it or, with local writes, only the memory did.
    pub async fn set_answer(
        &self,
        key: impl Arg,
        value: impl Arg,
        options: SetOptions,
    ) -> Result<Answer<bool>, Error> {
        let (key, value) = (key.into_bytes(), value.into_bytes());
        let reply = self.call_answer(Request::Set { key, value, options }).await?;
        Ok(reply.map(|reply| !matches!(reply, Value::Nil)))
    }

    /// Removes a key. True if there was one.
    pub async fn delete(&self, key: impl Arg) -> Result<bool, Error> {
        self.ask(Request::Delete { keys: vec![key.into_bytes()] }).await
    }

    /// Removes keys; how many there were.
    pub async fn delete_many(
        &self,
        keys: impl IntoIterator<Item = impl Arg>,
    ) -> Result<u64, Error> {
        self.ask(Request::Delete { keys: all(keys) }).await
    }

    /// Adds one to the integer in a key; the new value.
    pub async fn incr(&self, key: impl Arg) -> Result<i64, Error> {
        self.incr_by(key, 1).await
    }

    /// Adds to the integer in a key; the new value.
    pub async fn incr_by(&self, key: impl Arg, by: i64) -> Result<i64, Error> {
        self.ask(Request::Incr { key: key.into_bytes(), by }).await
    }

    /// Lets a key end after `ttl`, in whole milliseconds. False if there is no such key.
    pub async fn expire(&self, key: impl Arg, ttl: Duration) -> Result<bool, Error> {
        self.ask(Request::Expire { key: key.into_bytes(), ttl }).await
    }

    /// Puts values at the head of a list; its new length.
    pub async fn lpush(
        &self,
        key: impl Arg,
        values: impl IntoIterator<Item = impl Arg>,
    ) -> Result<u64, Error> {
        self.ask(Request::LPush { key: key.into_bytes(), values: all(values) }).await
    }

    /// Takes the value at the tail of a list.
    pub async fn rpop<T: FromRedisValue>(&self, key: impl Arg) -> Result<Option<T>, Error> {
        self.ask(Request::RPop { key: key.into_bytes() }).await
    }

    /// The length of a list.
    pub async fn llen(&self, key: impl Arg) -> Result<u64, Error> {
        self.ask(Request::LLen { key: key.into_bytes() }).await
    }

    /// The values of a list from `start` to `stop`, both included; negative counts from the tail.
    pub async fn lrange<T: FromRedisValue>(
        &self,
        key: impl Arg,
        start: i64,
        stop: i64,
    ) -> Result<Vec<T>, Error> {
        self.ask(Request::LRange { key: key.into_bytes(), start, stop }).await
    }

    /// Sets one field of a hash. True if it is new.
    pub async fn hset(
        &self,
        key: impl Arg,
        field: impl Arg,
        value: impl Arg,
    ) -> Result<bool, Error> {
        let fields = vec![(field.into_bytes(), value.into_bytes())];
        self.ask(Request::HSet { key: key.into_bytes(), fields }).await
    }

    /// Sets fields of a hash; how many are new.
    pub async fn hset_many(
        &self,
        key: impl Arg,
        fields: impl IntoIterator<Item = (impl Arg, impl Arg)>,
    ) -> Result<u64, Error> {
        let fields = fields.into_iter().map(|(f, v)| (f.into_bytes(), v.into_bytes())).collect();
        self.ask(Request::HSet { key: key.into_bytes(), fields }).await
    }

    /// One field of a hash.
    pub async fn hget<T: FromRedisValue>(
        &self,
        key: impl Arg,
        field: impl Arg,
    ) -> Result<Option<T>, Error> {
        let (key, field) = (key.into_bytes(), field.into_bytes());
        self.ask(Request::HGet { key, field }).await
    }

    /// All of a hash, as a map or a list of pairs; empty if there is none.
    pub async fn hgetall<T: FromRedisValue>(&self, key: impl Arg) -> Result<T, Error> {
        self.ask(Request::HGetAll { key: key.into_bytes() }).await
    }

    /// Removes fields of a hash; how many there were.
    pub async fn hdel(
        &self,
        key: impl Arg,
        fields: impl IntoIterator<Item = impl Arg>,
    ) -> Result<u64, Error> {
        self.ask(Request::HDel { key: key.into_bytes(), fields: all(fields) }).await
    }

    /// Adds members to a set; how many are new.
    pub async fn sadd(
        &self,
        key: impl Arg,
        members: impl IntoIterator<Item = impl Arg>,
    ) -> Result<u64, Error> {
        self.ask(Request::SAdd { key: key.into_bytes(), members: all(members) }).await
    }

    /// Removes members of a set; how many there were.
    pub async fn srem(
        &self,
        key: impl Arg,
        members: impl IntoIterator<Item = impl Arg>,
    ) -> Result<u64, Error> {
        self.ask(Request::SRem { key: key.into_bytes(), members: all(members) }).await
    }

    /// All members of a set, as a set or a list.
    pub async fn smembers<T: FromRedisValue>(&self, key: impl Arg) -> Result<T, Error> {
        self.ask(Request::SMembers { key: key.into_bytes() }).await
    }

    /// The size of a set.
    pub async fn scard(&self, key: impl Arg) -> Result<u64, Error> {
        self.ask(Request::SCard { key: key.into_bytes() }).await
    }

    /// Adds members with their scores to a sorted set; how many are new.
    pub async fn zadd(
        &self,
        key: impl Arg,
        members: impl IntoIterator<Item = (f64, impl Arg)>,
    ) -> Result<u64, Error> {
        let members = members.into_iter().map(|(score, m)| (score, m.into_bytes())).collect();
        self.ask(Request::ZAdd { key: key.into_bytes(), members }).await
    }

    /// The members of a sorted set by rank from `start` to `stop`, both included.
    pub async fn zrange<T: FromRedisValue>(
        &self,
        key: impl Arg,
        start: i64,
        stop: i64,
    ) -> Result<Vec<T>, Error> {
        let key = key.into_bytes();
        self.ask(Request::ZRange { key, start, stop, with_scores: false }).await
    }

    /// The same, each with its score.
    pub async fn zrange_with_scores<T: FromRedisValue>(
        &self,
        key: impl Arg,
        start: i64,
        stop: i64,
    ) -> Result<Vec<(T, f64)>, Error> {
        let key = key.into_bytes();
        self.ask(Request::ZRange { key, start, stop, with_scores: true }).await
    }

    /// The size of a sorted set.
    pub async fn zcard(&self, key: impl Arg) -> Result<u64, Error> {
        self.ask(Request::ZCard { key: key.into_bytes() }).await
    }
}

pub(super) fn all(args: impl IntoIterator<Item = impl Arg>) -> Vec<bytes::Bytes> {
    args.into_iter().map(Arg::into_bytes).collect()
}
