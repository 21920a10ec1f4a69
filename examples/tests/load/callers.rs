//! The callers, and what they get.

use std::time::Duration;

use circuit_layer::Clock;
use reqwest::{Client, Response};
use serde_json::json;
use tokio::task::JoinSet;

/// Longer than any answer may take, so that a late one is seen as late and not as none.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Page,
    List,
    Stock,
    Description,
    Photo,
    Upload,
}

const ROUND: [Kind; 10] = [
    Kind::Page,
    Kind::Upload,
    Kind::Page,
    Kind::Stock,
    Kind::Page,
    Kind::Photo,
    Kind::List,
    Kind::Description,
    Kind::Page,
    Kind::Upload,
];

/// What came of one request.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) kind: Kind,
    /// Of uploads unique, so that each can be looked for afterwards.
    pub(crate) id: u32,
    /// None: no answer at all.
    pub(crate) status: Option<u16>,
    pub(crate) took: Duration,
    /// The degradation layer said no: no dependency was asked.
    pub(crate) shed: bool,
}

impl Answer {
    pub(crate) fn is_well(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }

    pub(crate) fn is_stored(&self) -> bool {
        self.kind == Kind::Upload && self.is_well()
    }
}

/// The bytes of an upload, which only that upload has.
pub(crate) fn picture(id: u32) -> Vec<u8> {
    id.to_le_bytes().repeat(1_000)
}

/// `rate` requests a second, for so many seconds; all answers.
pub(crate) async fn call(url: &str, rate: u32, seconds: u32) -> Vec<Answer> {
    let client = Client::builder().timeout(PATIENCE).build().unwrap();
    let clock = Clock::default();
    let mut pace = tokio::time::interval(Duration::from_secs(1) / rate);
    let mut asked = JoinSet::new();
    for (number, kind) in (0..rate * seconds).zip(ROUND.into_iter().cycle()) {
        pace.tick().await;
        let (client, url, clock) = (client.clone(), url.to_owned(), clock.clone());
        asked.spawn(async move {
            let id = if kind == Kind::Upload { 1_000 + number } else { 1 + number % 8 };
            let start = clock.now();
            let (status, shed) = ask(&client, &url, kind, id).await.unwrap_or((None, false));
            Answer { kind, id, status, took: clock.now() - start, shed }
        });
    }
    asked.join_all().await
}

async fn ask(
    client: &Client,
    url: &str,
    kind: Kind,
    id: u32,
) -> Result<(Option<u16>, bool), reqwest::Error> {
    let product = format!("{url}/products/{id}");
    let request = match kind {
        Kind::Page => client.get(product),
        Kind::List => client.get(format!("{url}/products")),
        Kind::Stock => client.post(format!("{product}/stock")).json(&json!({ "add": 1 })),
        Kind::Description => client.get(format!("{product}/description")),
        Kind::Photo => client.get(format!("{product}/photo")),
        Kind::Upload => client.put(format!("{product}/photo")).body(picture(id)),
    };
    let answer = request.send().await?;
    let (status, shed) = (answer.status().as_u16(), is_shed(&answer));
    answer.bytes().await?;
    Ok((Some(status), shed))
}

fn is_shed(answer: &Response) -> bool {
    answer.status() == 503 && answer.headers().contains_key("x-degradation-level")
}

/// Asks until there is an answer, or fails the test with what there was instead.
pub(crate) async fn until<T>(
    within: Duration,
    mut ask: impl AsyncFnMut() -> Result<T, String>,
) -> T {
    let clock = Clock::default();
    let start = clock.now();
    loop {
        let instead = match ask().await {
            Ok(answer) => return answer,
            Err(instead) => instead,
        };
        assert!(clock.now() - start < within, "not within {within:?}: {instead}");
        clock.sleep_until(clock.now() + Duration::from_millis(50)).await;
    }
}

/// Waits until the tables are made and the first page is served: an outage is to be that of a service
/// that runs.
pub(crate) async fn serves(url: &str, within: Duration) {
    let client = Client::new();
    until(within, async || {
        let status = client.get(format!("{url}/products")).send().await.unwrap().status();
        if status == 200 { Ok(()) } else { Err(format!("the page: {status}")) }
    })
    .await;
}

/// Until everything is offered again, with somebody on the pages: they go past every level, and it takes
/// a call of the database to learn that it is back. Photos are what a low level sheds.
pub(crate) async fn offers_all(url: &str, within: Duration) {
    let client = Client::new();
    until(within, async || {
        client.get(format!("{url}/products/1")).send().await.unwrap();
        let status = client.get(format!("{url}/status.json")).send().await.unwrap();
        let status = status.json::<serde_json::Value>().await.unwrap();
        let all = status["level"] == "normal" && status["mode"] == "full";
        if all { Ok(()) } else { Err(status.to_string()) }
    })
    .await;
}

/// How often photos were read afterwards.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reads {
    /// S3, or the queue before it, was asked.
    pub(crate) asked: usize,
    /// The degradation layer said no.
    pub(crate) shed: usize,
}

/// A photo, as soon as it is offered. What the level sheds comes back within a minute at the latest: the
/// level is that of the last one.
pub(crate) async fn photo(
    client: &Client,
    url: &str,
    id: u32,
    within: Duration,
    reads: &mut Reads,
) -> Vec<u8> {
    until(within, async || {
        let answer = client.get(format!("{url}/products/{id}/photo")).send().await.unwrap();
        let count = if is_shed(&answer) { &mut reads.shed } else { &mut reads.asked };
        *count += 1;
        if answer.status() == 200 {
            return Ok(answer.bytes().await.unwrap().to_vec());
        }
        Err(format!("photo {id}: {}: {}", answer.status(), answer.text().await.unwrap()))
    })
    .await
}

pub(crate) async fn metrics(url: &str) -> String {
    reqwest::get(format!("{url}/metrics")).await.unwrap().text().await.unwrap()
}
