//! What the tests have in common.

use std::time::Duration;

use circuit_layer::{Clock, Moment, State};
use redis_service::test_server::RedisServer;
use redis_service::{Error, ErrorKind, Redis, RedisBuilder, redis as redis_rs};

pub(crate) fn now() -> Moment {
    Clock::default().now()
}

pub(crate) fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// A client with a short wait, so that a test sees an outage from beginning to end.
pub(crate) fn builder(server: &RedisServer) -> RedisBuilder {
    Redis::builder().url(&server.url()).reset_timeout(millis(300))
}

pub(crate) async fn start() -> (RedisServer, Redis) {
    let server = RedisServer::start().await.unwrap();
    let redis = builder(&server).connect().await.unwrap();
    (server, redis)
}

/// A command as one types it.
pub(crate) fn command(line: &str) -> redis_rs::Cmd {
    let mut words = line.split(' ');
    let mut cmd = redis_rs::cmd(words.next().unwrap());
    for word in words {
        cmd.arg(word);
    }
    cmd
}

/// Waits until `condition` holds; fails after 10 seconds.
pub(crate) async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let mut pace = tokio::time::interval(millis(5));
    for _ in 0..2000 {
        if condition().await {
            return;
        }
        pace.tick().await;
    }
    panic!("waited in vain until {what}");
}

/// Calls until one succeeds and the breaker is closed.
pub(crate) async fn until_it_serves(redis: &Redis) {
    until("redis serves again", async || {
        redis.ping().await.is_ok() && redis.breaker().state() == State::Closed
    })
    .await;
}

/// The kind of the failure, and how long it took to say so.
pub(crate) async fn failing<T>(call: impl Future<Output = Result<T, Error>>) -> (Error, Duration) {
    let begun = now();
    match call.await {
        Ok(_) => panic!("the call succeeded"),
        Err(error) => (error, now() - begun),
    }
}

pub(crate) fn assert_kind(error: &Error, kind: ErrorKind) {
    assert_eq!(error.kind(), Some(kind), "{error:?}");
}
