//! A client, and what its first model's breaker says.

use std::time::Duration;

use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use circuit_layer::{CircuitBreaker, Clock, State};
use degradation::openai::{OpenAi, OpenAiBuilder};

/// How long headers may take, and how long an answer may pause, in these tests.
pub(crate) const PATIENCE: Duration = Duration::from_millis(400);
const LIMIT: Duration = Duration::from_secs(20);

pub(crate) fn builder(base_url: &str) -> OpenAiBuilder<OpenAIConfig> {
    let config = OpenAIConfig::new().with_api_base(base_url).with_api_key("none");
    OpenAi::builder(config).first_byte(PATIENCE).longest_pause(PATIENCE).breaker(|b| {
        b.fail_max(3).reset_timeout(Duration::from_millis(100)).half_open_max_attempts(1)
    })
}

/// With one model, `m`.
pub(crate) fn client(base_url: &str) -> OpenAi {
    builder(base_url).model("m").build().unwrap()
}

pub(crate) fn breaker(openai: &OpenAi) -> &CircuitBreaker {
    openai.breakers().next().unwrap().1
}

pub(crate) async fn complete(openai: &OpenAi) -> Result<String, OpenAIError> {
    let asked = OpenAi::<OpenAIConfig>::ask("A kettle.");
    openai.complete(asked).await.map(|answer| answer.text)
}

/// The text that came, and how it ended.
pub(crate) async fn stream(openai: &OpenAi) -> (String, Result<(), OpenAIError>) {
    let mut text = String::new();
    let mut parts = match openai.stream(OpenAi::<OpenAIConfig>::ask("A kettle.")).await {
        Ok(parts) => parts,
        Err(error) => return (text, Err(error)),
    };
    while let Some(part) = parts.next().await {
        match part {
            Ok(part) => text.push_str(&part),
            Err(error) => return (text, Err(error)),
        }
    }
    (text, Ok(()))
}

/// Asks until an answer is well, or fails the test.
pub(crate) async fn until_answered(openai: &OpenAi) {
    let clock = Clock::default();
    let start = clock.now();
    while complete(openai).await.is_err() {
        assert!(clock.now() - start < LIMIT, "no answer in {LIMIT:?}");
        clock.sleep_until(clock.now() + Duration::from_millis(10)).await;
    }
    assert_eq!(breaker(openai).state(), State::Closed);
}
