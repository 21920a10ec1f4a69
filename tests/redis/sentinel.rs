//! A master under the watch of sentinels that dies, or hangs.

use circuit_layer::State;
use redis_service::test_server::RedisSentinels;
use redis_service::{ErrorKind, Redis, RedisError, StartError};

use crate::support::{millis, now, until};

async fn start() -> (RedisSentinels, Redis) {
    let group = RedisSentinels::start().await.unwrap();
    let redis =
        Redis::builder().sentinel(RedisSentinels::NAME, group.urls()).reset_timeout(millis(300));
    let redis = redis.connect().await.unwrap();
    (group, redis)
}

/// Writes until a write succeeds and the breaker is closed; each call ends by its deadline.
async fn until_it_writes(redis: &Redis) {
    until("a master takes writes", async || {
        let (begun, answer) = (now(), redis.set("k", "new").await);
        assert!(now() - begun < millis(700), "{answer:?}");
        answer.is_ok() && redis.breaker().state() == State::Closed
    })
    .await;
}

#[tokio::test]
async fn timed_a_killed_master_is_followed_by_its_replica() {
    let (mut group, redis) = start().await;
    redis.set("k", "old").await.unwrap();
    group.master.kill().unwrap();
    let killed = now();
    until_it_writes(&redis).await;
    let recovered = now() - killed;
    assert!(recovered < millis(10_000), "written again only {recovered:?} after the kill");
    assert_eq!(redis.get::<String>("k").await.unwrap().as_deref(), Some("new"));
    let role = redis.raw::<Vec<redis_service::Value>>(redis_service::redis::cmd("ROLE")).await;
    assert_eq!(role.unwrap()[0], redis_service::Value::BulkString(b"master".to_vec()));
    // The old master comes back as a replica, and nobody writes to it.
    group.master.restart().await.unwrap();
    redis.set("k", "newest").await.unwrap();
}

#[tokio::test]
async fn timed_a_master_that_hangs_together_with_a_sentinel_is_followed_by_its_replica() {
    let (group, redis) = start().await;
    redis.set("k", "old").await.unwrap();
    group.master.stop().unwrap();
    // Two sentinels are enough to agree; the first in the list must not hold up the dials.
    group.sentinels[0].stop().unwrap();
    let stopped = now();
    until_it_writes(&redis).await;
    let recovered = now() - stopped;
    assert!(recovered < millis(10_000), "written again only {recovered:?} after the stop");
    assert!(redis.get_status().pool.retired >= 1);
    group.master.cont().unwrap();
    group.sentinels[0].cont().unwrap();
}

#[tokio::test]
async fn an_unknown_master_and_sentinels_that_are_not_there_are_told() {
    let group = RedisSentinels::start().await.unwrap();
    let unknown = Redis::builder().sentinel("nobody", group.urls()).connect().await.unwrap_err();
    let StartError::Unreachable(RedisError::Dial(cause)) = unknown else { panic!("{unknown:?}") };
    assert!(cause.to_string().contains("not found"), "{cause}");
    let gone = Redis::builder().sentinel("main", ["redis://127.0.0.1:1/"]).connect().await;
    let StartError::Unreachable(error) = gone.unwrap_err() else { panic!("started") };
    assert_eq!(error.kind(), ErrorKind::Connection);
    let none = Redis::builder().sentinel("main", Vec::<String>::new()).connect().await;
    assert!(matches!(none, Err(StartError::Address(_))));
}
