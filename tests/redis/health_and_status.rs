//! What a client knows of a real Redis.

use redis_service::test_server::RedisServer;
use redis_service::{Error, ErrorKind, FallbackConfig, Role, redis as redis_rs};

use crate::support::{assert_kind, builder, failing, millis, now, start, until, until_it_serves};

fn cmd(words: &[&str]) -> redis_rs::Cmd {
    let mut cmd = redis_rs::Cmd::new();
    cmd.arg(words);
    cmd
}

#[tokio::test]
async fn a_health_check_notices_a_master_that_became_a_replica() {
    let (server, _first) = start().await;
    let other = RedisServer::start().await.unwrap();
    let redis = builder(&server).connect().await.unwrap();
    redis.raw::<String>(cmd(&["REPLICAOF", "127.0.0.1", &other.port().to_string()])).await.unwrap();
    redis.health_check().await.unwrap();
    assert_eq!(redis.get_status().role, Some(Role::Replica));
    assert_kind(&failing(redis.set("k", "v")).await.0, ErrorKind::ReadOnly);
}

#[tokio::test]
async fn the_role_is_asked_for_now_and_then_and_not_each_time() {
    let (_server, redis) = start().await;
    for _ in 0..50 {
        redis.health_check().await.unwrap();
    }
    let stats: String = redis.raw(cmd(&["INFO", "commandstats"])).await.unwrap();
    let role = stats.lines().find(|line| line.starts_with("cmdstat_role:")).unwrap();
    assert!(role.contains("calls=1,"), "{role}");
    assert_eq!(redis.get_status().role, Some(Role::Master));
}

#[tokio::test]
async fn a_user_who_may_not_ask_for_the_role_is_healthy_without_one() {
    let (server, admin) = start().await;
    let rights = ["ACL", "SETUSER", "joe", "on", ">pw", "~*", "+@all", "-role", "-client"];
    admin.raw::<String>(cmd(&rights)).await.unwrap();
    let builder = builder(&server).username("joe").password("pw");
    let redis = builder.fallback(FallbackConfig::new()).connect().await.unwrap();
    redis.health_check().await.unwrap();
    let status = redis.get_status();
    assert_eq!((status.role, status.health.report.score), (None, 100));
    assert!(!status.fallback.unwrap().tracked);
}

#[tokio::test]
async fn a_health_check_of_a_hung_redis_ends_by_its_own_deadline() {
    let server = RedisServer::start().await.unwrap();
    let redis = builder(&server).health_deadline(millis(60)).deadline(millis(2000));
    let redis = redis.connect().await.unwrap();
    server.stop().unwrap();
    let (error, took) = failing(redis.health_check()).await;
    assert_kind(&error, ErrorKind::Timeout);
    assert!(took >= millis(55) && took < millis(600), "{took:?}");
    server.cont().unwrap();
    until_it_serves(&redis).await;
}

#[tokio::test]
async fn the_score_falls_with_the_failures_and_recovers_with_the_breaker() {
    let (mut server, redis) = start().await;
    for _ in 0..100 {
        redis.ping().await.unwrap();
    }
    assert_eq!(redis.get_health().report.score, 100);
    server.kill().unwrap();
    until("the breaker is open", async || redis.ping().await.is_err_and(|e| e.is_rejected())).await;
    assert_eq!(redis.get_health().report.score, 0);
    server.restart().await.unwrap();
    until_it_serves(&redis).await;
    let report = redis.get_health().report;
    assert!(report.score > 80 && report.score < 100, "{}", report.score);
    assert_eq!(report.failures, 5);
}

#[tokio::test]
async fn latency_is_that_of_redis() {
    let (_server, redis) = start().await;
    redis.raw::<String>(cmd(&["DEBUG", "SLEEP", "0.05"])).await.unwrap_or_default();
    let begun = now();
    redis.raw::<()>(cmd(&["CLIENT", "PAUSE", "50"])).await.unwrap();
    redis.set("k", "v").await.unwrap();
    assert!(now() - begun >= millis(45));
    let recent = redis.get_health().report.recent;
    assert_eq!(recent[0].operation, "set");
    assert!(recent[0].latency_ms >= 45.0, "{:?}", recent[0]);
}

#[tokio::test]
async fn hits_and_misses_are_answers_of_redis_alone() {
    let mut server = RedisServer::start().await.unwrap();
    let redis = builder(&server).fallback(FallbackConfig::new()).connect().await.unwrap();
    redis.set("k", "v").await.unwrap();
    redis.get::<String>("k").await.unwrap();
    redis.get::<String>("none").await.unwrap();
    server.kill().unwrap();
    for _ in 0..10 {
        assert_eq!(redis.get::<String>("k").await.unwrap().as_deref(), Some("v"));
    }
    assert!(matches!(redis.get::<String>("none").await, Err(Error::Rejected(_))));
    let health = redis.get_health();
    assert_eq!((health.hits, health.misses), (1, 1));
    assert!((health.hit_ratio - 0.5).abs() < 1e-9);
}
