//! An axum server behind breakers: a whole router in one line, and one dependency inside a handler.
//!
//! Run it with `cargo run -p examples --example axum_server`: it starts, asks itself, and stops.
#![expect(clippy::print_stdout, reason = "an example shows what happens")]

use std::io;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use circuit_layer::http::unavailable;
use circuit_layer::{CircuitBreaker, CircuitBreakerLayer, Error};
use tokio::net::TcpListener;
use tower::{Layer, ServiceExt};

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let reports = CircuitBreaker::builder("reports").fail_max(3).build()?;
    let prices = CircuitBreaker::builder("prices").fail_max(3).build()?;

    // One line, no error handler: 5xx count, and a rejection is a 503 with Retry-After.
    let layer = CircuitBreakerLayer::new(reports.clone()).http().on_rejected(unavailable);
    let app = Router::new()
        .route("/reports", get(async || StatusCode::INTERNAL_SERVER_ERROR))
        .layer(layer.clone())
        .merge(Router::new().route("/prices", get(ask_for_prices)).with_state(prices.clone()));

    let socket = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", socket.local_addr()?);
    let server = tokio::spawn(axum::serve(socket, app).into_future());
    for path in ["/reports", "/prices"] {
        let mut statuses = Vec::new();
        for _ in 0..4 {
            let response = reqwest::get(format!("{url}{path}")).await?;
            let wait = response.headers().get(RETRY_AFTER).and_then(|wait| wait.to_str().ok());
            println!("{path}: {}, retry-after {}", response.status(), wait.unwrap_or("none"));
            statuses.push((response.status().as_u16(), wait.is_some()));
        }
        assert_eq!(statuses.last(), Some(&(503, true)), "the fourth is rejected");
    }
    server.abort();

    // Frameworks apply a layer again for each route, connection or request. It stays one breaker.
    let again = layer.layer(Router::new().route("/reports", get(async || "fine")));
    let request = axum::extract::Request::get("/reports").body(axum::body::Body::empty())?;
    let response = again.oneshot(request).await?;
    println!("applied again: {}, the breaker is {}", response.status(), reports.state());
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    Ok(())
}

/// Where the handler itself is well and what it leans on is not.
async fn ask_for_prices(State(breaker): State<CircuitBreaker>) -> Response {
    let nobody_is_there =
        async { Err::<String, _>(io::Error::from(io::ErrorKind::ConnectionRefused)) };
    match breaker.call(nobody_is_there).await {
        Ok(prices) => prices.into_response(),
        Err(Error::Rejected(rejected)) => rejected.into(),
        Err(Error::Inner(error)) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}
