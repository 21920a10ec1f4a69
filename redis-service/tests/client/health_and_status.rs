//! Health and status as values and as JSON.

use redis_service::{FallbackConfig, Memory, Redis, Role};
use serde_json::Value as Json;

use crate::support::{builder, outage, remembering};

fn json(value: &impl serde::Serialize) -> Json {
    serde_json::to_value(value).unwrap()
}

#[tokio::test(start_paused = true)]
async fn health_tells_what_an_operator_asks_first() {
    let redis = Redis::memory();
    redis.set("k", "v").await.unwrap();
    redis.get::<String>("k").await.unwrap();
    let health = json(&redis.get_health());
    for field in [
        "state",
        "score",
        "success_rate",
        "failures",
        "hit_ratio",
        "average_ms",
        "recent",
        "hits",
        "misses",
        "requests",
        "rejected",
        "p50_ms",
        "p99_ms",
    ] {
        assert!(!health[field].is_null(), "{field}: {health}");
    }
    assert_eq!(health["score"], 100);
    assert_eq!(health["recent"][0]["operation"], "get");
}

#[tokio::test(start_paused = true)]
async fn status_holds_health_configuration_pool_breaker_and_counts() {
    let redis = Redis::memory();
    redis.set("k", "v").await.unwrap();
    redis.llen("k").await.unwrap_err();
    let status = json(&redis.get_status());
    assert_eq!(status["health"]["score"], 100);
    assert_eq!(status["config"]["address"], "memory");
    assert_eq!(status["pool"]["connected"], true);
    assert_eq!(status["breaker"]["name"], "redis");
    assert!(status["fallback"].is_null());
    let counts = status["operations"].as_array().unwrap();
    assert_eq!(counts.len(), 2);
    assert_eq!((&counts[0]["operation"], &counts[0]["success"]), (&"set".into(), &1.into()));
    assert_eq!((&counts[1]["operation"], &counts[1]["failure"]), (&"llen".into(), &1.into()));
}

#[tokio::test(start_paused = true)]
async fn no_secret_is_in_a_report() {
    let memory = Memory::new();
    let builder = builder(&memory).username("joe").password("hunter2");
    assert!(!format!("{builder:?}").contains("hunter2"));
    let redis = builder.connect().await.unwrap();
    let status = redis.get_status();
    assert!(!format!("{status:?} {redis:?} {}", json(&status)).contains("hunter2"));
}

#[tokio::test(start_paused = true)]
async fn status_tells_of_the_memory() {
    let (memory, redis) = remembering(FallbackConfig::new()).await;
    redis.set("k", "v").await.unwrap();
    outage(&memory, &redis).await;
    redis.get::<String>("k").await.unwrap();
    let fallback = &json(&redis.get_status())["fallback"];
    assert_eq!((&fallback["entries"], &fallback["answered"]), (&1.into(), &1.into()));
    assert_eq!(fallback["local_writes"], 0);
}

#[tokio::test(start_paused = true)]
async fn a_health_check_asks_for_the_role_past_the_metrics() {
    let redis = Redis::memory();
    redis.health_check().await.unwrap();
    let status = redis.get_status();
    assert_eq!(status.role, Some(Role::Master));
    assert_eq!(json(&status)["role"], "master");
    let counted: Vec<_> = status.operations.iter().map(|counts| counts.operation).collect();
    assert_eq!(counted, ["health_check"]);
}

#[tokio::test(start_paused = true)]
async fn asking_for_health_asks_nobody() {
    let (memory, redis) = remembering(FallbackConfig::new()).await;
    memory.go_down();
    let (health, status) = (redis.get_health(), redis.get_status());
    assert_eq!((health.report.requests, status.operations.len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn the_state_in_a_report_is_that_of_the_breaker() {
    let (memory, redis) = remembering(FallbackConfig::new()).await;
    assert_eq!(json(&redis.get_health())["state"], json(&redis.breaker().state()));
    outage(&memory, &redis).await;
    assert_eq!(json(&redis.get_health())["state"], json(&circuit_layer::State::Open));
    assert_eq!(json(&redis.get_status())["health"]["score"], 0);
}
