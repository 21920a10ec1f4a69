//! The caller's own mistakes: told, counted as failures, and never held against Redis.

use circuit_layer::State;
use redis_service::{Error, ErrorKind, Pipeline, Transaction, Value, redis as redis_rs};

use crate::support::{assert_kind, command, failing, start};

#[tokio::test]
async fn a_wrong_type_does_not_move_the_breaker() {
    let (_server, redis) = start().await;
    redis.set("text", "abc").await.unwrap();
    for _ in 0..20 {
        let (error, _) = failing(redis.llen("text")).await;
        assert_kind(&error, ErrorKind::Client);
        let (error, _) = failing(redis.incr("text")).await;
        assert_kind(&error, ErrorKind::Client);
        let (error, _) = failing(redis.raw::<()>(redis_rs::cmd("NOSUCHCOMMAND"))).await;
        assert_kind(&error, ErrorKind::Client);
    }
    assert_eq!(redis.breaker().state(), State::Closed);
    let status = redis.get_status();
    let llen = status.operations.iter().find(|o| o.operation == "llen").unwrap();
    assert_eq!((llen.success, llen.failure), (0, 20));
    assert_eq!(status.health.report.score, 100);
    assert_eq!(status.pool.retired, 0);
}

#[tokio::test]
async fn a_reply_of_another_type_is_a_decode_error_and_an_answer_of_redis() {
    let (_server, redis) = start().await;
    redis.set("text", "abc").await.unwrap();
    for _ in 0..10 {
        let (error, _) = failing(redis.get::<i64>("text")).await;
        assert!(matches!(error, Error::Decode { .. }), "{error:?}");
    }
    let status = redis.get_status();
    let get = status.operations.iter().find(|o| o.operation == "get").unwrap();
    assert_eq!((get.success, get.failure), (10, 0));
    assert_eq!((redis.breaker().state(), status.pool.retired), (State::Closed, 0));
}

#[tokio::test]
async fn one_bad_request_of_a_pipeline_is_the_clients_and_the_others_are_done() {
    let (_server, redis) = start().await;
    redis.set("text", "abc").await.unwrap();
    let pipeline = Pipeline::new().incr("n").incr("text").incr("n");
    let (error, _) = failing(redis.pipeline::<Vec<i64>>(pipeline)).await;
    assert_kind(&error, ErrorKind::Client);
    assert!(matches!(error, Error::Redis(ref error) if error.maybe_applied()));
    assert_eq!(redis.get::<i64>("n").await.unwrap(), Some(2));
    assert_eq!(redis.breaker().state(), State::Closed);
}

#[tokio::test]
async fn a_command_that_blocks_is_refused_in_a_pipeline_unless_that_is_atomic() {
    let (_server, redis) = start().await;
    for _ in 0..5 {
        let blocks = Pipeline::new().incr("n").raw(command("BLPOP queue 0"));
        let (error, _) = failing(redis.pipeline::<Value>(blocks.clone())).await;
        assert_kind(&error, ErrorKind::Client);
        assert!(matches!(error, Error::Redis(ref error) if !error.maybe_applied()));
        let reads = Transaction::watch(["n"]).read(blocks);
        assert_kind(&failing(redis.transaction::<()>(reads)).await.0, ErrorKind::Client);
    }
    assert_eq!(redis.get::<i64>("n").await.unwrap(), None, "it was never sent");
    assert_eq!(redis.breaker().state(), State::Closed);
    let atomic = Pipeline::new().incr("n").raw(command("BLPOP queue 0")).atomic();
    let (n, popped): (i64, Option<Vec<String>>) = redis.pipeline(atomic).await.unwrap();
    assert_eq!((n, popped), (1, None));
}

#[tokio::test]
async fn a_wait_for_replicas_is_refused_alone_and_confirms_what_stands_before_it() {
    let (_server, redis) = start().await;
    for alone in ["WAIT 0 100", "WAITAOF 0 0 100"] {
        let (error, _) = failing(redis.raw::<i64>(command(alone))).await;
        assert_kind(&error, ErrorKind::Client);
        assert!(error.to_string().contains("raw"), "{error}");
    }
    for wait in ["WAIT 1 700", "WAIT 1 0"] {
        let confirmed = Pipeline::new().set("k", "v").raw(command(wait));
        let (set, replicas): (String, i64) = redis.pipeline(confirmed).await.unwrap();
        assert_eq!((set.as_str(), replicas), ("OK", 0));
    }
    let atomic = Pipeline::new().set("k", "v").raw(command("WAIT 1 0")).atomic();
    assert_eq!(redis.pipeline::<(String, i64)>(atomic).await.unwrap().1, 0);
    let report = redis.get_health().report;
    assert_eq!((redis.breaker().state(), report.score), (State::Closed, 100));
}

#[tokio::test]
async fn a_full_redis_refuses_writes_and_that_counts() {
    let server = redis_service::test_server::RedisServer::builder();
    let server = server.arg("--maxmemory").arg("1").start().await.unwrap();
    let redis = crate::support::builder(&server).connect().await.unwrap();
    for _ in 0..5 {
        let (error, _) = failing(redis.set("k", "v")).await;
        assert_kind(&error, ErrorKind::Oom);
    }
    assert_eq!(redis.breaker().state(), State::Open);
}
