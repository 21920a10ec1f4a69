//! The metrics of a client, as they are scraped.

use circuit_layer::metrics::Exporter;
use redis_service::{ErrorKind, Redis};

use crate::support::{assert_kind, builder, failing, start};

/// The value of one series; the labels stand in any order.
fn value(page: &str, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let mut lines = page.lines().filter(|line| !line.starts_with('#'));
    lines.find_map(|line| {
        let (series, value) = line.rsplit_once(' ')?;
        let found = series.split('{').next() == Some(name)
            && labels.iter().all(|(k, v)| series.contains(&format!("{k}=\"{v}\"")));
        found.then(|| value.parse().unwrap())
    })
}

fn requests(page: &str, operation: &str, status: &str) -> Option<f64> {
    value(page, "redis_requests_total", &[("operation", operation), ("status", status)])
}

#[tokio::test]
async fn what_became_of_each_call_is_scraped() {
    let (mut server, _first) = start().await;
    let exporter = Exporter::new().unwrap();
    let redis: Redis = builder(&server).metrics(&exporter.meter()).connect().await.unwrap();
    redis.set("k", "text").await.unwrap();
    for _ in 0..3 {
        redis.get::<String>("k").await.unwrap();
    }
    assert_kind(&failing(redis.llen("k")).await.0, ErrorKind::Client);
    server.kill().unwrap();
    for _ in 0..5 {
        assert_kind(&failing(redis.incr("n")).await.0, ErrorKind::Connection);
    }
    for _ in 0..4 {
        assert!(failing(redis.hgetall::<Vec<String>>("h")).await.0.is_rejected());
    }
    let page = exporter.render().unwrap();
    let count =
        |operation| value(&page, "redis_latency_seconds_count", &[("operation", operation)]);
    let errors = |operation, kind| {
        value(&page, "redis_errors_total", &[("operation", operation), ("error_type", kind)])
    };
    assert_eq!(requests(&page, "get", "success"), Some(3.0), "{page}");
    assert_eq!(count("get"), Some(3.0));
    assert_eq!(requests(&page, "llen", "failure"), Some(1.0));
    assert_eq!((errors("llen", "client"), count("llen")), (Some(1.0), Some(1.0)));
    assert_eq!(requests(&page, "incr", "failure"), Some(5.0));
    assert_eq!((errors("incr", "connection"), count("incr")), (Some(5.0), Some(5.0)));
    assert_eq!(requests(&page, "hgetall", "rejected"), Some(4.0));
    assert!(matches!(count("hgetall"), None | Some(0.0)), "rejected calls have no latency");
    assert_eq!(value(&page, "redis_circuit_breaker_state", &[]), Some(1.0));
    assert_eq!(value(&page, "redis_health_score", &[]), Some(0.0));
}
