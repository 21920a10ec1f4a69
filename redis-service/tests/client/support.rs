//! What the tests have in common.

use std::time::Duration;

use circuit_layer::State;
use redis_service::{Answer, Error, FallbackConfig, Memory, Redis, RedisBuilder, Source};

pub(crate) const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// A client that waits a second before it probes.
pub(crate) fn builder(memory: &Memory) -> RedisBuilder {
    Redis::builder().memory(memory).reset_timeout(secs(1))
}

pub(crate) async fn remembering(config: FallbackConfig) -> (Memory, Redis) {
    let memory = Memory::new();
    let redis = builder(&memory).fallback(config).connect().await.unwrap();
    (memory, redis)
}

/// Somebody else, on connections of its own.
pub(crate) async fn stranger(memory: &Memory) -> Redis {
    builder(memory).connect().await.unwrap()
}

/// Takes Redis away, and calls until the breaker is open.
pub(crate) async fn outage(memory: &Memory, redis: &Redis) {
    memory.go_down();
    while redis.breaker().state() != State::Open {
        redis.ping().await.unwrap_err();
    }
}

/// Gives Redis back, and calls until the breaker is closed.
pub(crate) async fn recovery(memory: &Memory, redis: &Redis) {
    memory.come_back();
    pass(redis.breaker().snapshot().retry_after.unwrap_or_default() + secs(1)).await;
    while redis.breaker().state() != State::Closed {
        redis.ping().await.unwrap();
    }
}

/// Lets time pass, a bit at a time, so that whoever waits for it gets a turn.
pub(crate) async fn pass(time: Duration) {
    let step = Duration::from_millis(100);
    let mut left = time;
    while !left.is_zero() {
        let now = left.min(step);
        tokio::time::advance(now).await;
        settle().await;
        left -= now;
    }
}

pub(crate) async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

pub(crate) async fn remembered(redis: &Redis, key: &str) -> Option<Answer<Option<String>>> {
    match redis.get_answer(key).await {
        Ok(answer) => {
            assert_ne!(answer.source, Source::Redis);
            Some(answer)
        }
        Err(Error::Rejected(_) | Error::Redis(_)) => None,
        Err(error) => panic!("{error}"),
    }
}
