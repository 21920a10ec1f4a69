//! Each way to fail, and what the breaker makes of it.

use std::time::Duration;

use async_openai::error::OpenAIError;
use axum::Router;
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use circuit_layer::{Rejected, State, loopback};
use degradation::openai::test_server::{Fault, OpenAiServer};
use degradation::openai::{AnswerError, needs_operator};
use futures_util::StreamExt;
use tokio::net::TcpListener;

use crate::support::{breaker, builder, client, complete, stream, until_answered};

const WHOLE: &str = "A kettle. You will wonder how you ever did without it.";

/// Whether three whole answers that fail like this open the breaker.
async fn opens(fault: Fault) -> bool {
    let server = OpenAiServer::start().await.unwrap();
    let openai = client(&server.base_url());
    server.inject(fault);
    for _ in 0..3 {
        complete(&openai).await.unwrap_err();
    }
    let opened = breaker(&openai).state() == State::Open;
    if opened {
        let asked = server.requests();
        let error = complete(&openai).await.unwrap_err();
        assert!(Rejected::find(&error).is_some(), "{error:?}");
        assert_eq!(server.requests(), asked, "the API is left alone");
    }
    opened
}

/// Three streams that fail like this after some parts open the breaker, and each is told.
async fn streams_open(fault: Fault) {
    let server = OpenAiServer::start().await.unwrap();
    let openai = client(&server.base_url());
    server.inject(fault);
    for _ in 0..3 {
        let (text, ended) = stream(&openai).await;
        // A connection that breaks may take with it what was sent.
        let begun = !text.is_empty() || matches!(fault, Fault::Disconnect(_));
        assert!(begun && WHOLE.starts_with(&text) && text != WHOLE, "{fault:?}: {text}");
        ended.expect_err("a part passes for the whole");
    }
    assert_eq!(breaker(&openai).state(), State::Open, "{fault:?}");
    server.heal();
    until_answered(&openai).await;
}

#[tokio::test]
async fn an_answer_is_the_same_whole_and_in_parts() {
    let server = OpenAiServer::start().await.unwrap();
    let openai = client(&server.base_url());
    assert_eq!(complete(&openai).await.unwrap(), WHOLE);
    let (text, ended) = stream(&openai).await;
    ended.unwrap();
    assert_eq!(text, WHOLE);
    assert_eq!(breaker(&openai).state(), State::Closed);
    assert_eq!(server.requests(), 2, "nothing is asked twice");
}

#[tokio::test]
async fn an_overloaded_or_broken_api_opens_the_breaker_and_a_mistake_of_the_caller_does_not() {
    for status in [408, 409, 500, 502, 503, 504, 529, 401, 403] {
        assert!(opens(Fault::Status(status)).await, "{status}");
    }
    for status in [400, 404, 413, 422] {
        assert!(!opens(Fault::Status(status)).await, "{status}");
    }
    for fault in [Fault::Garbage, Fault::Truncate(3), Fault::Hang] {
        assert!(opens(fault).await, "{fault:?}");
    }
}

#[tokio::test]
async fn streams_that_break_stall_or_just_end_are_failures_and_never_pass_for_whole() {
    streams_open(Fault::Truncate(3)).await;
    streams_open(Fault::Disconnect(3)).await;
    streams_open(Fault::Stall(3)).await;
    streams_open(Fault::ErrorPart(3)).await;
}

fn why(error: &OpenAIError) -> Option<&AnswerError> {
    let OpenAIError::Boxed(error) = error else { return None };
    error.downcast_ref()
}

#[tokio::test]
async fn a_stream_that_stalls_or_just_ends_says_so_before_its_first_word_and_after_it() {
    let server = OpenAiServer::start().await.unwrap();
    let openai = builder(&server.base_url()).model("m").breaker(|b| b.fail_max(9)).build().unwrap();
    for (fault, wanted) in [
        (Fault::Stall(0), Some(AnswerError::Stalled)),
        (Fault::Stall(3), Some(AnswerError::Stalled)),
        (Fault::Truncate(0), Some(AnswerError::Truncated)),
        (Fault::Truncate(3), Some(AnswerError::Truncated)),
        (Fault::Disconnect(0), None),
        (Fault::ErrorPart(3), None),
    ] {
        server.inject(fault);
        let error = stream(&openai).await.1.unwrap_err();
        assert_eq!(why(&error), wanted.as_ref(), "{fault:?}: {error:?}");
    }
}

#[tokio::test]
async fn a_whole_answer_that_stalls_says_so() {
    let router = Router::new().fallback(async || {
        let half = futures_util::stream::iter([Ok::<_, std::io::Error>("{")])
            .chain(futures_util::stream::pending());
        ([(CONTENT_TYPE, "application/json")], Body::from_stream(half))
    });
    let socket = TcpListener::from_std(loopback::listen().unwrap()).unwrap();
    let base_url = format!("http://{}/v1", socket.local_addr().unwrap());
    let serving = tokio::spawn(axum::serve(socket, router).into_future());
    let error = complete(&client(&base_url)).await.unwrap_err();
    assert_eq!(why(&error), Some(&AnswerError::Stalled), "{error:?}");
    serving.abort();
}

#[tokio::test]
async fn a_reader_that_leaves_says_nothing_about_the_api() {
    let server = OpenAiServer::start().await.unwrap();
    let openai = client(&server.base_url());
    for _ in 0..5 {
        let asked = degradation::openai::OpenAi::<async_openai::config::OpenAIConfig>::ask("One.");
        let mut parts = openai.stream(asked).await.unwrap();
        parts.next().await.unwrap().unwrap();
    }
    assert_eq!(breaker(&openai).state(), State::Closed);
}

#[tokio::test]
async fn a_throttled_api_is_left_alone_for_as_long_as_it_asks() {
    let server = OpenAiServer::start().await.unwrap();
    let openai = client(&server.base_url());
    server.inject(Fault::Throttle(7));
    for _ in 0..3 {
        let error = complete(&openai).await.unwrap_err();
        assert!(!needs_operator(&error), "{error:?}");
    }
    let wait = breaker(&openai).snapshot().retry_after.unwrap();
    assert!(wait > Duration::from_secs(5) && wait <= Duration::from_secs(7), "{wait:?}");
    assert_eq!(server.requests(), 3, "no retry adds to its load");
}

#[tokio::test]
async fn a_used_up_quota_asks_for_an_operator_and_is_not_tried_for_long() {
    let server = OpenAiServer::start().await.unwrap();
    let openai = client(&server.base_url());
    server.inject(Fault::Quota);
    for _ in 0..3 {
        let error = complete(&openai).await.unwrap_err();
        assert!(needs_operator(&error), "{error:?}");
    }
    let wait = breaker(&openai).snapshot().retry_after.unwrap();
    assert!(wait > Duration::from_secs(500), "{wait:?}");
    server.inject(Fault::Status(401));
    let denied = client(&server.base_url());
    assert!(needs_operator(&complete(&denied).await.unwrap_err()));
}

#[tokio::test]
async fn a_killed_server_opens_the_breaker_and_a_restarted_one_closes_it() {
    let mut server = OpenAiServer::start().await.unwrap();
    let openai = client(&server.base_url());
    complete(&openai).await.unwrap();
    server.kill().await;
    for _ in 0..3 {
        complete(&openai).await.unwrap_err();
    }
    assert_eq!(breaker(&openai).state(), State::Open);
    server.restart().await.unwrap();
    until_answered(&openai).await;
}

#[tokio::test]
async fn an_answer_that_is_given_up_is_in_the_books_if_the_breaker_counts_it() {
    let check = async |abandoned_after: Duration, failures: u64| {
        let server = OpenAiServer::start().await.unwrap();
        server.inject(Fault::Hang);
        let openai = builder(&server.base_url()).model("m").first_byte(Duration::from_secs(60));
        let openai = openai.breaker(move |b| b.abandoned_after(abandoned_after)).build().unwrap();
        let given_up = Duration::from_millis(50);
        tokio::time::timeout(given_up, complete(&openai)).await.unwrap_err();
        tokio::time::timeout(given_up, stream(&openai)).await.unwrap_err();
        let health = openai.health_metrics();
        assert_eq!((health.requests(), health.failures()), (failures, failures));
        assert_eq!(breaker(&openai).snapshot().counts.failed, failures);
    };
    check(Duration::from_millis(1), 2).await;
    check(Duration::from_secs(60), 0).await;
}
