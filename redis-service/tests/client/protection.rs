//! What protects callers from a Redis that is away, and Redis from its callers.

use std::time::Duration;

use circuit_layer::{Clock, State};
use redis_service::{Error, ErrorKind, Memory, RedisError, redis as redis_rs};
use tokio::task::JoinSet;

use crate::support::{builder, outage, pass, recovery, secs};

#[tokio::test(start_paused = true)]
async fn while_open_no_operation_reaches_redis() {
    let memory = Memory::new();
    let redis = builder(&memory).connect().await.unwrap();
    outage(&memory, &redis).await;
    memory.come_back();
    let clock = Clock::default();
    let begun = clock.now();
    assert!(redis.set("k", "v").await.unwrap_err().is_rejected());
    assert!(redis.lpush("l", ["v"]).await.unwrap_err().is_rejected());
    assert!(redis.health_check().await.unwrap_err().is_rejected());
    assert_eq!(clock.now() - begun, Duration::ZERO);
    let other = builder(&memory).connect().await.unwrap();
    assert_eq!(other.raw::<i64>(redis_rs::cmd("DBSIZE")).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_crowd_that_fails_together_waits_for_nobody() {
    let memory = Memory::new();
    let redis = builder(&memory).connect().await.unwrap();
    memory.go_down();
    let begun = Clock::default().now();
    let mut crowd = JoinSet::new();
    for _ in 0..1_000 {
        let redis = redis.clone();
        crowd.spawn(async move { redis.get::<String>("k").await.unwrap_err() });
    }
    let errors = crowd.join_all().await;
    assert_eq!(Clock::default().now() - begun, Duration::ZERO);
    let failed = |error: &Error| error.kind() == Some(ErrorKind::Connection);
    assert!(errors.iter().all(|error| error.is_rejected() || failed(error)));
    assert_eq!(redis.breaker().state(), State::Open);
    assert!(redis.get::<String>("k").await.unwrap_err().is_rejected());
}

#[tokio::test(start_paused = true)]
async fn a_failed_recovery_waits_twice_as_long() {
    let memory = Memory::new();
    let redis = builder(&memory).connect().await.unwrap();
    outage(&memory, &redis).await;
    let first = redis.breaker().snapshot().retry_after.unwrap();
    pass(secs(1)).await;
    redis.ping().await.unwrap_err();
    let second = redis.breaker().snapshot().retry_after.unwrap();
    assert_eq!(first, secs(1));
    assert!(second >= Duration::from_millis(1800) && second <= Duration::from_millis(2200));
    recovery(&memory, &redis).await;
}

#[tokio::test(start_paused = true)]
async fn half_open_lets_three_through_at_a_time() {
    let memory = Memory::new();
    let redis = builder(&memory).connect().await.unwrap();
    outage(&memory, &redis).await;
    memory.come_back();
    pass(secs(2)).await;
    let mut crowd = JoinSet::new();
    for _ in 0..100 {
        let redis = redis.clone();
        crowd.spawn(async move { redis.ping().await });
    }
    let answers = crowd.join_all().await;
    let (served, rejected): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert!(served.len() >= 3, "{}", served.len());
    assert!(rejected.into_iter().all(|answer| answer.unwrap_err().is_rejected()));
    assert_eq!(redis.breaker().state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_closed_client_refuses_without_counting() {
    let redis = redis_service::Redis::memory();
    redis.set("k", "v").await.unwrap();
    assert!(redis.close_within(secs(1)).await);
    for _ in 0..10 {
        let error = redis.get::<String>("k").await.unwrap_err();
        assert!(matches!(error, Error::Redis(RedisError::Closed)), "{error:?}");
    }
    assert_eq!(redis.breaker().state(), State::Closed);
    assert_eq!(redis.get_health().report.score, 100);
}

#[tokio::test(start_paused = true)]
async fn a_memory_that_comes_back_keeps_what_it_held() {
    let memory = Memory::new();
    let redis = builder(&memory).connect().await.unwrap();
    redis.set("k", "v").await.unwrap();
    outage(&memory, &redis).await;
    recovery(&memory, &redis).await;
    assert_eq!(redis.get::<String>("k").await.unwrap().as_deref(), Some("v"));
}
