//! What a scrape shows of several clients, and of their insides when asked to.

use circuit_layer::metrics::{Exporter, Metrics, RecorderError};
use redis_service::{FallbackConfig, Memory, Redis, StartError};

use crate::support::{builder, outage, pass, recovery, remembered, secs};

fn exporter() -> (Exporter, Metrics) {
    let exporter = Exporter::new().unwrap();
    let metrics = Metrics::new(&exporter.meter());
    (exporter, metrics)
}

fn value(exporter: &Exporter, series: &str) -> Option<f64> {
    let page = exporter.render().unwrap();
    let mut found = page.lines().filter_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    found.next().map(|value| value.parse().unwrap())
}

async fn named(metrics: &Metrics, name: &str) -> Result<Redis, StartError> {
    builder(&Memory::new()).metrics(metrics).instance(name).connect().await
}

fn gets(exporter: &Exporter, name: &str) -> Option<f64> {
    let labels = format!("operation=\"get\",service_peer_name=\"{name}\",status=\"success\"");
    value(exporter, &format!("redis_requests_total{{{labels}}}"))
}

#[tokio::test(start_paused = true)]
async fn two_clients_on_one_meter_are_two_series_each_of_which_ends_with_its_client() {
    let (exporter, metrics) = exporter();
    let sessions = named(&metrics, "sessions").await.unwrap();
    let carts = named(&metrics, "carts").await.unwrap();
    for (redis, calls) in [(&sessions, 3), (&carts, 5)] {
        for _ in 0..calls {
            redis.get::<String>("k").await.unwrap();
        }
    }
    assert_eq!(gets(&exporter, "sessions"), Some(3.0), "{}", exporter.render().unwrap());
    assert_eq!(gets(&exporter, "carts"), Some(5.0));
    drop(sessions);
    assert_eq!((gets(&exporter, "sessions"), gets(&exporter, "carts")), (None, Some(5.0)));
    let state = |name| format!("redis_circuit_breaker_state{{service_peer_name=\"{name}\"}}");
    assert_eq!(value(&exporter, &state("sessions")), None);
    assert_eq!(value(&exporter, &state("carts")), Some(0.0));
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_in_use_is_refused_and_free_again_with_the_client() {
    let (_exporter, metrics) = exporter();
    for name in ["", "sessions"] {
        let first = named(&metrics, name).await.unwrap();
        let refused = named(&metrics, name).await.unwrap_err();
        let StartError::Metrics(RecorderError::NameTaken { prefix: "redis", name: taken }) =
            refused
        else {
            panic!("{refused:?}");
        };
        assert_eq!(taken.as_deref(), Some(name).filter(|name| !name.is_empty()));
        drop(first);
        named(&metrics, name).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn the_age_of_what_is_served_from_memory_is_shown_until_redis_serves_again() {
    let (exporter, metrics) = exporter();
    let memory = Memory::new();
    let config = FallbackConfig::new().tracking(false);
    let redis = builder(&memory).fallback(config).connect().await.unwrap();
    assert_eq!(value(&exporter, "redis_fallback_age_seconds"), None, "only when asked for");
    let shown = redis.show(&metrics, None).unwrap();
    redis.set("old", "v").await.unwrap();
    pass(secs(30)).await;
    redis.set("new", "v").await.unwrap();
    assert_eq!(value(&exporter, "redis_fallback_age_seconds"), Some(0.0));
    outage(&memory, &redis).await;
    pass(secs(10)).await;
    for (key, age) in [("new", 10.0), ("old", 40.0), ("new", 40.0)] {
        assert!(remembered(&redis, key).await.is_some());
        let shown = value(&exporter, "redis_fallback_age_seconds").unwrap();
        assert!((age..age + 1.0).contains(&shown), "{key}: {shown}");
    }
    recovery(&memory, &redis).await;
    assert_eq!(value(&exporter, "redis_fallback_age_seconds"), Some(0.0));
    drop(shown);
    assert_eq!(value(&exporter, "redis_fallback_age_seconds"), None);
}

#[tokio::test(start_paused = true)]
async fn connections_are_shown_for_as_long_as_the_client_lives() {
    let (exporter, metrics) = exporter();
    let redis = builder(&Memory::new()).connect().await.unwrap();
    let _shown = redis.show(&metrics, None).unwrap();
    assert!(matches!(
        redis.show(&metrics, None).unwrap_err(),
        RecorderError::NameTaken { prefix: "redis_pool_connections", name: None }
    ));
    redis.ping().await.unwrap();
    let connections = redis.get_status().pool.connections;
    assert_eq!(value(&exporter, "redis_pool_connections"), Some(f64::from(connections)));
    assert!(connections > 0);
    assert_eq!(value(&exporter, "redis_fallback_age_seconds"), None, "there is no fallback");
    drop(redis);
    assert_eq!(value(&exporter, "redis_pool_connections"), None, "gauges keep nothing alive");
}
