//! The process-wide client, and how any client is closed.

use redis_service::test_server::RedisServer;
use redis_service::{Error, RedisError, StartError, close_redis, get_redis, initialize_redis};

use crate::support::{builder, millis, now, start, until};

#[tokio::test]
async fn it_is_closed_with_its_calls_and_can_be_initialized_again() {
    let server = RedisServer::start().await.unwrap();
    for round in 0..2 {
        let redis = initialize_redis(builder(&server).deadline(millis(300))).await.unwrap();
        let second = initialize_redis(builder(&server)).await;
        assert!(matches!(second, Err(StartError::AlreadyInitialized)));
        server.stop().unwrap();
        let running = tokio::spawn(async move { get_redis().unwrap().incr("n").await });
        until("it is in flight", async || redis.get_status().pool.in_flight == 1).await;
        server.cont().unwrap();
        close_redis().await.unwrap();
        assert_eq!(running.await.unwrap().unwrap(), round + 1, "the call was let finish");
        assert!(matches!(get_redis(), Err(StartError::NotInitialized)));
        assert!(matches!(redis.ping().await, Err(Error::Redis(RedisError::Closed))));
    }
}

#[tokio::test]
async fn a_close_with_a_bound_leaves_a_long_call_behind() {
    let (_server, redis) = start().await;
    let waiting = tokio::spawn({
        let redis = redis.clone();
        async move { redis.blpop::<String>(["queue"], millis(20_000)).await }
    });
    until("it waits", async || redis.get_status().pool.in_flight == 1).await;
    let begun = now();
    assert!(!redis.close_within(millis(100)).await);
    let took = now() - begun;
    assert!(took >= millis(95) && took < millis(1000), "{took:?}");
    assert!(!waiting.is_finished());
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    assert!(redis.close_within(millis(5000)).await, "and now nothing is in flight");
}
