//! A second model, an earlier answer, a plain one: in this order, and only before the first byte.

use std::time::Duration;

use async_openai::config::OpenAIConfig;
use circuit_layer::State;
use degradation::openai::test_server::{Fault, OpenAiServer};
use degradation::openai::{Answer, OpenAi, Source};
use degradation::{HealthSource, Status};

use crate::support::{builder, stream};

const HOUR: Duration = Duration::from_secs(3_600);

async fn server_and(plain: bool) -> (OpenAiServer, OpenAi) {
    let server = OpenAiServer::start().await.unwrap();
    let openai = builder(&server.base_url()).model("big").model("small").remember(10, HOUR);
    let openai = if plain { openai.plain(|_| "Ask later.".to_owned()) } else { openai };
    (server, openai.build().unwrap())
}

async fn ask(openai: &OpenAi, prompt: &str) -> Answer {
    openai.complete(OpenAi::<OpenAIConfig>::ask(prompt)).await.unwrap()
}

#[tokio::test]
async fn each_model_has_its_own_breaker_and_the_second_answers_for_the_first() {
    let (server, openai) = server_and(false).await;
    assert_eq!(ask(&openai, "A pan.").await.source, Source::Model("big".into()));
    server.inject_for("big", Fault::Status(503));
    for _ in 0..5 {
        assert_eq!(ask(&openai, "A pan.").await.source, Source::Model("small".into()));
    }
    let states: Vec<_> = openai.breakers().map(|(_, breaker)| breaker.state()).collect();
    assert_eq!(states, [State::Open, State::Closed]);
    let health = HealthSource::health(&openai).await;
    assert_eq!(health.status(), Status::Up, "one model is enough");
}

#[tokio::test]
async fn without_models_an_earlier_answer_is_given_and_to_a_new_question_a_plain_one() {
    let (mut server, openai) = server_and(true).await;
    let before = ask(&openai, "A pan.").await;
    server.kill().await;
    let after = ask(&openai, "A pan.").await;
    assert_eq!(after.text, before.text);
    assert!(matches!(after.source, Source::Cached { .. }), "{:?}", after.source);
    let new = ask(&openai, "A knife.").await;
    assert_eq!((new.text.as_str(), new.source), ("Ask later.", Source::Plain));
    while HealthSource::health(&openai).await.status() == Status::Up {
        ask(&openai, "A knife.").await;
    }
    let (text, ended) = stream(&openai).await;
    ended.unwrap();
    assert_eq!(text, "Ask later.", "streams are replaced too, before they begin");
}

#[tokio::test]
async fn without_anything_to_say_the_last_error_is_the_answer() {
    let (mut server, openai) = server_and(false).await;
    server.kill().await;
    openai.complete(OpenAi::<OpenAIConfig>::ask("A pan.")).await.unwrap_err();
}

#[tokio::test]
async fn a_mistake_of_the_caller_is_not_tried_on_another_model() {
    let (server, openai) = server_and(true).await;
    server.inject(Fault::Status(400));
    openai.complete(OpenAi::<OpenAIConfig>::ask("A pan.")).await.unwrap_err();
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn a_stream_falls_back_before_its_first_word_and_never_after_it() {
    let (server, openai) = server_and(true).await;
    server.inject_for("big", Fault::Truncate(0));
    let (text, ended) = stream(&openai).await;
    ended.unwrap();
    assert!(text.starts_with("A kettle."), "the small model's: {text}");
    assert_eq!(server.requests(), 2);

    server.inject_for("big", Fault::Truncate(2));
    let (text, ended) = stream(&openai).await;
    ended.expect_err("half of one and half of another is no answer");
    assert_eq!(text, "A kettle. ");
    assert_eq!(server.requests(), 3);
}

#[tokio::test]
async fn an_answer_without_text_is_not_remembered_as_one() {
    let (server, openai) = server_and(true).await;
    server.inject(Fault::ToolCall);
    let called = ask(&openai, "A pan.").await;
    assert_eq!((called.text.as_str(), called.source), ("", Source::Model("big".into())));
    assert!(called.response.unwrap().choices[0].message.tool_calls.is_some());

    server.inject(Fault::Status(503));
    let after = ask(&openai, "A pan.").await;
    assert_eq!((after.text.as_str(), after.source), ("Ask later.", Source::Plain));
}

#[tokio::test]
async fn a_whole_stream_without_text_is_the_answer_and_asked_of_one_model() {
    let (server, openai) = server_and(true).await;
    server.inject(Fault::ToolCall);
    for asked in 1..=5 {
        let (text, ended) = stream(&openai).await;
        ended.unwrap();
        assert_eq!((text.as_str(), server.requests()), ("", asked));
    }
    let report = openai.health_metrics().report(&openai.first_breaker().snapshot());
    assert_eq!((report.successes, report.failures), (5, 0), "as for the breaker");
    assert_eq!(openai.first_breaker().state(), State::Closed);

    server.inject(Fault::Status(503));
    let (text, ended) = stream(&openai).await;
    ended.unwrap();
    assert_eq!(text, "Ask later.", "nothing was remembered");
}
