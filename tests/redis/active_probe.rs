//! An open breaker asks Redis itself.

use circuit_layer::{CircuitBreaker, State};
use redis_service::test_server::RedisServer;
use redis_service::{Redis, RedisBuilder};
use tests::probes::Answers;

use crate::support::{builder, failing, millis, now, until};

const MINUTE: u64 = 60_000;

/// A client whose breaker would wait for a minute.
fn patient(server: &RedisServer) -> RedisBuilder {
    builder(server).reset_timeout(millis(MINUTE)).deadline(millis(200))
}

async fn trip(redis: &Redis) {
    while redis.breaker().state() == State::Closed {
        failing(redis.incr("n")).await;
    }
}

fn wait(breaker: &CircuitBreaker) -> std::time::Duration {
    breaker.snapshot().retry_after.unwrap_or_default()
}

async fn reject(redis: &Redis) {
    assert!(failing(redis.incr("n")).await.0.is_rejected());
}

#[tokio::test]
async fn a_redis_that_is_back_ends_the_wait_and_the_next_calls_close_the_breaker() {
    let mut server = RedisServer::start().await.unwrap();
    let redis = patient(&server).active_probe(millis(50)).connect().await.unwrap();
    let (answers, _listening) = Answers::of(redis.breaker());
    server.kill().unwrap();
    trip(&redis).await;
    reject(&redis).await;
    until("a question goes unanswered", async || answers.no() == 1).await;
    server.restart().await.unwrap();
    while answers.yes() == 0 {
        ask(&redis, &answers).await;
    }
    assert_eq!((redis.breaker().state(), wait(redis.breaker())), (State::Open, millis(0)));
    for _ in 0..3 {
        redis.ping().await.unwrap();
    }
    assert_eq!(redis.breaker().state(), State::Closed);
}

/// Lets a rejected call start the next question once it is due, until one more has ended.
async fn ask(redis: &Redis, answers: &Answers) {
    let before = answers.yes() + answers.no();
    until("a question has ended", async || {
        if answers.yes() + answers.no() == before {
            assert!(redis.breaker().try_acquire().is_err());
        }
        answers.yes() + answers.no() > before
    })
    .await;
}

#[tokio::test]
async fn a_question_is_not_answered_by_a_dial_that_failed_before_it() {
    let mut server = RedisServer::start().await.unwrap();
    let redis = patient(&server).active_probe(millis(100)).connect().await.unwrap();
    let (answers, _listening) = Answers::of(redis.breaker());
    server.kill().unwrap();
    trip(&redis).await;
    for _ in 0..6 {
        ask(&redis, &answers).await;
    }
    assert_eq!((answers.yes(), answers.no()), (0, 6));
    server.restart().await.unwrap();
    ask(&redis, &answers).await;
    assert_eq!((answers.yes(), answers.no()), (1, 6));
}

#[tokio::test]
async fn a_question_is_no_call_in_any_count() {
    let mut server = RedisServer::start().await.unwrap();
    let redis = patient(&server).active_probe(millis(50)).connect().await.unwrap();
    let (answers, _listening) = Answers::of(redis.breaker());
    server.kill().unwrap();
    trip(&redis).await;
    let (before, operations) = (redis.get_health().report, redis.get_status().operations);
    for _ in 0..3 {
        ask(&redis, &answers).await;
    }
    let after = redis.get_health().report;
    assert_eq!((after.failures, after.rejected), (before.failures, before.rejected));
    assert_eq!(redis.get_status().operations, operations);
}

#[tokio::test]
async fn timed_a_hung_redis_is_asked_until_the_deadline_and_the_wait_begins_anew() {
    let server = RedisServer::start().await.unwrap();
    // A dial that lasts longer than the test, so that it never is why there is no answer.
    let redis = patient(&server).dial_timeout(millis(MINUTE)).health_deadline(millis(100));
    let redis = redis.active_probe(millis(50)).connect().await.unwrap();
    let (answers, _listening) = Answers::of(redis.breaker());
    server.stop().unwrap();
    trip(&redis).await;
    until("some of the wait is over", async || wait(redis.breaker()) < millis(MINUTE - 100)).await;
    let begun = now();
    reject(&redis).await;
    until("the question has ended", async || answers.no() == 1).await;
    let took = now() - begun;
    assert!(took >= millis(90) && took < millis(400), "{took:?}");
    assert_eq!((redis.breaker().state(), answers.yes()), (State::Open, 0));
    // Without a new beginning, the hundred before and the ninety that it took would be gone.
    assert!(wait(redis.breaker()) > millis(MINUTE - 190), "{:?}", wait(redis.breaker()));
    server.cont().unwrap();
}

#[tokio::test]
async fn a_breaker_that_outlives_its_client_keeps_no_connection_and_asks_nobody() {
    let server = RedisServer::start().await.unwrap();
    let redis = patient(&server).active_probe(millis(0)).connect().await.unwrap();
    let spare = builder(&server).connect().await.unwrap();
    let breaker = redis.breaker().clone();
    let (answers, _listening) = Answers::of(&breaker);
    server.stop().unwrap();
    trip(&redis).await;
    server.cont().unwrap();
    while answers.yes() == 0 {
        ask(&redis, &answers).await;
    }
    let unanswered = answers.no();
    drop(redis);
    until("the connections are closed", async || clients(&spare).await == 1).await;
    // The wait is over, so the first is a probe; it fails.
    breaker.try_acquire().unwrap().failure("test");
    assert!(breaker.try_acquire().is_err());
    until("nobody could be asked", async || answers.no() > unanswered).await;
    assert_eq!((answers.yes(), clients(&spare).await), (1, 1));
}

async fn clients(redis: &Redis) -> usize {
    let list: String =
        redis.raw(redis_service::redis::cmd("CLIENT").arg("LIST").take()).await.unwrap();
    list.lines().count()
}

#[tokio::test]
async fn without_being_told_to_a_breaker_asks_nobody() {
    let mut server = RedisServer::start().await.unwrap();
    let redis = patient(&server).connect().await.unwrap();
    let (answers, _listening) = Answers::of(redis.breaker());
    server.kill().unwrap();
    trip(&redis).await;
    server.restart().await.unwrap();
    let probe = builder(&server).connect().await.unwrap();
    for _ in 0..50 {
        reject(&redis).await;
        probe.ping().await.unwrap();
    }
    assert_eq!((answers.yes(), answers.no(), clients(&probe).await), (0, 0, 1));
    assert!(wait(redis.breaker()) > millis(MINUTE - 10_000));
}
