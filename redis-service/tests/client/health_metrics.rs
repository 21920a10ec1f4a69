//! What the score, the ratio and the counts come to.

use redis_service::Memory;

use crate::support::{builder, outage, pass, recovery, secs};

#[tokio::test(start_paused = true)]
async fn without_calls_the_score_is_full_and_the_ratio_none() {
    let health = redis_service::Redis::memory().get_health();
    assert_eq!((health.report.score, health.report.requests), (100, 0));
    assert_eq!((health.hits, health.misses), (0, 0));
    assert!(health.hit_ratio.abs() < 1e-9);
}

#[tokio::test(start_paused = true)]
async fn a_get_with_a_value_is_a_hit_and_with_nil_a_miss() {
    let redis = redis_service::Redis::memory();
    redis.set("k", "v").await.unwrap();
    for key in ["k", "k", "k", "none"] {
        redis.get::<String>(key).await.unwrap();
    }
    let health = redis.get_health();
    assert_eq!((health.hits, health.misses), (3, 1));
    assert!((health.hit_ratio - 0.75).abs() < 1e-9);
}

#[tokio::test(start_paused = true)]
async fn other_operations_are_neither_hits_nor_misses() {
    let redis = redis_service::Redis::memory();
    redis.hget::<String>("h", "f").await.unwrap();
    redis.rpop::<String>("l").await.unwrap();
    redis.pipeline::<Vec<Option<String>>>(redis_service::Pipeline::new().get("k")).await.unwrap();
    redis.set_with("k", "v", redis_service::SetOptions::new().xx()).await.unwrap();
    let health = redis.get_health();
    assert_eq!((health.hits, health.misses, health.report.requests), (0, 0, 4));
}

#[tokio::test(start_paused = true)]
async fn failures_lower_the_score_and_mistakes_do_not() {
    let memory = Memory::new();
    let redis = builder(&memory).fail_max(100).connect().await.unwrap();
    redis.set("k", "v").await.unwrap();
    redis.llen("k").await.unwrap_err();
    assert_eq!(redis.get_health().report.score, 100);
    memory.go_down();
    redis.incr("n").await.unwrap_err();
    let report = redis.get_health().report;
    assert_eq!((report.score, report.successes, report.failures), (50, 1, 1));
    assert!((report.success_rate - 0.5).abs() < 1e-9);
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_is_a_score_of_zero_and_half_open_at_most_fifty() {
    let memory = Memory::new();
    let redis = builder(&memory).connect().await.unwrap();
    for _ in 0..1_000 {
        redis.ping().await.unwrap();
    }
    outage(&memory, &redis).await;
    assert_eq!(redis.get_health().report.score, 0);
    memory.come_back();
    pass(secs(2)).await;
    redis.ping().await.unwrap();
    let report = redis.get_health().report;
    assert_eq!((report.state, report.score), (circuit_layer::State::HalfOpen, 50));
    recovery(&memory, &redis).await;
    assert!(redis.get_health().report.score > 90);
}

#[tokio::test(start_paused = true)]
async fn what_is_older_than_a_minute_is_in_no_score() {
    let memory = Memory::new();
    let redis = builder(&memory).fail_max(100).connect().await.unwrap();
    memory.go_down();
    redis.ping().await.unwrap_err();
    assert_eq!(redis.get_health().report.score, 0);
    pass(secs(62)).await;
    let report = redis.get_health().report;
    assert_eq!((report.score, report.failures), (100, 1), "the count since the start stays");
}

#[tokio::test(start_paused = true)]
async fn rejected_calls_are_counted_and_judged_by_nobody() {
    let memory = Memory::new();
    let redis = builder(&memory).connect().await.unwrap();
    outage(&memory, &redis).await;
    let before = redis.get_health().report;
    for _ in 0..10 {
        redis.get::<String>("k").await.unwrap_err();
    }
    let after = redis.get_health().report;
    assert_eq!(after.rejected - before.rejected, 10);
    assert_eq!((after.failures, after.successes), (before.failures, before.successes));
    assert_eq!(after.recent[0].operation, "get");
}

#[tokio::test(start_paused = true)]
async fn the_last_hundred_operations_are_listed_the_newest_first() {
    let redis = redis_service::Redis::memory();
    for n in 0..150 {
        redis.set("k", n).await.unwrap();
    }
    redis.ping().await.unwrap();
    let recent = redis.get_health().report.recent;
    assert_eq!(recent.len(), 100);
    assert_eq!((recent[0].operation, recent[1].operation), ("ping", "set"));
}
