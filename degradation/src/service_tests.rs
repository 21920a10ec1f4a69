use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::{HeaderMap, Method, StatusCode};
use tower::{Layer, ServiceExt};

use super::*;
use crate::body::Kind;
use crate::class::{Class, Criticality};
use crate::health::Health;
use crate::level::Level;
use crate::manager::DegradationManager;
use crate::mode::Mode;
use crate::routes::Routes;
use crate::snapshot::Snapshot;

/// Answers with what it found in the extensions; insists on being readied before each call.
#[derive(Debug, Default)]
struct Inner {
    readied: bool,
    calls: Arc<AtomicUsize>,
    polls: Arc<AtomicUsize>,
}

impl Clone for Inner {
    fn clone(&self) -> Self {
        Self { readied: false, calls: Arc::clone(&self.calls), polls: Arc::clone(&self.polls) }
    }
}

impl<A> Service<Request<A>> for Inner {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.polls.fetch_add(1, Ordering::Relaxed);
        self.readied = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        assert!(std::mem::take(&mut self.readied), "called without having been readied");
        self.calls.fetch_add(1, Ordering::Relaxed);
        let level = request.extensions().get::<Arc<Snapshot>>().map(|snapshot| snapshot.level);
        let class = request.extensions().get::<Class>();
        ready(Ok(Response::new(format!("{level:?} {class:?}"))))
    }
}

fn manager() -> DegradationManager {
    let well = || Health::up(100);
    DegradationManager::builder().dependency("database", 100, well).build().unwrap()
}

fn layer(manager: &DegradationManager) -> DegradationLayer {
    let routes = Routes::new()
        .route("/report", Criticality::Sheddable)
        .route("/suggest", Criticality::SheddablePlus)
        .route("/checkout", Criticality::CriticalPlus)
        .route("/shop.Cart/Show", Class::read(Criticality::CriticalPlus));
    DegradationLayer::new(manager).routes(routes)
}

fn request(method: Method, path: &str) -> Request<()> {
    Request::builder().method(method).uri(path).body(()).unwrap()
}

fn get(path: &str) -> Request<()> {
    request(Method::GET, path)
}

async fn status(layer: &DegradationLayer, request: Request<()>) -> u16 {
    layer.layer(Inner::default()).oneshot(request).await.unwrap().status().as_u16()
}

#[tokio::test]
async fn each_row_of_the_table_is_enforced() {
    let manager = manager();
    let layer = layer(&manager);
    let rows = [
        (Level::Normal, Mode::Full, [200, 200, 200, 200, 200]),
        (Level::Degraded, Mode::Full, [503, 200, 200, 200, 200]),
        (Level::Critical, Mode::Full, [503, 503, 200, 200, 200]),
        (Level::Normal, Mode::Minimal, [503, 503, 503, 200, 200]),
        (Level::Normal, Mode::ReadOnly, [503, 503, 503, 200, 503]),
    ];
    for (level, mode, expected) in rows {
        manager.force_level(level, "a test", None);
        manager.force_mode(mode, "a test", None);
        let mut found = Vec::new();
        for path in ["/report", "/suggest", "/any", "/checkout"] {
            found.push(status(&layer, get(path)).await);
        }
        found.push(status(&layer, request(Method::POST, "/checkout")).await);
        assert_eq!(found, expected, "{level} {mode}");
        assert_eq!(status(&layer, get("/health")).await, 200, "health is never shed");
    }
}

#[tokio::test]
async fn a_request_that_passes_carries_the_snapshot_and_its_class() {
    let manager = manager();
    let response = layer(&manager).layer(Inner::default()).oneshot(get("/suggest")).await.unwrap();
    let Kind::Inner { body } = response.into_body().kind else { panic!("not the inner body") };
    let class = Class::read(Criticality::SheddablePlus);
    assert_eq!(body, format!("Some(Normal) Some({class:?})"));
}

fn own(response: Response<ResponseBody<String>>) -> (StatusCode, HeaderMap, String) {
    let (parts, body) = response.into_parts();
    let Kind::Own { bytes } = body.kind else { panic!("not our own body") };
    (parts.status, parts.headers, String::from_utf8(bytes.to_vec()).unwrap())
}

#[tokio::test]
async fn an_http_caller_is_told_when_to_come_back_in_problem_json() {
    let manager = manager();
    manager.force_level(Level::Critical, "secret reason", Some(std::time::Duration::from_secs(90)));
    let answer = layer(&manager).layer(Inner::default()).oneshot(get("/suggest")).await.unwrap();
    let (status, headers, body) = own(answer);
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(headers["content-type"], "application/problem+json");
    assert_eq!(headers["retry-after"], "90");
    assert_eq!(headers["x-degradation-level"], "critical");
    let problem: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(problem["status"], 503);
    assert_eq!(problem["mode"], "full");
    assert_eq!(problem["criticality"], "sheddable-plus");
    assert_eq!(problem["retry_after"], 90);
    assert!(!body.contains("secret"), "the cause is for operators");
}

#[tokio::test]
async fn a_grpc_caller_gets_trailers_only_unavailable_with_a_pushback() {
    let manager = manager();
    manager.force_mode(Mode::ReadOnly, "a test", None);
    let service = layer(&manager).layer(Inner::default());
    let grpc = |path| {
        let mut request = request(Method::POST, path);
        let kind = http::HeaderValue::from_static("application/grpc+proto");
        request.headers_mut().insert("content-type", kind);
        request
    };
    let read = service.clone().oneshot(grpc("/shop.Cart/Show")).await.unwrap();
    assert!(!read.headers().contains_key("grpc-status"), "a listed read passes");
    let (status, headers, body) = own(service.oneshot(grpc("/shop.Cart/Fill")).await.unwrap());
    assert_eq!((status, body.as_str()), (StatusCode::OK, ""));
    assert_eq!(headers["content-type"], "application/grpc+proto");
    assert_eq!(headers["grpc-status"], "14");
    assert_eq!(headers["grpc-message"], "The service is read-only for now.");
    assert_eq!(headers["grpc-retry-pushback-ms"], "5000");
}

#[path = "service_law_tests.rs"]
mod laws;
