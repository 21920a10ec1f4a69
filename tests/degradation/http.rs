//! Over HTTP/1.1, by axum.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::routing::get;
use axum::{Router, http::StatusCode};
use degradation::{
    Criticality, DegradationLayer, DegradationManager, Endpoints, LevelRules, Routes, Snapshot,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::dependency::{Client, Server};

struct Service {
    address: SocketAddr,
    manager: DegradationManager,
}

/// Checkout needs the database; a report says whether it could be written.
async fn serve(database: &Client, redis: &Client) -> Service {
    let manager = DegradationManager::builder()
        .dependency("database", 60, database.breaker.clone())
        .dependency("redis", 40, redis.breaker.clone())
        .levels(LevelRules::exact())
        .build()
        .unwrap();
    let routes = Routes::new()
        .route("/report/{id}", Criticality::Sheddable)
        .route("/checkout", Criticality::CriticalPlus);
    let app = Router::new()
        .route("/checkout", get(checkout))
        .route("/report/{id}", get(report))
        .with_state(database.clone())
        .merge(Endpoints::new(&manager).router())
        .layer(DegradationLayer::new(&manager).routes(routes));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    Service { address, manager }
}

async fn checkout(State(database): State<Client>) -> StatusCode {
    match database.call().await {
        Ok(()) => StatusCode::OK,
        Err(_) => StatusCode::BAD_GATEWAY,
    }
}

async fn report(Extension(snapshot): Extension<Arc<Snapshot>>) -> String {
    format!("writable: {}", snapshot.can_write_database())
}

/// The whole answer, as it came over the wire.
async fn ask(service: &Service, path: &str) -> String {
    let mut stream = TcpStream::connect(service.address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

fn has(answer: &str, status: u16, parts: &[&str]) {
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    for part in parts {
        assert!(answer.contains(part), "{part} is not in {answer}");
    }
}

#[tokio::test]
async fn a_dependency_that_dies_degrades_the_service_and_its_return_restores_it() {
    let (database, redis) = (Server::start().await, Server::start().await);
    let (client, cache) = (database.client("database"), redis.client("redis"));
    let service = serve(&client, &cache).await;
    has(&ask(&service, "/report/1").await, 200, &["writable: true"]);
    has(&ask(&service, "/health").await, 200, &[r#""status":"pass""#]);

    let address = database.kill().await;
    let mut watching = service.manager.subscribe();
    for _ in 0..3 {
        has(&ask(&service, "/checkout").await, 502, &[]);
    }
    watching.wait_for(|snapshot| snapshot.is_down("database")).await.unwrap();
    let rejected = ask(&service, "/report/1").await;
    let wait = rejected.split("retry-after: ").nth(1).and_then(|rest| rest.lines().next());
    let wait: u64 = wait.unwrap().parse().unwrap();
    assert!((1..=crate::dependency::WAIT.as_secs()).contains(&wait), "until the probe: {wait}");
    has(
        &rejected,
        503,
        &[
            "x-degradation-level: degraded\r\n",
            "content-type: application/problem+json\r\n",
            r#""level":"degraded""#,
        ],
    );
    has(&ask(&service, "/checkout").await, 502, &[]);
    has(&ask(&service, "/livez").await, 200, &[]);
    has(&ask(&service, "/readyz").await, 200, &[r#""level":"degraded""#]);
    let cause = "score 40: database down (open: 3 consecutive failures)";
    has(&ask(&service, "/health").await, 200, &[r#""status":"warn""#, cause]);

    let _restarted = Server::restart(address).await;
    let clock = service.manager.clock();
    clock.sleep_until(clock.now() + crate::dependency::WAIT).await;
    has(&ask(&service, "/checkout").await, 200, &[]);
    watching.wait_for(|snapshot| snapshot.score == 100).await.unwrap();
    has(&ask(&service, "/report/1").await, 200, &["writable: true"]);
}

#[tokio::test]
async fn with_all_dependencies_dead_the_service_is_critical_and_health_says_fail() {
    let (database, redis) = (Server::start().await, Server::start().await);
    let (client, cache) = (database.client("database"), redis.client("redis"));
    let service = serve(&client, &cache).await;
    database.kill().await;
    redis.kill().await;
    let mut watching = service.manager.subscribe();
    for _ in 0..3 {
        client.call().await.unwrap_err();
        cache.call().await.unwrap_err();
    }
    watching.wait_for(|snapshot| snapshot.score == 0).await.unwrap();
    has(&ask(&service, "/health").await, 503, &[r#""status":"fail""#, r#""level":"critical""#]);
    has(&ask(&service, "/readyz").await, 200, &[]);
    has(&ask(&service, "/checkout").await, 502, &[]);
    has(&ask(&service, "/report/1").await, 503, &["x-degradation-level: critical\r\n"]);
}
