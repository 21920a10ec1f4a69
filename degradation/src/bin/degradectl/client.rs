//! Talks to the service over HTTP.

use std::fmt;
use std::time::Duration;

use degradation::{QueueEntry, StatusDocument};
use reqwest::{RequestBuilder, Response, Url};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::arguments::Control;
use crate::orders::Order;

/// How long the service may take to answer an order.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long it may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Nothing was asked: an option is missing or makes no sense.
    Usage(String),
    /// There was no answer, or none that this program knows.
    Unreachable(String),
    /// The service said no.
    Refused(String),
}

impl Failure {
    /// The exit code.
    pub(crate) const fn code(&self) -> u8 {
        match self {
            Self::Usage(_) => crate::USAGE,
            Self::Unreachable(_) => 3,
            Self::Refused(_) => 4,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Usage(what) | Self::Unreachable(what) | Self::Refused(what)) = self;
        f.write_str(&crate::screen::printable(what))
    }
}

/// An error with everything that caused it: the outermost alone says "error sending request".
fn explain(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        Self::Unreachable(explain(&error))
    }
}

/// The URL of a service as somebody types it.
pub(crate) fn url(text: &str) -> Result<Url, Failure> {
    let parsed =
        Url::parse(text).map_err(|error| Failure::Usage(format!("`{text}` is no URL: {error}")))?;
    let schemes: &[&str] = if cfg!(feature = "cli-tls") { &["http", "https"] } else { &["http"] };
    if schemes.contains(&parsed.scheme()) && parsed.has_host() {
        return Ok(parsed);
    }
    let hint = if parsed.scheme() == "https" { " (https needs the feature `cli-tls`)" } else { "" };
    Err(Failure::Usage(format!(
        "`{text}` does not begin with {}://{hint}",
        schemes.join(":// or ")
    )))
}

/// `base` with more segments, each of them escaped.
pub(crate) fn below(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

/// A client that gives up on hosts that do not answer.
pub(crate) fn http() -> Result<reqwest::Client, Failure> {
    Ok(reqwest::Client::builder().connect_timeout(CONNECT).build()?)
}

/// Asks, and reads what was answered.
pub(crate) async fn ask(request: RequestBuilder) -> Result<Vec<u8>, Failure> {
    let answer = accepted(request.timeout(PATIENCE).send().await?).await?;
    Ok(answer.bytes().await?.to_vec())
}

/// The answer, if it is no refusal.
pub(crate) async fn accepted(answer: Response) -> Result<Response, Failure> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let body = answer.bytes().await.unwrap_or_default();
    let problem: Value = serde_json::from_slice(&body).unwrap_or_default();
    let told = match problem.get("detail").and_then(Value::as_str) {
        Some(detail) => format!("{status}: {detail}"),
        None => status.to_string(),
    };
    if status.is_server_error() && status.as_u16() != 502 {
        return Err(Failure::Unreachable(told));
    }
    Err(Failure::Refused(told))
}

/// What was answered, as this program knows it.
pub(crate) fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(json).map_err(|error| {
        Failure::Unreachable(format!("the answer is not that of a service of ours: {error}"))
    })
}

/// Gives orders.
#[derive(Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: Url,
    token: String,
}

impl Client {
    pub(crate) fn new(control: &Control) -> Result<Self, Failure> {
        let missing = || Failure::Usage("where is it? --url or DEGRADECTL_URL says so".to_owned());
        let base = url(control.url.as_deref().ok_or_else(missing)?)?;
        Ok(Self { http: http()?, base, token: token(control)? })
    }

    pub(crate) async fn status_text(&self) -> Result<Vec<u8>, Failure> {
        ask(self.http.get(below(&self.base, &["status"])).bearer_auth(&self.token)).await
    }

    pub(crate) async fn status(&self) -> Result<StatusDocument, Failure> {
        read(&self.status_text().await?)
    }

    pub(crate) async fn entries(
        &self,
        queue: &str,
        limit: usize,
    ) -> Result<Vec<QueueEntry>, Failure> {
        let mut url = below(&self.base, &["queues", queue, "entries"]);
        url.query_pairs_mut().append_pair("limit", &limit.to_string());
        read(&ask(self.http.get(url).bearer_auth(&self.token)).await?)
    }

    /// Gives an order, and returns how the service does after it.
    pub(crate) async fn order(&self, order: &Order) -> Result<StatusDocument, Failure> {
        let path: Vec<&str> = order.path.iter().map(String::as_str).collect();
        let url = below(&self.base, &path);
        let request = self.http.post(url).bearer_auth(&self.token).json(&order.body);
        read(&ask(request).await?)
    }
}

fn token(control: &Control) -> Result<String, Failure> {
    let token = match &control.token_file {
        Some(file) => std::fs::read_to_string(file)
            .map_err(|error| Failure::Usage(format!("{}: {error}", file.display())))?,
        None => std::env::var("DEGRADECTL_TOKEN").map_err(|_| {
            let what =
                "orders need a token: DEGRADECTL_TOKEN holds it, or --token-file names a file";
            Failure::Usage(what.to_owned())
        })?,
    };
    Ok(token.trim().to_owned())
}
