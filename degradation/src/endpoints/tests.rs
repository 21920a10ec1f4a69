use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use serde_json::Value;
use tower::ServiceExt;

use super::*;
use crate::health::Health;
use crate::mode::Mode;

fn manager() -> DegradationManager {
    DegradationManager::builder()
        .dependency("database", 85, || Health::up(100))
        .dependency("redis", 15, || Health::up(100))
        .build()
        .unwrap()
}

async fn ask(endpoints: &Endpoints, path: &str) -> (u16, String, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = endpoints.clone().router().oneshot(request).await.unwrap();
    assert_eq!(response.headers()["cache-control"], "no-cache", "{path}");
    let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
    let status = response.status().as_u16();
    let bytes = to_bytes(response.into_body(), 1 << 16).await.unwrap();
    (status, kind, String::from_utf8(bytes.to_vec()).unwrap())
}

async fn health(endpoints: &Endpoints) -> (u16, Value) {
    let (status, kind, body) = ask(endpoints, "/health").await;
    assert_eq!(kind, "application/health+json");
    (status, serde_json::from_str(&body).unwrap())
}

#[tokio::test]
async fn liveness_depends_on_nothing() {
    let manager = manager();
    manager.force_level(Level::Critical, "a test", None);
    manager.force_mode(Mode::ReadOnly, "a test", None);
    let readiness = Readiness::starting();
    let endpoints = Endpoints::new(&manager).readiness(readiness);
    assert_eq!(ask(&endpoints, "/livez").await.0, 200);
}

#[tokio::test]
async fn readiness_is_a_local_fact_and_no_level_changes_it_unless_asked() {
    let manager = manager();
    let readiness = Readiness::starting();
    let endpoints = Endpoints::new(&manager).readiness(readiness.clone());
    let (status, _, body) = ask(&endpoints, "/readyz").await;
    assert_eq!(status, 503);
    assert!(body.contains(r#""reason":"starting""#), "{body}");
    readiness.ready();
    manager.force_level(Level::Critical, "a test", None);
    let (status, _, body) = ask(&endpoints, "/readyz").await;
    assert_eq!(status, 200);
    assert!(body.contains(r#""level":"critical""#), "the body tells: {body}");
    let strict = endpoints.clone().unready_at(Level::Critical);
    assert_eq!(ask(&strict, "/readyz").await.0, 503);
    readiness.not_ready("draining");
    assert!(ask(&endpoints, "/readyz").await.2.contains(r#""reason":"draining""#));
}

#[tokio::test]
async fn health_passes_warns_with_what_is_replaced_and_fails_when_most_is_gone() {
    let manager = manager();
    let endpoints = Endpoints::new(&manager).version("1.4.0");
    let (status, document) = health(&endpoints).await;
    assert_eq!((status, &document["status"]), (200, &json!("pass")));
    assert_eq!(document["version"], "1.4.0");
    assert_eq!(document["checks"]["redis:score"][0]["observedValue"], 100);
    assert!(document.get("output").is_none(), "the draft omits it on pass");

    manager.drill("redis", "game day", Duration::from_secs(60)).unwrap();
    let (status, document) = health(&endpoints).await;
    assert_eq!((status, &document["status"]), (200, &json!("warn")));
    assert_eq!(document["output"], "score 85: redis down (drill: game day)");
    let redis = &document["checks"]["redis:score"][0];
    assert_eq!(
        (&redis["status"], &redis["output"]),
        (&json!("fail"), &json!("redis down (drill: game day)"))
    );
    assert_eq!(document["checks"]["database:score"][0]["status"], "pass");

    for mode in [Mode::Minimal, Mode::ReadOnly] {
        manager.force_mode(mode, "a test", None);
        let (status, document) = health(&endpoints).await;
        assert_eq!((status, &document["status"]), (503, &json!("fail")), "{mode}");
    }
}

#[tokio::test]
async fn an_unknown_dependency_never_passes() {
    let manager = DegradationManager::builder().dependency("search", 100, Health::unknown).build();
    let (status, document) = health(&Endpoints::new(&manager.unwrap())).await;
    assert_eq!((status, &document["status"]), (200, &json!("warn")));
}

#[tokio::test(start_paused = true)]
async fn health_tells_what_is_the_matter_now_although_the_level_still_dwells() {
    let breaker = circuit_layer::CircuitBreaker::new("database");
    let manager = DegradationManager::builder()
        .dependency("database", 50, breaker.clone())
        .dependency("redis", 50, || Health::up(100))
        .build()
        .unwrap();
    let mut snapshots = manager.subscribe();
    breaker.force_open("maintenance", None);
    snapshots.wait_for(|snapshot| snapshot.score == 50).await.unwrap();
    assert_eq!(manager.snapshot().level, Level::Normal, "it worsens after a second");
    let (_, document) = health(&Endpoints::new(&manager)).await;
    let output = document["output"].as_str().unwrap();
    assert!(output.starts_with("score 50: database down"), "{output}");
}
