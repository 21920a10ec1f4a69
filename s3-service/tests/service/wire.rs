//! A wire that answers by a script, where the SDK's client would connect.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_s3::config::{BehaviorVersion, Builder, Config, Credentials, Region};
use aws_sdk_s3::primitives::SdkBody;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use circuit_layer::{Clock, ManualClock};
use s3_service::{S3, S3Builder, Start};

pub(crate) const RESET: Duration = Duration::from_secs(60);

/// What a request meets.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    /// A status, with an error document if it has a code.
    Status(u16, &'static str),
    /// A status with this body.
    Body(u16, &'static str),
    Refused,
    TimedOut,
    Never,
}

/// Answers one after the other; the last one again and again.
#[derive(Clone, Debug)]
pub(crate) struct Wire(Arc<Mutex<(VecDeque<Answer>, usize)>>);

impl Wire {
    pub(crate) fn of(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self(Arc::new(Mutex::new((answers.into_iter().collect(), 0))))
    }

    pub(crate) fn then(&self, answers: impl IntoIterator<Item = Answer>) {
        self.0.lock().unwrap().0 = answers.into_iter().collect();
    }

    pub(crate) fn requests(&self) -> usize {
        self.0.lock().unwrap().1
    }

    fn next(&self) -> Answer {
        let mut script = self.0.lock().unwrap();
        script.1 += 1;
        if script.0.len() > 1 { script.0.pop_front().unwrap() } else { script.0[0] }
    }

    pub(crate) fn config(&self) -> Builder {
        let connector = SharedHttpConnector::new(self.clone());
        Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .credentials_provider(Credentials::new("key", "hidden", None, None, "test"))
            .region(Region::new("us-east-1"))
            .endpoint_url("http://wire")
            .force_path_style(true)
            .retry_config(aws_sdk_s3::config::retry::RetryConfig::disabled())
            .http_client(http_client_fn(move |_, _| connector.clone()))
    }
}

impl HttpConnector for Wire {
    fn call(&self, _request: HttpRequest) -> HttpConnectorFuture {
        let (status, body) = match self.next() {
            Answer::Status(status, "") => (status, String::new()),
            Answer::Status(status, code) => {
                (status, format!("<Error><Code>{code}</Code><Message>m</Message></Error>"))
            }
            Answer::Body(status, body) => (status, body.to_owned()),
            Answer::Refused => {
                return HttpConnectorFuture::ready(Err(ConnectorError::io("refused".into())));
            }
            Answer::TimedOut => {
                return HttpConnectorFuture::ready(Err(ConnectorError::timeout("late".into())));
            }
            Answer::Never => return HttpConnectorFuture::new(std::future::pending()),
        };
        let status = status.try_into().unwrap();
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(body))))
    }
}

/// A service over the wire, with a clock that only the test moves.
pub(crate) async fn service_with(
    wire: &Wire,
    change: impl FnOnce(S3Builder) -> S3Builder,
) -> (S3, ManualClock) {
    let (clock, time) = Clock::manual();
    let client = aws_sdk_s3::Client::from_conf(wire.config().build());
    let settings = S3::builder().bucket("b").client(client).clock(clock).start(Start::Lazy);
    (change(settings).build().await.unwrap(), time)
}

pub(crate) async fn service(wire: &Wire) -> (S3, ManualClock) {
    service_with(wire, |settings| settings).await
}
