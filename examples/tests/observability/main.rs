//! The dashboard and the rules during an outage, answered by a real Prometheus that scrapes the running
//! service: a panel without data on the day that it is needed is a bug of this repository.
#![cfg(test)]
#![expect(clippy::significant_drop_tightening, reason = "the service lives as long as the test")]

mod callers;

use std::collections::BTreeSet;
use std::time::Duration;

use circuit_layer::{Clock, State};
use examples::chaos::{Deed, Victim};
use examples::observability::{Prometheus, Survey};
use examples::{Inventory, Pace, Settings, Sources};
use tokio::task::JoinSet;

/// What this outage has to raise.
const RAISED: [&str; 8] = [
    "RedisBreakerOpen",
    "RedisRejections",
    "RedisErrorBudgetBurn",
    "S3BreakerOpen",
    "S3Rejections",
    "S3ErrorBudgetBurn",
    "OpenAiBreakerOpen",
    "DegradationLasts",
];

/// What does not happen in it. Nothing is asked of the others: a machine that does much else may well
/// make answers slow.
const SILENT: [&str; 9] = [
    "RedisMetricsAbsent",
    "S3MetricsAbsent",
    "RedisBreakerFlapping",
    "S3BreakerFlapping",
    "DatabaseBreakerOpen",
    "DegradationCritical",
    "UploadQueueStuck",
    "UploadQueueGrows",
    "FallbackAnswersAreOld",
];

/// Since when a breaker is open is looked up in steps, so Prometheus must have seen it closed in one.
const SEEN_CLOSED: &str = "last_over_time((timestamp(redis_circuit_breaker_state == 0))[1m:15s])";

/// For each part, on a machine that does much else; all of them take about half a minute.
const LIMIT: Duration = Duration::from_secs(45);

async fn inventory() -> Inventory {
    // What is killed refuses at once. Only a machine that is busy takes longer, and must open nothing.
    let patience = Duration::from_secs(5);
    let pace = Pace {
        redis_deadline: patience,
        s3_attempt: patience,
        database_timeout: patience,
        page_ttl: Duration::from_secs(1),
        ..Pace::default()
    };
    let listen = "127.0.0.1:0".parse().unwrap();
    Inventory::start(&Settings { listen, sources: Sources::default(), pace }).await.unwrap()
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let clock = Clock::default();
    let deadline = clock.now() + LIMIT;
    while !holds().await {
        assert!(clock.now() < deadline, "not within {LIMIT:?}: {what}");
        clock.sleep_until(clock.now() + Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_query_of_dashboard_and_rules_has_data_in_an_outage_and_it_raises_its_alerts() {
    let inventory = inventory().await;
    let url = inventory.url();
    let target = url.strip_prefix("http://").unwrap();
    let prometheus = Prometheus::start(target).await.unwrap();
    let mut calls = JoinSet::new();
    calls.spawn(callers::call(url.clone()));

    until("a healthy service was scraped", async || {
        !prometheus.query(SEEN_CLOSED).await.unwrap().is_empty()
    })
    .await;
    for victim in [Victim::Redis, Victim::S3, Victim::OpenAi] {
        inventory.chaos().act(victim, Deed::Kill).await.unwrap().expect("it runs here");
    }
    let on = inventory.dependencies();
    let breakers = [on.redis.breaker(), on.s3.breaker(), on.openai.first_breaker()];
    until("the breakers are open", async || {
        breakers.iter().all(|breaker| breaker.state() == State::Open)
    })
    .await;

    let instance =
        prometheus.label_values("instance", "redis_circuit_breaker_state").await.unwrap();
    assert_eq!(instance, [target], "the list at the top of the dashboard");
    let mut survey = Survey::new(&prometheus, target).await.unwrap();
    assert!(survey.asked().len() > 100, "{}", survey.asked().len());
    survey.ask(&prometheus, LIMIT).await.unwrap();
    let unanswered: Vec<_> = survey.unanswered().collect();
    assert!(unanswered.is_empty(), "{unanswered:#?}");

    until("the alerts of this outage are raised", async || {
        let rules = prometheus.rules().await.unwrap();
        let raised = rules.iter().filter(|rule| rule.is_raised());
        let raised: BTreeSet<_> = raised.map(|rule| rule.name.as_str()).collect();
        RAISED.iter().all(|alert| raised.contains(alert))
    })
    .await;
    let rules = prometheus.rules().await.unwrap();
    assert_eq!(rules.len(), 29);
    for rule in &rules {
        assert_eq!(rule.health, "ok", "{rule:?}");
        assert!(!rule.is_raised() || !SILENT.contains(&rule.name.as_str()), "{rule:?}");
    }
    calls.shutdown().await;
    inventory.shutdown().await.unwrap();
}
