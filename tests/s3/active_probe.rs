//! An open breaker asks S3 itself.

use std::time::Duration;

use circuit_layer::{CircuitBreaker, State, Subscription};
use s3_service::S3;
use s3_service::test_server::Fault;
use tests::probes::Answers;

use crate::support::{RESET, Rig, rig, rig_with, until};

const PAUSE: Duration = Duration::from_secs(1);

async fn asking() -> (Rig, Answers, Subscription) {
    let rig = rig_with(|settings| settings.active_probe(PAUSE)).await;
    let (answers, listening) = Answers::of(rig.s3.breaker());
    (rig, answers, listening)
}

async fn trip(s3: &S3) {
    while s3.breaker().state() == State::Closed {
        s3.head("k").await.unwrap_err();
    }
}

async fn reject(s3: &S3) {
    assert!(s3.head("k").await.unwrap_err().rejected().is_some());
}

fn wait(breaker: &CircuitBreaker) -> Duration {
    breaker.snapshot().retry_after.unwrap_or_default()
}

#[tokio::test]
async fn an_s3_that_is_back_ends_the_wait_and_the_next_calls_close_the_breaker() {
    let (rig, answers, _listening) = asking().await;
    rig.server.kill().await;
    trip(&rig.s3).await;
    rig.time.advance(RESET / 2);
    reject(&rig.s3).await;
    until("a question goes unanswered", || answers.no() == 1).await;
    assert_eq!(wait(rig.s3.breaker()), RESET, "the wait begins anew");

    rig.server.restart().await.unwrap();
    rig.time.advance(PAUSE);
    let asked = rig.server.requests();
    reject(&rig.s3).await;
    until("one is answered", || answers.yes() == 1).await;
    assert_eq!(rig.server.requests(), asked + 1);
    assert_eq!((rig.s3.breaker().state(), wait(rig.s3.breaker())), (State::Open, Duration::ZERO));
    for _ in 0..3 {
        rig.s3.health_check().await.unwrap();
    }
    assert_eq!(rig.s3.breaker().state(), State::Closed);
}

#[tokio::test]
async fn a_question_is_no_call_in_any_count() {
    let (rig, answers, _listening) = asking().await;
    rig.server.kill().await;
    trip(&rig.s3).await;
    let before = rig.s3.get_health().report;
    rig.server.restart().await.unwrap();
    assert!(rig.s3.breaker().try_acquire().is_err());
    until("it was asked", || answers.yes() == 1).await;
    let after = rig.s3.get_health().report;
    assert_eq!((after.requests, after.successes), (before.requests, before.successes));
    assert_eq!((after.failures, after.rejected), (before.failures, before.rejected));
}

#[tokio::test]
async fn a_hung_s3_is_asked_for_three_seconds_and_the_wait_begins_anew() {
    let (rig, answers, _listening) = asking().await;
    rig.server.kill().await;
    trip(&rig.s3).await;
    rig.server.inject(Fault::Stall);
    rig.server.restart().await.unwrap();
    rig.time.advance(RESET / 2);
    let asked = rig.server.requests();
    reject(&rig.s3).await;
    until("the question is out", || rig.server.requests() > asked).await;
    assert_eq!((answers.yes(), answers.no()), (0, 0));
    rig.time.advance(Duration::from_secs(3));
    until("it has ended", || answers.no() == 1).await;
    assert_eq!((rig.s3.breaker().state(), wait(rig.s3.breaker())), (State::Open, RESET));
}

#[tokio::test]
async fn an_s3_that_refuses_is_there_and_one_that_fails_is_not() {
    let check = async |fault: Fault, healthy: bool| {
        let (rig, answers, _listening) = asking().await;
        rig.server.kill().await;
        trip(&rig.s3).await;
        rig.server.inject(fault);
        rig.server.restart().await.unwrap();
        reject(&rig.s3).await;
        until("it was asked", || answers.yes() + answers.no() == 1).await;
        assert_eq!((answers.yes() == 1), healthy, "{fault:?}");
    };
    check(Fault::Answer { status: 403, code: "AccessDenied" }, true).await;
    check(Fault::Answer { status: 404, code: "NoSuchBucket" }, true).await;
    check(Fault::SlowDown, false).await;
    check(Fault::InternalError, false).await;
}

#[tokio::test]
async fn a_breaker_that_outlives_its_service_asks_nobody() {
    let (rig, answers, _listening) = asking().await;
    rig.server.kill().await;
    trip(&rig.s3).await;
    rig.server.restart().await.unwrap();
    let (breaker, asked) = (rig.s3.breaker().clone(), rig.server.requests());
    drop(rig.s3);
    assert!(breaker.try_acquire().is_err());
    until("nobody could be asked", || answers.no() == 1).await;
    assert_eq!((answers.yes(), rig.server.requests()), (0, asked));
}

#[tokio::test]
async fn without_being_told_to_a_breaker_asks_nobody() {
    let rig = rig().await;
    let (answers, _listening) = Answers::of(rig.s3.breaker());
    rig.server.kill().await;
    trip(&rig.s3).await;
    rig.server.restart().await.unwrap();
    let asked = rig.server.requests();
    for _ in 0..20 {
        reject(&rig.s3).await;
        rig.s3.bypass().health_check().await.unwrap();
    }
    assert_eq!((answers.yes(), answers.no(), rig.server.requests()), (0, 0, asked + 20));
}
