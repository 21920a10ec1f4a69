use axum::Router;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::IntoResponse;
use axum::routing::post;
use circuit_layer::State;
use tokio::net::TcpListener;

use super::*;

const TIMEOUT: Duration = Duration::from_secs(5);

fn client(base_url: &str) -> OpenAi {
    let breaker = CircuitBreaker::builder("openai")
        .fail_max(2)
        .reset_timeout(Duration::from_millis(50))
        .half_open_max_attempts(1)
        .build()
        .unwrap();
    let source =
        OpenAiSource { base_url: base_url.to_owned(), api_key: None, model: "m".to_owned() };
    OpenAi::new(source, TIMEOUT, breaker).unwrap()
}

/// A server that answers every completion like this.
async fn serve(
    answer: impl Fn() -> axum::response::Response + Clone + Send + Sync + 'static,
) -> OpenAi {
    let router =
        Router::new().route("/v1/chat/completions", post(move || std::future::ready(answer())));
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}/v1", socket.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(socket, router).await });
    client(&base_url)
}

#[tokio::test]
async fn an_answer_comes_whole_or_in_parts_and_is_the_same() {
    let server = OpenAiServer::start().await.unwrap();
    let openai = client(&server.base_url());
    let whole = openai.complete("A kettle.").await.unwrap();
    assert!(whole.starts_with("A kettle. You will"), "{whole}");

    let mut completion = openai.stream("A kettle.").await.unwrap();
    let (mut text, mut parts) = (String::new(), 0);
    while let Some(part) = completion.next().await {
        text.push_str(&part.unwrap());
        parts += 1;
    }
    assert_eq!(text, whole);
    assert!(parts > 5, "{parts}");
    assert_eq!(server.requests(), 2);
}

#[tokio::test]
async fn a_killed_server_opens_the_breaker_and_a_restarted_one_closes_it() {
    let mut server = OpenAiServer::start().await.unwrap();
    let openai = client(&server.base_url());
    openai.complete("one").await.unwrap();
    server.kill().await;
    for _ in 0..2 {
        let error = openai.complete("two").await.unwrap_err().into_inner().unwrap();
        assert!(matches!(error, OpenAiError::Unreachable(_)), "{error:?}");
    }
    assert_eq!(openai.breaker().state(), State::Open);
    assert!(openai.complete("three").await.unwrap_err().rejected().is_some());

    server.restart().await.unwrap();
    let clock = openai.breaker().clock().clone();
    clock.sleep_until(clock.now() + Duration::from_millis(60)).await;
    openai.complete("four").await.unwrap();
    assert_eq!(openai.breaker().state(), State::Closed);
}

#[tokio::test]
async fn a_throttled_answer_opens_the_breaker_for_as_long_as_it_asks() {
    let openai =
        serve(|| (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, "7")]).into_response()).await;
    for _ in 0..2 {
        openai.complete("one").await.unwrap_err();
    }
    let wait = openai.breaker().snapshot().retry_after.unwrap();
    assert!(wait > Duration::from_secs(6) && wait <= Duration::from_secs(7), "{wait:?}");
}

#[tokio::test]
async fn a_mistake_of_the_caller_opens_nothing() {
    let openai = serve(|| StatusCode::BAD_REQUEST.into_response()).await;
    for _ in 0..5 {
        openai.complete("one").await.unwrap_err();
    }
    assert_eq!(openai.breaker().state(), State::Closed);
}

#[tokio::test]
async fn a_stream_that_ends_without_its_last_line_is_a_failure() {
    let cut = "data: {\"choices\":[{\"delta\":{\"content\":\"half\"}}]}\n\n";
    let openai = serve(move || cut.into_response()).await;
    for _ in 0..2 {
        let mut completion = openai.stream("one").await.unwrap();
        assert_eq!(completion.next().await.unwrap().unwrap(), "half");
        assert!(matches!(completion.next().await, Some(Err(OpenAiError::Truncated))));
        assert!(completion.next().await.is_none(), "it has ended");
    }
    assert_eq!(openai.breaker().state(), State::Open);
}

#[tokio::test]
async fn a_stream_that_its_reader_drops_says_nothing() {
    let server = OpenAiServer::start().await.unwrap();
    let openai = client(&server.base_url());
    for _ in 0..5 {
        let mut completion = openai.stream("A kettle.").await.unwrap();
        completion.next().await.unwrap().unwrap();
    }
    assert_eq!(openai.breaker().state(), State::Closed);
}
