//! A client over a pool that its user brings along.

use redis_service::bb8::Pool;
use redis_service::bb8_redis::RedisConnectionManager;
use redis_service::test_server::RedisServer;
use redis_service::{ErrorKind, Redis, Start};

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
    let seen: String =
        redis_service::redis::cmd("GET").arg("k").query_async(&mut *own).await.unwrap();
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
