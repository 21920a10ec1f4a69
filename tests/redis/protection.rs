//! What the breaker keeps away from callers, and from Redis.

use circuit_layer::State;
use redis_service::ErrorKind;
use redis_service::test_server::RedisServer;
use tokio::task::JoinSet;

use crate::support::{assert_kind, builder, failing, millis, now, start, until, until_it_serves};

#[tokio::test]
async fn timed_an_open_breaker_rejects_every_operation_at_once_and_asks_nobody() {
    let (mut server, redis) = start().await;
    server.kill().unwrap();
    redis.breaker().force_open("a test", None);
    server.restart().await.unwrap();
    let begun = now();
    for _ in 0..1000 {
        assert!(failing(redis.get::<String>("k")).await.0.is_rejected());
    }
    assert!((now() - begun) / 1000 < millis(1), "{:?} for 1000", now() - begun);
    assert!(failing(redis.set("k", "v")).await.0.is_rejected());
    assert!(failing(redis.blpop::<String>(["k"], millis(1000))).await.0.is_rejected());
    assert!(failing(redis.health_check()).await.0.is_rejected());
    let status = redis.get_status();
    assert_eq!((status.pool.connected, status.pool.connections), (true, 1));
    assert_eq!((status.health.report.rejected, status.health.report.failures), (1003, 0));
    redis.breaker().release("the test is over");
    until_it_serves(&redis).await;
}

#[tokio::test]
async fn rejections_say_when_to_come_back_and_why() {
    let (mut server, redis) = start().await;
    server.kill().unwrap();
    while redis.breaker().state() == State::Closed {
        assert_kind(&failing(redis.incr("n")).await.0, ErrorKind::Connection);
    }
    let redis_service::Error::Rejected(rejected) = failing(redis.incr("n")).await.0 else {
        panic!("not rejected")
    };
    assert_eq!((rejected.name(), rejected.state()), ("redis", State::Open));
    assert!(rejected.retry_after().is_some_and(|wait| wait <= millis(300)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn timed_a_hung_redis_does_not_pile_up_its_callers() {
    let server = RedisServer::start().await.unwrap();
    let redis = builder(&server).deadline(millis(300)).reset_timeout(millis(60_000));
    let redis = redis.connect().await.unwrap();
    server.stop().unwrap();
    let mut callers = JoinSet::new();
    for _ in 0..200 {
        let redis = redis.clone();
        callers.spawn(async move { failing(redis.incr("n")).await });
    }
    for (error, took) in callers.join_all().await {
        assert_kind(&error, ErrorKind::Timeout);
        assert!(took < millis(1000), "{took:?}");
    }
    // One deadline later the outage costs its callers nothing any more.
    assert_eq!(redis.breaker().state(), State::Open);
    let begun = now();
    for _ in 0..200 {
        assert!(failing(redis.incr("n")).await.0.is_rejected());
    }
    assert!(now() - begun < millis(200), "{:?}", now() - begun);
    assert_eq!(redis.get_status().pool.in_flight, 0);
    server.cont().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_dead_redis_takes_no_other_client_down() {
    let (mut dead, first) = start().await;
    let (_alive, second) = start().await;
    dead.kill().unwrap();
    let mut callers = JoinSet::new();
    for n in 0..100 {
        let (first, second) = (first.clone(), second.clone());
        callers.spawn(async move {
            let lost = first.get::<String>(format!("k{n}")).await;
            second.set(format!("k{n}"), n).await.unwrap();
            lost.is_err()
        });
    }
    assert!(callers.join_all().await.into_iter().all(|lost| lost));
    assert_eq!((first.breaker().state(), second.breaker().state()), (State::Open, State::Closed));
    assert_eq!(second.get_health().report.failures, 0);
}

#[tokio::test]
async fn timed_a_recovery_that_fails_opens_again_and_waits_longer() {
    let (mut server, redis) = start().await;
    server.kill().unwrap();
    while redis.breaker().state() == State::Closed {
        failing(redis.incr("n")).await;
    }
    let mut waits = Vec::new();
    for _ in 0..3 {
        waits.push(redis.breaker().snapshot().retry_after.unwrap());
        until("a probe was sent", async || !failing(redis.ping()).await.0.is_rejected()).await;
        assert_eq!(redis.breaker().state(), State::Open, "one failed probe is enough");
    }
    assert!(waits.is_sorted(), "{waits:?}");
    assert!(waits.last().unwrap() > &millis(900), "{waits:?}");
    server.restart().await.unwrap();
    until_it_serves(&redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_open_lets_three_probes_out_and_no_more() {
    let (server, redis) = start().await;
    redis.ping().await.unwrap();
    redis.breaker().force_open("a test", Some(millis(1)));
    server.stop().unwrap();
    until("a probe is due", async || {
        redis.breaker().snapshot().retry_after.is_none_or(|wait| wait.is_zero())
    })
    .await;
    let mut callers = JoinSet::new();
    for _ in 0..50 {
        let redis = redis.clone();
        callers.spawn(async move { failing(redis.incr("n")).await.0 });
    }
    let errors = callers.join_all().await;
    let sent = errors.iter().filter(|error| !error.is_rejected()).count();
    assert!((1..=3).contains(&sent), "{sent} of {}", errors.len());
    server.cont().unwrap();
    until_it_serves(&redis).await;
}
