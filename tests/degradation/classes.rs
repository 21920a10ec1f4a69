//! Each class and method against each row of the table, in a router of axum.

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request};
use axum::{Router, routing::any};
use degradation::{Criticality, DegradationLayer, DegradationManager, Health, Level, Mode, Routes};
use tower::ServiceExt;

use crate::table::{CRITICALITIES, TABLE, letter};

fn manager() -> DegradationManager {
    DegradationManager::builder().dependency("all", 100, || Health::up(100)).build().unwrap()
}

/// What is not listed is critical.
fn router(manager: &DegradationManager) -> Router {
    let routes = Routes::new()
        .route("/sheddable", Criticality::Sheddable)
        .route("/sheddable-plus", Criticality::SheddablePlus)
        .route("/critical-plus", Criticality::CriticalPlus);
    let handler = any(|| async { "served" });
    Router::new()
        .route("/{class}", handler.clone())
        .route("/status/{page}", handler)
        .layer(DegradationLayer::new(manager).routes(routes))
}

/// One letter, and the whole answer for whoever wants to know more.
async fn ask(router: &Router, method: &Method, path: &str) -> char {
    let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    if response.status() == 200 {
        return 'p';
    }
    let headers = response.headers().clone();
    assert_eq!(response.status(), 503, "{method} {path}");
    assert_eq!(headers["content-type"], "application/problem+json", "{method} {path}");
    let wait: u64 = headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!(wait >= 1, "{method} {path}");
    let body = to_bytes(response.into_body(), 1 << 16).await.unwrap();
    // The answer to a HEAD has no body, and a HEAD is no write.
    if method == Method::HEAD { 's' } else { letter(std::str::from_utf8(&body).unwrap()) }
}

#[tokio::test]
async fn each_class_and_method_is_answered_as_in_the_table() {
    let manager = manager();
    let router = router(&manager);
    let purge = Method::from_bytes(b"PURGE").unwrap();
    let reads = [Method::GET, Method::HEAD, Method::OPTIONS];
    let writes = [Method::POST, Method::PUT, Method::PATCH, Method::DELETE, purge];
    for (level, mode, read, write) in TABLE {
        manager.force_level(level, "a test", None);
        manager.force_mode(mode, "a test", None);
        let reads = reads.iter().map(|method| (method, read));
        for (method, expected) in reads.chain(writes.iter().map(|method| (method, write))) {
            let mut found = String::new();
            for criticality in CRITICALITIES {
                found.push(ask(&router, method, &format!("/{criticality}")).await);
            }
            assert_eq!(found, expected, "{method} in {level} and {mode}");
        }
    }
}

#[tokio::test]
async fn health_metrics_and_status_are_never_shed() {
    let manager = manager();
    let router = router(&manager);
    manager.force_level(Level::Critical, "a test", None);
    manager.force_mode(Mode::ReadOnly, "a test", None);
    for path in ["/livez", "/readyz", "/health", "/metrics", "/status", "/status/events"] {
        for method in [Method::GET, Method::POST] {
            assert_eq!(ask(&router, &method, path).await, 'p', "{method} {path}");
        }
    }
    assert_eq!(ask(&router, &Method::GET, "/any").await, 's');
}
