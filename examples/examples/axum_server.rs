//! An HTTP server that answers 503 with `Retry-After` while what it leans on is down.
//!
//! Run it with `cargo run -p examples --example axum_server`: it starts, asks itself, and stops.
#![expect(clippy::print_stdout, reason = "an example shows what happens")]

use std::io;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use circuit_layer::{CircuitBreaker, Error};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let breaker = CircuitBreaker::builder("prices").fail_max(3).build()?;
    let app = Router::new().route("/prices", get(prices)).with_state(breaker);
    let socket = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/prices", socket.local_addr()?);
    let server = tokio::spawn(axum::serve(socket, app).into_future());

    for _ in 0..5 {
        let response = reqwest::get(&url).await?;
        let wait = response.headers().get(RETRY_AFTER).and_then(|wait| wait.to_str().ok());
        println!("{}, retry-after {}", response.status(), wait.unwrap_or("none"));
    }
    server.abort();
    Ok(())
}

async fn prices(State(breaker): State<CircuitBreaker>) -> Response {
    match breaker.call(ask_for_prices()).await {
        Ok(prices) => prices.into_response(),
        Err(Error::Rejected(rejected)) => {
            let wait = whole_seconds(rejected.retry_after().unwrap_or_default());
            let header = [(RETRY_AFTER, HeaderValue::from(wait))];
            (StatusCode::SERVICE_UNAVAILABLE, header, rejected.to_string()).into_response()
        }
        Err(Error::Inner(error)) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

/// The dependency: nobody is there.
async fn ask_for_prices() -> io::Result<String> {
    Err(io::ErrorKind::ConnectionRefused.into())
}

/// Rounded up: who comes back early comes for nothing.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1)
}
