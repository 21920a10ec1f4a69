//! A client over a pool that its user brings along.

use circuit_layer::State;
use redis_service::bb8::Pool;
use redis_service::bb8_redis::RedisConnectionManager;
use redis_service::test_server::RedisServer;
use redis_service::{ErrorKind, Redis, Start, redis as redis_rs};

use crate::support::{assert_kind, failing, millis, until, until_it_serves};

async fn pool(server: &RedisServer, size: u32, asks: bool) -> Pool<RedisConnectionManager> {
    let manager = RedisConnectionManager::new(server.url()).unwrap();
    Pool::builder().max_size(size).test_on_check_out(asks).build(manager).await.unwrap()
}

#[tokio::test]
async fn a_users_pool_is_shared_with_its_user() {
    let server = RedisServer::start().await.unwrap();
    let pool = pool(&server, 3, true).await;
    let redis = Redis::from_pool(pool.clone()).connect().await.unwrap();
    redis.set("k", "v").await.unwrap();
    assert_eq!(redis.blpop::<String>(["queue"], millis(5)).await.unwrap(), None);
    assert_eq!(redis.get_status().pool.max_size, 3);
    assert_eq!(pool.state().connections, 2);
    let mut own = pool.get().await.unwrap();
    let seen: String = redis_rs::cmd("GET").arg("k").query_async(&mut *own).await.unwrap();
    assert_eq!(seen, "v");
    drop(own);
    redis.close().await;
    until("all are back", async || pool.state().idle_connections == pool.state().connections).await;
}

#[tokio::test]
async fn timed_a_client_over_a_pool_tells_the_cause_at_once_and_heals() {
    for asks in [true, false] {
        let mut server = RedisServer::start().await.unwrap();
        let pool = pool(&server, 5, asks).await;
        let redis = Redis::from_pool(pool).reset_timeout(millis(200)).start(Start::Lazy);
        let redis = redis.connect().await.unwrap();
        redis.set("k", "v").await.unwrap();
        server.kill().unwrap();
        for _ in 0..5 {
            let (error, took) = failing(redis.incr("n")).await;
            assert_kind(&error, ErrorKind::Connection);
            assert!(took < millis(200), "{took:?}");
        }
        assert!(failing(redis.ping()).await.0.is_rejected());
        server.restart().await.unwrap();
        until_it_serves(&redis).await;
    }
}

#[tokio::test]
async fn timed_a_queue_that_stays_empty_for_longer_than_redis_rs_waits_is_no_failure() {
    let server = RedisServer::start().await.unwrap();
    let redis = Redis::from_pool(pool(&server, 2, true).await).connect().await.unwrap();
    for _ in 0..5 {
        assert_eq!(redis.blpop::<String>(["queue"], millis(700)).await.unwrap(), None);
    }
    let report = redis.get_health().report;
    assert_eq!((report.failures, redis.breaker().state()), (0, State::Closed));
}

/// A number out of `INFO`.
async fn info(redis: &Redis, section: &str, name: &str) -> u64 {
    let mut info = redis_rs::cmd("INFO");
    let lines: String = redis.raw(info.arg(section).clone()).await.unwrap();
    let value = lines.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    value.unwrap().trim().parse().unwrap()
}

#[tokio::test]
async fn a_dropped_blocking_call_leaves_nothing_on_the_users_connections() {
    let server = RedisServer::start().await.unwrap();
    let pool = pool(&server, 2, false).await;
    let redis = Redis::from_pool(pool.clone()).connect().await.unwrap();
    for _ in 0..5 {
        let dropped = redis.blpop::<String>(["queue"], millis(60_000));
        assert!(tokio::time::timeout(millis(50), dropped).await.is_err());
    }
    until("redis waits for nobody", async || info(&redis, "clients", "blocked_clients").await == 0)
        .await;
    redis.lpush("queue", ["v"]).await.unwrap();
    until("the place is back", async || pool.state().idle_connections == 1).await;
    let mut own = pool.get().await.unwrap();
    let popped: Option<String> =
        redis_rs::cmd("LPOP").arg("queue").query_async(&mut *own).await.unwrap();
    assert_eq!(popped.as_deref(), Some("v"), "no forgotten call has taken it");
    assert_eq!(redis.breaker().state(), State::Closed);
}

#[tokio::test]
async fn timed_a_client_that_has_the_whole_pool_heals_after_redis_hung() {
    let server = RedisServer::start().await.unwrap();
    let pool = pool(&server, 2, false).await;
    let redis = Redis::from_pool(pool.clone()).reset_timeout(millis(200)).connect().await.unwrap();
    redis.blpop::<String>(["queue"], millis(5)).await.unwrap();
    assert_eq!(pool.state().idle_connections, 0);
    server.stop().unwrap();
    let blocked = redis.blpop::<String>(["queue"], millis(60_000));
    assert!(tokio::time::timeout(millis(50), blocked).await.is_err());
    while redis.breaker().state() == State::Closed {
        failing(redis.incr("n")).await;
    }
    server.cont().unwrap();
    until_it_serves(&redis).await;
    until("the other place is back", async || pool.state().idle_connections == 1).await;
    redis.lpush("queue", ["v"]).await.unwrap();
    let popped = redis.blpop::<String>(["queue"], millis(100)).await.unwrap();
    assert!(popped.is_some(), "what was given up before Redis hung has not taken it");
}

#[tokio::test]
async fn a_client_that_is_closed_gives_its_connections_back_as_they_are() {
    let server = RedisServer::start().await.unwrap();
    let pool = pool(&server, 2, true).await;
    let redis = Redis::from_pool(pool.clone()).connect().await.unwrap();
    redis.blpop::<String>(["queue"], millis(5)).await.unwrap();
    let made = info(&redis, "stats", "total_connections_received").await;
    redis.close().await;
    until("all are back", async || pool.state().idle_connections == 2).await;
    let watcher = crate::support::builder(&server).connect().await.unwrap();
    assert_eq!(info(&watcher, "stats", "total_connections_received").await, made + 1);
}
