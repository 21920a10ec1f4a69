//! What is noted of every model that was asked.

use std::time::Duration;

use async_openai::error::OpenAIError;
use circuit_layer::Rejected;

use super::error::AnswerError;
use super::verdict::is_failure;
use crate::ledger::Ledger;

/// What a model is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asked {
    /// A whole answer.
    Chat,
    /// One that comes part by part.
    Stream,
}

impl Asked {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Stream => "stream",
        }
    }
}

/// The metrics of an OpenAI-compatible API, under the names that
/// [`Family`](circuit_layer::metrics::Family) gives to the prefix `openai`.
///
/// Each model that is asked is a request; an earlier answer or a plain one is none. A streamed answer
/// is timed, and judged, up to the beginning of its text. `error_type` is the kind of failure of the
/// table in the [module](super), except that a `body` is `transport` and an `error` in an answer
/// `malformed`; and `client` for the caller's own mistake. The buckets are exact at 5 s, up to which the
/// health score loses nothing, and at the 20 s of a first byte by default.
#[cfg(feature = "otel")]
pub static OPENAI: circuit_layer::metrics::Family = circuit_layer::metrics::Family {
    prefix: "openai",
    title: "OpenAI",
    operations: &["chat", "stream"],
    errors: &[
        "timeout",
        "connect",
        "transport",
        "server",
        "throttled",
        "quota",
        "access",
        "stalled",
        "truncated",
        "malformed",
        "client",
        "other",
    ],
    buckets: &[0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 60.0],
    bytes: false,
};

impl Ledger {
    pub(super) fn note_model(&self, asked: Asked, latency: Duration, error: Option<&OpenAIError>) {
        let operation = asked.as_str();
        match error {
            Some(error) if Rejected::find(error).is_some() => {
                self.health.record_rejected(operation);
            }
            Some(error) if is_failure(error) => {
                self.health.record_failure(operation, latency);
            }
            None | Some(_) => self.health.record_success(operation, latency),
        }
        #[cfg(feature = "otel")]
        self.export_model(operation, latency, error);
    }

    /// Nobody waited for the answer any longer, and the breaker takes that for a failure.
    pub(super) fn note_abandoned_model(&self, asked: Asked, latency: Duration) {
        self.note_model(asked, latency, Some(&AnswerError::Timeout.into()));
    }

    #[cfg(feature = "otel")]
    fn export_model(&self, asked: &str, latency: Duration, error: Option<&OpenAIError>) {
        let Some(recorder) = &self.recorder else { return };
        let operation = OPENAI.operation(asked);
        match error {
            None => recorder.success(operation, latency),
            Some(error) if Rejected::find(error).is_some() => recorder.rejected(operation),
            Some(error) => {
                let kind = super::verdict::error_type(error);
                recorder.failure(operation, OPENAI.error(kind), latency);
            }
        }
    }
}

#[cfg(all(test, feature = "otel", feature = "test-server"))]
mod tests {
    use std::time::Duration;

    use async_openai::config::OpenAIConfig;
    use circuit_layer::metrics::{Exporter, Metrics};

    use super::super::test_server::{Fault, OpenAiServer};
    use super::super::{OpenAi, OpenAiConfigError};

    #[tokio::test]
    async fn metrics_are_shown_for_one_api_that_asks_for_them_and_add_up() {
        let server = OpenAiServer::start().await.unwrap();
        let config = OpenAIConfig::new().with_api_base(server.base_url()).with_api_key("");
        let exporter = Exporter::new().unwrap();
        let metrics = Metrics::new(&exporter.meter());
        let builder = || {
            let builder = OpenAi::builder(config.clone()).model(OpenAiServer::MODEL);
            builder.breaker(|breaker| breaker.fail_max(3)).metrics(&metrics)
        };
        let openai = builder().build().unwrap();
        assert!(matches!(builder().build(), Err(OpenAiConfigError::Metrics(_))));

        let ask = || OpenAi::<OpenAIConfig>::ask("A kettle.");
        openai.complete(ask()).await.unwrap();
        openai.stream(ask()).await.unwrap();
        server.inject(Fault::Status(400));
        openai.complete(ask()).await.unwrap_err();
        for fault in [Fault::Throttle(1), Fault::Quota, Fault::Garbage] {
            server.inject(fault);
            openai.complete(ask()).await.unwrap_err();
        }
        openai.stream(ask()).await.expect_err("the breaker is open");
        let text = exporter.render().unwrap();
        for line in [
            r#"openai_requests_total{operation="chat",status="success"} 1"#,
            r#"openai_requests_total{operation="chat",status="failure"} 4"#,
            r#"openai_requests_total{operation="stream",status="success"} 1"#,
            r#"openai_requests_total{operation="stream",status="rejected"} 1"#,
            r#"openai_errors_total{error_type="client",operation="chat"} 1"#,
            r#"openai_errors_total{error_type="throttled",operation="chat"} 1"#,
            r#"openai_errors_total{error_type="quota",operation="chat"} 1"#,
            r#"openai_errors_total{error_type="malformed",operation="chat"} 1"#,
            r#"openai_latency_seconds_count{operation="chat"} 5"#,
            "openai_circuit_breaker_state 1",
        ] {
            assert!(text.lines().any(|told| told == line), "{line}\n{text}");
        }
    }

    #[tokio::test]
    async fn streams_that_do_not_begin_are_told_apart_in_the_metrics() {
        let server = OpenAiServer::start().await.unwrap();
        let config = OpenAIConfig::new().with_api_base(server.base_url()).with_api_key("");
        let exporter = Exporter::new().unwrap();
        let openai = OpenAi::builder(config).model("m").longest_pause(Duration::from_millis(50));
        let openai = openai.metrics(&exporter.meter()).build().unwrap();
        for fault in [Fault::Stall(0), Fault::Truncate(0), Fault::Disconnect(0)] {
            server.inject(fault);
            openai.stream(OpenAi::<OpenAIConfig>::ask("A kettle.")).await.unwrap_err();
        }
        let text = exporter.render().unwrap();
        for kind in ["stalled", "truncated", "transport"] {
            let line =
                format!(r#"openai_errors_total{{error_type="{kind}",operation="stream"}} 1"#);
            assert!(text.lines().any(|told| told == line), "{line}\n{text}");
        }
    }
}
