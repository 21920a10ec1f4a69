//! A breaker in a tower stack: with the defaults, and to measure.
//!
//! Run it with `cargo run -p examples --example service_builder`.
#![expect(clippy::print_stdout, reason = "an example shows what happens")]

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use circuit_layer::{Backoff, BoxErrors, CircuitBreaker, CircuitBreakerLayer, Outcome, State};
use tower::timeout::error::Elapsed;
use tower::{BoxError, Service, ServiceBuilder, ServiceExt, service_fn};

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), BoxError> {
    defaults().await?;
    to_measure().await
}

/// Five errors in a row open it for a minute.
async fn defaults() -> Result<(), BoxError> {
    let breaker = CircuitBreaker::new("search");
    let mut search = ServiceBuilder::new()
        .layer(CircuitBreakerLayer::new(breaker.clone()))
        .service(service_fn(|query: &'static str| async move {
            Err::<Infallible, _>(io::Error::other(format!("no answer to {query}")))
        }));
    for call in 1..=6 {
        let answer = search.ready().await?.call("rust").await;
        println!("search, call {call}: {answer:?}, then {}", breaker.state());
    }
    assert_eq!(breaker.state(), State::Open, "by the fifth");
    Ok(())
}

/// The order is the point: the timeout is inside, so the breaker learns of a hang; the limit is
/// inside too, so waiting for it is not held against the dependency.
async fn to_measure() -> Result<(), BoxError> {
    let breaker = CircuitBreaker::builder("reports")
        .fail_max(2)
        .reset_timeout(Duration::from_secs(10))
        .backoff(Backoff::exponential(2.0))
        .half_open_max_attempts(1)
        .build()?;
    let judge = BoxErrors(|result: &Result<u16, BoxError>| match result {
        Ok(status) if *status >= 500 => Outcome::failure("server"),
        Ok(_) => Outcome::Success,
        Err(error) if error.is::<Elapsed>() => Outcome::failure("timeout"),
        Err(_) => Outcome::failure("transport"),
    });
    let mut reports = ServiceBuilder::new()
        .layer(CircuitBreakerLayer::new(breaker.clone()).classify(judge))
        .concurrency_limit(8)
        .timeout(Duration::from_millis(50))
        .service(service_fn(|number: u32| async move {
            if number == 2 {
                std::future::pending::<()>().await;
            }
            Ok::<u16, Infallible>(503)
        }));
    for number in 1..=3 {
        let answer = reports.ready().await.map_err(in_words)?.call(number).await;
        println!("report {number}: {answer:?}, then {}", breaker.state());
    }
    assert_eq!(breaker.state(), State::Open, "a 503 and a hang are two failures");
    Ok(())
}

/// A boxed error is no error itself, so the breaker's error around it is none either.
fn in_words(error: circuit_layer::Error<BoxError>) -> BoxError {
    match error {
        circuit_layer::Error::Rejected(rejected) => rejected.into(),
        circuit_layer::Error::Inner(inner) => inner,
    }
}
