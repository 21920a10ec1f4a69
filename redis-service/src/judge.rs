//! Which failures the breaker hears of.

use circuit_layer::{Classify, Outcome};
use redis::Value;

use crate::error::RedisError;

/// Tells the breaker what a call came to, by [`RedisError::counts`]: failures of Redis move it, the
/// caller's own mistakes are ignored.
#[derive(Clone, Copy, Debug, Default)]
pub struct Judge;

impl Classify<Value, RedisError> for Judge {
    fn classify(&self, result: &Result<Value, RedisError>) -> Outcome {
        match result {
            Ok(_) => Outcome::Success,
            Err(error) if error.counts() => Outcome::failure(error.kind().label()),
            Err(_) => Outcome::Ignored,
        }
    }
}
