//! The callers: so many requests a second, whatever becomes of those before (open loop).
//!
//! A caller that waits for its answer before it asks again takes part of the load off a service that
//! is slow, and hides how many would have suffered.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use circuit_layer::{Clock, Moment};
use examples::api::{DEGRADED, SERVED_BY};
use reqwest::{Client, Response};
use serde_json::json;
use tokio::task::JoinSet;

/// 50 requests a second.
const EVERY: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(5);

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Route {
    Page,
    List,
    Stock,
    Photo,
    Upload,
    Description,
}

/// One round of requests: pages are what a shop is asked for most.
const ROUND: [Route; 10] = [
    Route::Page,
    Route::Photo,
    Route::Page,
    Route::Description,
    Route::Page,
    Route::Stock,
    Route::Page,
    Route::Upload,
    Route::List,
    Route::Page,
];

/// What a caller got.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) sent: Moment,
    pub(crate) took: Duration,
    pub(crate) route: Route,
    /// Of which product.
    pub(crate) id: u32,
    /// None: no answer at all.
    pub(crate) status: Option<u16>,
    /// `x-served-by` or `x-degraded`; `shed` if the degradation layer said no.
    pub(crate) mark: String,
    pub(crate) retry_after: Option<u64>,
}

impl Sample {
    pub(crate) fn ok(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }

    /// In a word or two.
    fn outcome(&self) -> String {
        match (self.status, self.mark.as_str()) {
            (None, _) => "no answer".to_owned(),
            (Some(200 | 201), "") => "ok".to_owned(),
            (Some(200 | 201), mark) => mark.to_owned(),
            (Some(status), "") => status.to_string(),
            (Some(status), mark) => format!("{status} {mark}"),
        }
    }
}

/// Everything that callers got. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answers(Arc<Mutex<Vec<Sample>>>);

impl Answers {
    fn push(&self, sample: Sample) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(sample);
    }

    /// Those to requests that were sent in this time.
    pub(crate) fn between(&self, from: Moment, to: Moment) -> Vec<Sample> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter(|sample| sample.sent >= from && sample.sent < to).cloned().collect()
    }
}

/// How often each outcome on each route, for people.
pub(crate) struct Summary(BTreeMap<Route, BTreeMap<String, usize>>);

impl Summary {
    pub(crate) fn of(samples: &[Sample]) -> Self {
        let mut counts: BTreeMap<Route, BTreeMap<String, usize>> = BTreeMap::new();
        for sample in samples {
            // A list is a page to whoever reads the timeline.
            let route = if sample.route == Route::List { Route::Page } else { sample.route };
            *counts.entry(route).or_default().entry(sample.outcome()).or_default() += 1;
        }
        Self(counts)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (route, outcomes)) in self.0.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { " · " })?;
            f.write_str(&format!("{route:?}").to_lowercase())?;
            for (index, (outcome, count)) in outcomes.iter().enumerate() {
                f.write_str(if index == 0 { " " } else { ", " })?;
                write!(f, "{count} {outcome}")?;
            }
        }
        Ok(())
    }
}

/// Sends requests until it is dropped.
pub(crate) async fn run(url: String, answers: Answers) {
    let client = Client::new();
    let clock = Clock::default();
    let mut pace = tokio::time::interval(EVERY);
    let mut asked = JoinSet::new();
    for (route, id) in ROUND.into_iter().cycle().zip((1..=8_u32).cycle()) {
        pace.tick().await;
        let (client, url) = (client.clone(), url.clone());
        let (clock, answers) = (clock.clone(), answers.clone());
        asked.spawn(async move {
            let sent = clock.now();
            let answer = ask(&client, &url, route, id).await;
            let took = clock.now() - sent;
            answers.push(sample((route, id), sent, took, answer.as_ref().ok()));
        });
        while asked.try_join_next().is_some() {}
    }
}

/// One request, to the end of its answer.
pub(crate) async fn ask(
    client: &Client,
    url: &str,
    route: Route,
    id: u32,
) -> Result<Response, reqwest::Error> {
    let product = format!("{url}/products/{id}");
    let request = match route {
        Route::Page => client.get(product),
        Route::List => client.get(format!("{url}/products")),
        Route::Stock => client.post(format!("{product}/stock")).json(&json!({ "add": 1 })),
        Route::Photo => client.get(format!("{product}/photo")),
        Route::Upload => {
            let upload = client.put(format!("{product}/photo")).header("content-type", "image/png");
            upload.body(vec![b'x'; 20_000])
        }
        Route::Description => client.get(format!("{product}/description")),
    };
    let mut response = request.timeout(PATIENCE).send().await?;
    while response.chunk().await?.is_some() {}
    Ok(response)
}

fn sample(
    (route, id): (Route, u32),
    sent: Moment,
    took: Duration,
    answer: Option<&Response>,
) -> Sample {
    let header = |name: &str| answer?.headers().get(name)?.to_str().ok();
    let status = answer.map(|answer| answer.status().as_u16());
    let shed = header("x-degradation-level").filter(|_| status == Some(503)).map(|_| "shed");
    let mark = shed.or_else(|| header(SERVED_BY)).or_else(|| header(DEGRADED)).unwrap_or("");
    let retry_after = header("retry-after").and_then(|wait| wait.parse().ok());
    Sample { sent, took, route, id, status, mark: mark.to_owned(), retry_after }
}
