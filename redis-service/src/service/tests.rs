use tower::ServiceExt;

use super::*;
use crate::fake::{Dialled, Fake, Reply};
use crate::{ErrorKind, Pipeline, Raw, SetOptions};

mod connection;
mod crowd;

const OK: Reply = Reply::Line("+OK");

fn healthy() -> Fake {
    Fake::new(|_| OK)
}

fn over(fake: &Fake) -> RedisService<Fake> {
    RedisService::new(fake.clone(), ServiceConfig::default(), Clock::default())
}

async fn send(service: &RedisService<Fake>, request: Request) -> Result<Value, RedisError> {
    service.clone().oneshot(request).await
}

fn get() -> Request {
    Request::Get { key: "k".into() }
}

fn set() -> Request {
    Request::Set { key: "k".into(), value: "v".into(), options: SetOptions::default() }
}

fn incr() -> Request {
    Request::Incr { key: "k".into(), by: 1 }
}

/// Everything but the first PING of a connection.
fn calls(reply: Reply) -> impl Fn(&str) -> Reply {
    move |line| if line == "PING" { OK } else { reply }
}

#[tokio::test(start_paused = true)]
async fn a_hundred_callers_share_one_dial() {
    let fake = healthy();
    let service = over(&fake);
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let service = service.clone();
        callers.spawn(async move { send(&service, get()).await });
    }
    while let Some(answer) = callers.join_next().await {
        assert_eq!(answer.unwrap().unwrap(), Value::Okay);
    }
    assert_eq!(fake.dials(), 1);
    assert_eq!(service.pool().connections, 1);
}

#[tokio::test(start_paused = true)]
async fn a_failed_dial_tells_its_cause_and_is_not_repeated_during_the_pause() {
    let fake = healthy();
    fake.will_be(Dialled::Refused);
    let service = over(&fake);
    for _ in 0..5 {
        let error = send(&service, get()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connection);
        assert!(matches!(&error, RedisError::Dial(cause) if cause.redis().is_connection_refusal()));
        assert!(!error.maybe_applied());
    }
    assert_eq!(fake.dials(), 1);
    tokio::time::advance(Duration::from_millis(60)).await;
    fake.will_be(Dialled::Connected);
    assert!(send(&service, get()).await.is_ok());
    assert_eq!(fake.dials(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_dial_outlives_the_caller_who_started_it() {
    let fake = healthy();
    let service = over(&fake);
    let mut first = Box::pin(send(&service, get()));
    assert!(futures_poll(&mut first).await.is_pending());
    drop(first);
    assert!(send(&service, get()).await.is_ok());
    assert_eq!(fake.dials(), 1);
}

async fn futures_poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    std::future::poll_fn(|cx| Poll::Ready(Pin::new(&mut *future).poll(cx))).await
}

#[tokio::test(start_paused = true)]
async fn a_hung_dial_ends_by_the_deadline_and_nothing_was_sent() {
    let fake = healthy();
    fake.will_be(Dialled::Hangs);
    let service = over(&fake);
    let begun = service.core.lanes.clock.now();
    let error = send(&service, incr()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(!error.maybe_applied());
    assert_eq!(service.core.lanes.clock.now() - begun, Duration::from_millis(500));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_loads_is_a_failed_dial() {
    let fake = Fake::new(|_| Reply::Line("-LOADING Redis is loading the dataset in memory"));
    let service = over(&fake);
    for _ in 0..10 {
        let error = send(&service, get()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Loading);
    }
    assert_eq!(fake.dials(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_forbids_ping_still_serves() {
    let fake = Fake::new(|line| match line {
        "PING" => Reply::Line("-NOPERM this user has no permissions to run the 'ping' command"),
        _ => OK,
    });
    assert!(send(&over(&fake), get()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_health_check_has_the_shorter_deadline() {
    let fake = healthy();
    let service = over(&fake);
    send(&service, Request::Ping).await.unwrap();
    fake.answers(|_| Reply::Silence);
    let error = send(&service, Request::HealthCheck).await.unwrap_err();
    let limit = Duration::from_millis(250);
    assert!(matches!(error, RedisError::Timeout { after, .. } if after == limit));
}

#[tokio::test(start_paused = true)]
async fn a_command_that_would_alter_the_shared_connection_is_refused_unsent() {
    let fake = healthy();
    let service = over(&fake);
    let error = send(&service, Raw::new(redis::cmd("SELECT")).into()).await.unwrap_err();
    assert_eq!((error.kind(), error.counts()), (ErrorKind::Client, false));
    assert_eq!(fake.dials(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_blocking_command_has_a_connection_of_its_own() {
    let fake = Fake::new(|line| match line {
        "PING" | "GET k" => OK,
        _ => Reply::Silence,
    });
    let service = over(&fake);
    let mut blpop = redis::cmd("BLPOP");
    blpop.arg("q").arg(0);
    let long = Raw::new(blpop).within(Duration::from_secs(10));
    let waiting = tokio::spawn({
        let service = service.clone();
        async move { send(&service, long.into()).await }
    });
    while service.pool().in_flight == 0 || service.pool().connections == 0 {
        tokio::task::yield_now().await;
    }
    assert!(send(&service, get()).await.is_ok());
    assert_eq!(service.pool().connections, 2);
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    assert_eq!(service.pool().connections, 1, "Redis may still be at work on it");
}

#[tokio::test(start_paused = true)]
async fn an_empty_pipeline_is_an_empty_answer() {
    let answer = send(&over(&healthy()), Pipeline::new().into()).await.unwrap();
    assert_eq!(answer, Value::Array(Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn close_waits_for_calls_in_flight_and_refuses_new_ones() {
    let fake = Fake::new(calls(Reply::Silence));
    let service = over(&fake);
    let running = tokio::spawn({
        let service = service.clone();
        async move { send(&service, get()).await }
    });
    while service.pool().in_flight == 0 {
        tokio::task::yield_now().await;
    }
    service.close().await;
    assert!(running.is_finished());
    let error = send(&service, get()).await.unwrap_err();
    assert!(matches!(error, RedisError::Closed));
    assert_eq!(service.pool().connections, 0);
}
