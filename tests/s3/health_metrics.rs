//! What a scrape shows of S3.

use std::collections::BTreeMap;

use circuit_layer::metrics::Exporter;
use s3_service::test_server::Fault;
use s3_service::{S3, Start, Upload};

use crate::support::{Rig, server, settings};

async fn rig() -> (Rig, Exporter) {
    let exporter = Exporter::new().unwrap();
    let server = server().await;
    let (settings, time) = settings(&server);
    let settings = settings.metrics(&exporter.meter());
    let s3: S3 = settings.start(Start::Lazy).build().await.unwrap();
    (Rig { server, time, s3 }, exporter)
}

/// Series of the scrape, without their instance labels, and their values.
pub(crate) fn scrape(exporter: &Exporter) -> BTreeMap<String, f64> {
    let text = exporter.render().unwrap();
    let series = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let pairs = series.map(|line| {
        let (series, value) = line.rsplit_once(' ').unwrap();
        (series.to_owned(), value.parse().unwrap())
    });
    pairs.collect()
}

#[tokio::test]
async fn calls_and_bytes_are_counted_by_what_s3_did() {
    let (rig, exporter) = rig().await;
    rig.s3.upload(Upload::new("k", vec![7; 1000])).await.unwrap();
    rig.s3.download("k").await.unwrap().into_bytes().await.unwrap();
    drop(rig.s3.download("k").await.unwrap());
    assert!(rig.s3.head("missing").await.is_err());
    rig.server.inject_times(Fault::CutBody { after: 10 }, 1);
    assert!(rig.s3.download("k").await.unwrap().into_bytes().await.is_err());
    rig.s3.breaker().force_open("test", None);
    assert!(rig.s3.upload(Upload::new("k", vec![7; 1000])).await.is_err());

    let seen = scrape(&exporter);
    let value = |series: &str| seen.get(series).copied().unwrap_or(0.0);
    let rows = [
        (r#"s3_requests_total{operation="upload",status="success"}"#, 1.0),
        (r#"s3_requests_total{operation="upload",status="rejected"}"#, 1.0),
        (r#"s3_requests_total{operation="upload",status="failure"}"#, 0.0),
        (r#"s3_requests_total{operation="download",status="success"}"#, 1.0),
        (r#"s3_requests_total{operation="download",status="failure"}"#, 1.0),
        (r#"s3_requests_total{operation="head",status="failure"}"#, 1.0),
        (r#"s3_errors_total{error_type="body",operation="download"}"#, 1.0),
        (r#"s3_errors_total{error_type="client",operation="head"}"#, 1.0),
        (r#"s3_latency_seconds_count{operation="upload"}"#, 1.0),
        (r#"s3_latency_seconds_count{operation="download"}"#, 2.0),
        (r#"s3_latency_seconds_count{operation="head"}"#, 1.0),
        (r#"s3_bytes_transferred{direction="upload"}"#, 1000.0),
        ("s3_circuit_breaker_state", 1.0),
        ("s3_health_score", 0.0),
    ];
    for (series, expected) in rows {
        assert!((value(series) - expected).abs() < 0.5, "{series}: {seen:#?}");
    }
    let down = value(r#"s3_bytes_transferred{direction="download"}"#);
    assert!((1000.0..=2010.0).contains(&down), "{down}");
}

#[tokio::test]
async fn retries_are_one_call_and_all_their_bytes() {
    let server = server().await;
    let exporter = Exporter::new().unwrap();
    let (settings, _) = settings(&server);
    let settings = settings.max_attempts(3).metrics(&exporter.meter());
    let s3 = settings.build().await.unwrap();
    server.inject_times(Fault::InternalError, 1);
    s3.upload(Upload::new("k", vec![7; 1000])).await.unwrap();

    let seen = scrape(&exporter);
    let uploads = r#"s3_requests_total{operation="upload",status="success"}"#;
    assert!((seen[uploads] - 1.0).abs() < 0.5);
    let bytes = seen[r#"s3_bytes_transferred{direction="upload"}"#];
    assert!((bytes - 2000.0).abs() < 0.5, "{bytes}");
}
