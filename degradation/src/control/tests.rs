use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use circuit_layer::{CircuitBreaker, State};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use crate::health::Health;
use crate::level::Level;
use crate::queue::{QueueEntry, QueueError, QueueFuture, QueueSource};
use crate::status::{QueueStatus, StatusDocument};

const SECRET: &str = "correct horse battery staple";

/// A queue of one entry that can be removed.
struct Uploads(Mutex<Vec<QueueEntry>>);

impl QueueSource for Uploads {
    fn status(&self) -> QueueStatus {
        QueueStatus::new(self.0.lock().unwrap().len().try_into().unwrap(), 9)
    }

    fn list(&self, limit: usize) -> QueueFuture<'_, Vec<QueueEntry>> {
        let entries = self.0.lock().unwrap().iter().take(limit).cloned().collect();
        Box::pin(std::future::ready(Ok(entries)))
    }

    fn retry<'a>(&'a self, _: &'a str) -> QueueFuture<'a, ()> {
        Box::pin(std::future::ready(Err(QueueError::failed("the disk is gone"))))
    }

    fn remove<'a>(&'a self, id: &'a str) -> QueueFuture<'a, ()> {
        let mut entries = self.0.lock().unwrap();
        let before = entries.len();
        entries.retain(|entry| &*entry.id != id);
        let found = entries.len() < before;
        drop(entries);
        let answer = if found { Ok(()) } else { Err(QueueError::not_found(id)) };
        Box::pin(std::future::ready(answer))
    }
}

struct House {
    redis: CircuitBreaker,
    manager: DegradationManager,
}

fn house() -> House {
    let redis = CircuitBreaker::new("redis");
    let entry = QueueEntry::new("17", "upload", "a/b.png", 9, 1_000).attempts(2);
    let manager = DegradationManager::builder()
        .dependency("database", 85, || Health::up(100))
        .dependency("redis", 15, redis.clone())
        .queue("uploads", Uploads(Mutex::new(vec![entry])))
        .build()
        .unwrap();
    House { redis, manager }
}

async fn send(
    manager: &DegradationManager,
    method: &str,
    path: &str,
    token: &str,
    body: &str,
) -> (u16, Value) {
    let token = format!("Bearer {token}");
    let request = Request::builder().method(method).uri(path).header("authorization", token);
    let request = request.header("content-type", "application/json");
    let request = request.body(Body::from(body.to_owned())).unwrap();
    let secret = ControlToken::new(SECRET).unwrap();
    let router = ControlEndpoints::new(manager, secret).router();
    let response = router.oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap())
}

async fn post(manager: &DegradationManager, path: &str, body: Value) -> (u16, Value) {
    send(manager, "POST", path, SECRET, &body.to_string()).await
}

async fn get(manager: &DegradationManager, path: &str) -> (u16, Value) {
    send(manager, "GET", path, SECRET, "").await
}

#[tokio::test]
async fn without_the_token_nobody_orders_or_sees_anything() {
    let House { manager, .. } = house();
    let body = json!({"level": "critical", "reason": "a prank"}).to_string();
    for token in ["", "wrong", "correct horse battery stapl", "correct horse battery staplf"] {
        for (method, path) in [("POST", "/level"), ("GET", "/status"), ("GET", "/nowhere")] {
            let (status, problem) = send(&manager, method, path, token, &body).await;
            assert_eq!((status, &problem["status"]), (401, &json!(401)), "{token} {path}");
        }
    }
    assert_eq!(manager.snapshot().level, Level::Normal);
    let request = Request::get("/status").body(Body::empty()).unwrap();
    let router = ControlEndpoints::new(&manager, ControlToken::new(SECRET).unwrap()).router();
    let response = router.oneshot(request).await.unwrap();
    assert_eq!(response.status(), 401);
    assert_eq!(response.headers()["www-authenticate"], "Bearer");
    assert_eq!(response.headers()["content-type"], "application/problem+json");
}

#[test]
fn a_token_that_could_be_guessed_or_not_sent_is_refused_and_none_is_shown() {
    assert_eq!(
        ControlToken::new(" \n").unwrap_err().to_string(),
        "the token has 0 bytes of at least 16"
    );
    assert_eq!(
        ControlToken::new("fifteen bytes..").unwrap_err(),
        TokenError::TooShort { bytes: 15 }
    );
    assert_eq!(ControlToken::new("sixteen bytes äö").unwrap_err(), TokenError::Character);
    assert_eq!(format!("{:?}", ControlToken::new(SECRET).unwrap()), "ControlToken");
}

#[tokio::test(start_paused = true)]
async fn a_level_and_a_mode_are_forced_for_a_time_and_released() {
    let House { manager, .. } = house();
    let order = json!({"level": "critical", "reason": "a rehearsal", "seconds": 60});
    let (status, document) = post(&manager, "/level", order).await;
    assert_eq!((status, &document["level"]), (200, &json!("critical")));
    assert_eq!(document["forced_level"]["reason"], "a rehearsal");
    let order = json!({"mode": "read_only", "reason": "moving the disks"});
    let (_, document) = post(&manager, "/mode", order).await;
    assert_eq!(document["mode"], "read_only");
    assert_eq!(document["forced_mode"]["until_unix_ms"], Value::Null);

    let clock = manager.clock();
    clock.sleep_until(clock.now() + Duration::from_secs(61)).await;
    assert_eq!(manager.snapshot().level, Level::Normal, "the limit");
    let (_, document) = post(&manager, "/release", json!({"reason": "done"})).await;
    assert_eq!(document["mode"], "full");
    let log: Vec<_> = document["log"].as_array().unwrap().iter().collect();
    let said = |kind: &str| -> Vec<&str> {
        let of_kind = log.iter().filter(|entry| entry["kind"] == kind);
        of_kind.map(|entry| entry["what"].as_str().unwrap()).collect()
    };
    assert_eq!(
        said("order"),
        [
            "the forced mode was released",
            "the forced level ran out",
            "mode forced to read_only until released",
            "level forced to critical for 60s",
        ]
    );
    assert_eq!(
        said("change"),
        [
            "mode read_only → full",
            "level critical → normal",
            "mode full → read_only",
            "level normal → critical",
        ]
    );
    assert_eq!(log[1]["reason"], "done");
}

#[tokio::test(start_paused = true)]
async fn a_drill_and_a_forced_breaker_act_and_reset_ends_both() {
    let House { redis, manager } = house();
    let order = json!({"reason": "game day", "seconds": 600});
    let (status, document) = post(&manager, "/dependencies/redis/drill", order).await;
    assert_eq!((status, &document["score"]), (200, &json!(85)));
    assert_eq!(document["dependencies"][1]["drill"]["reason"], "game day");
    assert_eq!(document["flags"], json!(["cache_fallback"]));
    let order = json!({"order": "force_open", "reason": "game day", "seconds": 600});
    let (status, _) = post(&manager, "/dependencies/redis/breaker", order).await;
    assert_eq!((status, redis.state()), (200, State::Open));
    manager
        .subscribe()
        .wait_for(|snapshot| snapshot.dependencies[1].detail.is_some())
        .await
        .unwrap();
    let (_, document) = get(&manager, "/status").await;
    let document: StatusDocument = serde_json::from_value(document).unwrap();
    let shown = document.dependency("redis").unwrap();
    let breaker = shown.breaker.as_ref().unwrap();
    assert_eq!((&*breaker.state, &*breaker.control), ("open", "forced_open"));
    assert_eq!((shown.next_probe_ms, shown.outages), (Some(600_000), 1));

    let (status, document) = post(&manager, "/reset", json!({"reason": "over"})).await;
    assert_eq!((status, &document["dependencies"][1]["drill"]), (200, &Value::Null));
    assert_eq!(redis.snapshot().control, circuit_layer::Control::Automatic);
    let order = json!({"order": "reset", "reason": "it is well"});
    post(&manager, "/dependencies/redis/breaker", order).await;
    assert_eq!(redis.state(), State::Closed);
}

#[tokio::test]
async fn an_order_that_makes_no_sense_is_refused_and_says_why() {
    let House { manager, .. } = house();
    let breaker = "/dependencies/redis/breaker";
    for (path, body, status, detail) in [
        ("/level", json!({"level": "worst", "reason": "x"}), 422, "unknown variant `worst`"),
        ("/level", json!({"level": "normal"}), 422, "missing field `reason`"),
        ("/level", json!({"level": "normal", "reason": "  "}), 422, "the reason is blank"),
        ("/level", json!({"level": "normal", "reason": "x", "minutes": 1}), 422, "`minutes`"),
        ("/mode", json!({"mode": "full", "reason": "x", "seconds": 0}), 422, "zero seconds"),
        ("/mode", json!({"mode": "full", "reason": "x".repeat(501)}), 422, "longer than 500"),
        ("/dependencies/redis/drill", json!({"reason": "x"}), 422, "missing field `seconds`"),
        (breaker, json!({"order": "reset", "reason": "x", "seconds": 1}), 422, "takes no seconds"),
        ("/dependencies/kafka/drill", json!({"reason": "x", "seconds": 1}), 404, "named `kafka`"),
        ("/dependencies/kafka/end-drill", json!({"reason": "x"}), 404, "named `kafka`"),
        (
            "/dependencies/database/breaker",
            json!({"order": "release", "reason": "x"}),
            409,
            "`database` has no breaker",
        ),
    ] {
        let (found, problem) = post(&manager, path, body).await;
        assert_eq!((found, &problem["status"]), (status, &json!(status)), "{path} {problem}");
        let said = problem["detail"].as_str().unwrap();
        assert!(said.contains(detail), "{detail} is not in {said}");
    }
    let (status, _) = send(&manager, "POST", "/reset", SECRET, "not json").await;
    assert_eq!(status, 400);
    assert!(manager.log().is_empty(), "nothing was ordered: {:?}", manager.log());
}

#[tokio::test]
async fn a_queue_is_listed_and_its_entries_dropped_and_failures_are_told() {
    let House { manager, .. } = house();
    let (status, entries) = get(&manager, "/queues/uploads/entries?limit=5").await;
    assert_eq!((status, &entries[0]["id"]), (200, &json!("17")));
    assert_eq!((&entries[0]["key"], &entries[0]["attempts"]), (&json!("a/b.png"), &json!(2)));
    let (status, problem) =
        post(&manager, "/queues/uploads/entries/17/retry", json!({"reason": "now"})).await;
    assert_eq!(status, 502);
    assert_eq!(problem["detail"], "the queue failed: the disk is gone");
    let drop = "/queues/uploads/entries/17/drop";
    let (status, document) = post(&manager, drop, json!({"reason": "a duplicate"})).await;
    assert_eq!((status, &document["queues"][0]["depth"]), (200, &json!(0)));
    assert_eq!(document["log"][0]["what"], "entry 17 was dropped");
    assert_eq!(document["log"][0]["subject"], "uploads");
    assert_eq!(post(&manager, drop, json!({"reason": "again"})).await.0, 404);
    assert_eq!(get(&manager, "/queues/downloads/entries").await.0, 404);
    assert_eq!(get(&manager, "/queues/uploads/entries?limit=x").await.0, 400);
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_hangs_is_an_error_after_ten_seconds() {
    struct Hangs;
    impl QueueSource for Hangs {
        fn status(&self) -> QueueStatus {
            panic!("no luck")
        }
        fn list(&self, _: usize) -> QueueFuture<'_, Vec<QueueEntry>> {
            Box::pin(std::future::pending())
        }
        fn retry<'a>(&'a self, _: &'a str) -> QueueFuture<'a, ()> {
            Box::pin(std::future::pending())
        }
        fn remove<'a>(&'a self, _: &'a str) -> QueueFuture<'a, ()> {
            Box::pin(std::future::pending())
        }
    }
    let manager = DegradationManager::builder()
        .dependency("s3", 100, || Health::up(100))
        .queue("uploads", Arc::new(Hangs))
        .build()
        .unwrap();
    let (status, problem) = get(&manager, "/queues/uploads/entries").await;
    assert_eq!(status, 502);
    assert_eq!(problem["detail"], "the queue failed: no answer within 10s");
    assert!(manager.status().queues.is_empty(), "its panic is no news to the page");
}
