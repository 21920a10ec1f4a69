use std::time::Duration;

use axum::http::Request;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use circuit_layer::CircuitBreaker;
use http_body_util::BodyExt as _;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tower::ServiceExt as _;

use super::seats::SEATS;
use super::*;
use crate::health::Health;
use crate::level::Level;

fn manager() -> DegradationManager {
    DegradationManager::builder()
        .dependency("database", 85, || Health::up(100))
        .dependency("redis", 15, CircuitBreaker::new("redis"))
        .build()
        .unwrap()
}

fn ready() -> Readiness {
    let readiness = Readiness::starting();
    readiness.ready();
    readiness
}

async fn get(router: &Router, path: &str) -> Response {
    let request = Request::get(path).body(Body::empty()).unwrap();
    router.clone().oneshot(request).await.unwrap()
}

/// The next frame as JSON; None at the end.
async fn next(events: &mut Response) -> Option<Value> {
    let frame = events.body_mut().frame().await?.unwrap().into_data().unwrap();
    let text = std::str::from_utf8(&frame).unwrap();
    let data = text.strip_prefix("retry: 1000\ndata: ").unwrap().strip_suffix("\n\n").unwrap();
    assert!(!data.contains('\n'), "a line break would cut the event in two");
    Some(serde_json::from_str(data).unwrap())
}

/// What stands between the tags of the only element of this name.
fn element(name: &str) -> &'static str {
    let (_, rest) = PAGE.split_once(&format!("<{name}>")).unwrap();
    let (inside, rest) = rest.split_once(&format!("</{name}>")).unwrap();
    assert!(!rest.contains(&format!("<{name}")), "a second {name} would not run");
    inside
}

#[tokio::test]
async fn the_policy_lets_exactly_the_pages_own_script_and_style_run() {
    let page = get(&router(&manager(), &ready()), "/status").await;
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    for (directive, name) in [("script-src", "script"), ("style-src", "style")] {
        let hash = BASE64_STANDARD.encode(Sha256::digest(element(name)));
        let expected = format!("{directive} 'sha256-{hash}';");
        assert!(policy.contains(&expected), "POLICY in page/mod.rs has to say {expected}");
    }
    assert!(!policy.contains("unsafe") && policy.contains("default-src 'none'"), "{policy}");
    assert_eq!(page.headers()["x-content-type-options"], "nosniff");
}

#[test]
fn the_page_makes_no_markup_of_data_and_asks_nobody_else() {
    for banned in
        ["innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "style=\""]
    {
        assert!(!PAGE.contains(banned), "{banned}");
    }
    let foreign =
        PAGE.split("http").skip(1).filter(|rest| !rest.starts_with("://www.w3.org/2000/svg"));
    assert_eq!(foreign.count(), 0, "the name space of SVG is the one address in it");
}

#[tokio::test(start_paused = true)]
async fn a_reader_gets_the_document_at_once_at_each_change_and_every_second() {
    let manager = manager();
    let mut events = get(&router(&manager, &ready()), "/status/events").await;
    assert_eq!(events.headers()["content-type"], "text/event-stream");
    let clock = manager.clock().clone();
    let start = clock.now();
    let first = next(&mut events).await.unwrap();
    assert_eq!((&first["level"], clock.now() - start), (&"normal".into(), Duration::ZERO));

    next(&mut events).await.unwrap();
    assert_eq!((clock.now() - start).as_millis(), 1_000);

    tokio::time::advance(Duration::from_millis(500)).await;
    manager.force_level(Level::Critical, "a test", None);
    let changed = next(&mut events).await.unwrap();
    assert_eq!(changed["level"], "critical");
    assert_eq!(changed["forced_level"]["reason"], "a test");
    assert_eq!((clock.now() - start).as_millis(), 1_500, "at once");
}

#[tokio::test(start_paused = true)]
async fn who_reads_slowly_gets_the_newest_and_nothing_is_kept_for_them() {
    let manager = manager();
    let mut events = get(&router(&manager, &ready()), "/status/events").await;
    next(&mut events).await.unwrap();
    for score in 0..100_u64 {
        let limit = Duration::from_secs(1_000 + score);
        manager.force_level(Level::Degraded, &format!("number {score}"), Some(limit));
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    let newest = next(&mut events).await.unwrap();
    assert_eq!(newest["forced_level"]["reason"], "number 99");
    let start = manager.clock().now();
    next(&mut events).await.unwrap();
    let waited = manager.clock().now() - start;
    assert!(waited >= Duration::from_millis(900), "an old frame was waiting: {waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_change_every_millisecond_makes_at_most_ten_frames_a_second() {
    let manager = manager();
    let mut events = get(&router(&manager, &ready()), "/status/events").await;
    next(&mut events).await.unwrap();
    let flapping = tokio::spawn({
        let (manager, clock) = (manager.clone(), manager.clock().clone());
        async move {
            for number in 0.. {
                manager.force_level(Level::Degraded, &format!("number {number}"), None);
                clock.sleep_until(clock.now() + Duration::from_millis(1)).await;
            }
        }
    });
    let start = manager.clock().now();
    for _ in 0..20 {
        next(&mut events).await.unwrap();
    }
    flapping.abort();
    let took = manager.clock().now() - start;
    assert!(took >= Duration::from_secs(2), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_drain_ends_the_events_and_none_outlast_a_frame_until_it_is_ready_again() {
    let (manager, readiness) = (manager(), ready());
    let router = router(&manager, &readiness);
    let mut events = get(&router, "/status/events").await;
    next(&mut events).await.unwrap();
    let start = manager.clock().now();
    readiness.not_ready("draining");
    assert!(next(&mut events).await.is_none());
    assert_eq!(manager.clock().now() - start, Duration::ZERO, "at once");

    let mut late = get(&router, "/status/events").await;
    assert!(next(&mut late).await.is_some(), "who comes now still sees how it is");
    assert!(next(&mut late).await.is_none());

    readiness.ready();
    let mut again = get(&router, "/status/events").await;
    for _ in 0..3 {
        assert!(next(&mut again).await.is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn there_are_seats_for_many_and_the_next_one_is_told_to_come_back() {
    let router = router(&manager(), &ready());
    let mut watching = Vec::new();
    for _ in 0..SEATS {
        watching.push(get(&router, "/status/events").await);
    }
    let refused = get(&router, "/status/events").await;
    assert_eq!(
        (refused.status().as_u16(), &refused.headers()["retry-after"]),
        (503, &"5".parse().unwrap())
    );
    watching.pop();
    let mut newcomer = get(&router, "/status/events").await;
    assert!(next(&mut newcomer).await.is_some());
}

#[tokio::test]
async fn the_same_document_is_there_as_json() {
    let manager = manager();
    let answer = get(&router(&manager, &ready()), "/status.json").await;
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    let document: crate::StatusDocument = serde_json::from_slice(&bytes).unwrap();
    assert_eq!((document.score, document.dependencies.len()), (100, 2));
}
