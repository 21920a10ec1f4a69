//! A value, where it comes from, and how old it is.

use std::time::Duration;

use redis::Value;

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// Redis has just answered.
    Redis,
    /// Redis did not answer; it was remembered.
    Memory,
    /// It was written here while Redis was away, and Redis never had it.
    Local,
    /// [`get_or_load`](crate::Redis::get_or_load) has just loaded it.
    Loader,
}

/// A value, where it comes from, and how old it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a value with its two properties, to take apart")]
pub struct Answer<T> {
    /// The value.
    pub value: T,
    /// Where it comes from.
    pub source: Source,
    /// At most so long ago, the value was the one that Redis held. Zero if it has just answered.
    pub age: Duration,
}

impl<T> Answer<T> {
    /// An answer of Redis itself.
    pub const fn fresh(value: T) -> Self {
        Self { value, source: Source::Redis, age: Duration::ZERO }
    }

    /// The same answer with what `change` makes of the value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Answer<U> {
        Answer { value: change(self.value), source: self.source, age: self.age }
    }

    pub(crate) fn try_map<U, E>(
        self,
        change: impl FnOnce(T) -> Result<U, E>,
    ) -> Result<Answer<U>, E> {
        Ok(Answer { value: change(self.value)?, source: self.source, age: self.age })
    }
}

/// A stack without a fallback answers with what Redis said.
impl From<Value> for Answer<Value> {
    fn from(value: Value) -> Self {
        Self::fresh(value)
    }
}
