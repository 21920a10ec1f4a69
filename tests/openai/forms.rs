//! Servers of the same protocol that tell their errors in a form of their own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_openai::config::OpenAIConfig;
use async_openai::error::{ApiErrorResponse, OpenAIError};
use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use circuit_layer::{State, loopback};
use degradation::openai::{OpenAi, needs_operator};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::support::builder;

/// Tells everybody the same, for as long as it lives.
struct Server {
    base_url: String,
    asked: Arc<AtomicU64>,
    _serving: JoinSet<std::io::Result<()>>,
}

impl Server {
    fn start(status: u16, body: &'static str) -> Self {
        let asked = Arc::<AtomicU64>::default();
        let count = Arc::clone(&asked);
        let router = Router::new().fallback(async move || {
            count.fetch_add(1, Ordering::Relaxed);
            let status = StatusCode::from_u16(status).unwrap();
            (status, [(CONTENT_TYPE, "application/json")], body)
        });
        let socket = TcpListener::from_std(loopback::listen().unwrap()).unwrap();
        let base_url = format!("http://{}/v1", socket.local_addr().unwrap());
        let mut serving = JoinSet::new();
        serving.spawn(axum::serve(socket, router).into_future());
        Self { base_url, asked, _serving: serving }
    }
}

async fn refused(openai: &OpenAi) -> ApiErrorResponse {
    let error = openai.complete(OpenAi::<OpenAIConfig>::ask("A kettle.")).await.unwrap_err();
    let OpenAIError::ApiError(error) = error else { panic!("{error:?}") };
    error
}

#[tokio::test]
async fn a_mistake_of_the_caller_is_told_to_him_in_whatever_form_and_is_no_failure() {
    for (status, body, code) in [
        (400, r#"{"error":{"message":"no","type":"bad","param":null,"code":"bad"}}"#, Some("bad")),
        (422, r#"{"detail":[{"loc":["body","n"],"msg":"too many"}]}"#, None),
        (400, r#"{"error":{"message":"no","code":400,"metadata":{"raw":"n"}}}"#, Some("400")),
        (400, r#"{"object":"error","message":"no","type":"BadRequest","code":400}"#, Some("400")),
        (400, r#"{"error":"no"}"#, None),
        (413, "<html>too large</html>", None),
        (400, "", None),
    ] {
        let server = Server::start(status, body);
        let openai = builder(&server.base_url).model("big").model("small");
        let openai = openai.plain(|_| "Ask later.".to_owned()).build().unwrap();
        let error = refused(&openai).await;
        assert_eq!(error.status_code.as_u16(), status, "{body}");
        assert_eq!(error.api_error.code.as_deref(), code, "{body}");
        let message = if code == Some("bad") { "no" } else { body };
        assert_eq!(error.api_error.message, message, "{body}");
        assert_eq!(server.asked.load(Ordering::Relaxed), 1, "{body}");
        let report = openai.health_metrics().report(&openai.first_breaker().snapshot());
        assert_eq!((report.failures, report.score), (0, 100), "{body}");
        assert_eq!(openai.first_breaker().state(), State::Closed, "{body}");
    }
}

#[tokio::test]
async fn a_wrong_key_and_a_used_up_quota_ask_for_an_operator_in_whatever_form() {
    for (status, body) in [
        (401, r#"{"error":{"message":"no","code":401}}"#),
        (403, r#"{"detail":"Not authenticated"}"#),
        (401, "<html>401</html>"),
        (429, r#"{"error":{"message":"pay","type":"insufficient_quota","code":429}}"#),
        (429, r#"{"error":{"message":"pay","type":"insufficient_quota","code":null}}"#),
        (429, r#"{"object":"error","message":"pay","type":"insufficient_quota","code":429}"#),
    ] {
        let server = Server::start(status, body);
        let openai = builder(&server.base_url).model("m").build().unwrap();
        for _ in 0..3 {
            let error = OpenAIError::ApiError(refused(&openai).await);
            assert!(needs_operator(&error), "{error:?}");
        }
        let told = openai.first_breaker().snapshot();
        assert_eq!(told.state, State::Open, "{body}");
        let long = told.retry_after.unwrap() > Duration::from_secs(500);
        assert_eq!(long, status == 429, "{body}");
    }
}

#[tokio::test]
async fn a_model_that_is_not_there_is_replaced_and_is_no_failure_of_the_api() {
    let server = Server::start(404, r#"{"detail":"Not Found"}"#);
    let openai = builder(&server.base_url).model("big").model("small").build().unwrap();
    refused(&openai).await;
    assert_eq!(server.asked.load(Ordering::Relaxed), 2);
    let report = openai.health_metrics().report(&openai.first_breaker().snapshot());
    assert_eq!((report.successes, report.failures), (2, 0), "as for the breaker");
}
