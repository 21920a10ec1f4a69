//! The steps of `degradation/INTEGRATION.md` in one program: a shop that asks a service for its prices.
//!
//! Run it with `cargo run -p examples --example integration`.
#![expect(clippy::print_stdout, reason = "an example shows what happens")]

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use axum::routing::get;
use axum::{Extension, Router};
use circuit_layer::{CircuitBreaker, CircuitBreakerLayer};
use degradation::{
    Class, Criticality, DegradationLayer, DegradationManager, Endpoints, Readiness, Routes,
    Snapshot,
};
use tower::{BoxError, Layer, Service, ServiceExt, service_fn};

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), BoxError> {
    // 1. A breaker that only watches, around the client that is there already.
    let prices = CircuitBreaker::builder("prices").fail_max(2).build()?;
    prices.observe_only("trial", None);
    let client = service_fn(async |_: Request<String>| {
        let mut down = Response::new(String::new());
        *down.status_mut() = StatusCode::BAD_GATEWAY;
        Ok::<_, Infallible>(down)
    });
    let mut client = CircuitBreakerLayer::new(prices.clone()).http().layer(client);
    for _ in 0..3 {
        let answer = client.ready().await?.call(Request::new(String::new())).await?;
        assert_eq!(answer.status(), StatusCode::BAD_GATEWAY, "it rejects nothing yet");
    }
    prices.release("trial over");

    // 2. Health, for people.
    let database = CircuitBreaker::new("database");
    let manager = DegradationManager::builder()
        .dependency("database", 70, database)
        .dependency("prices", 30, prices)
        .build()?;
    let readiness = Readiness::starting();

    // 3. Classes for the routes.
    let routes = Routes::new()
        .route("/reports/{id}", Criticality::Sheddable)
        .route("/shop.Cart/Show", Class::read(Criticality::Critical));

    // 4. The layer, outside of what reads bodies. The pages come after it.
    let mut shop: Router = Router::new()
        .route("/", get(page))
        .layer(DegradationLayer::new(&manager).routes(routes))
        .merge(Endpoints::new(&manager).readiness(readiness.clone()).router());
    readiness.ready();
    assert_eq!(ask(&mut shop, "/readyz").await?.0, StatusCode::OK);
    assert_eq!(ask(&mut shop, "/").await?.1, "as in good times");

    // 6. A drill: score, level, mode and flags follow as in an outage.
    manager.drill("prices", "game day", Duration::from_secs(300))?;
    let (status, page) = ask(&mut shop, "/").await?;
    println!("in the drill: {status}, {page}; {}", manager.snapshot().cause);
    assert_eq!((status, page.as_str()), (StatusCode::OK, "without prices"));
    Ok(())
}

/// 5. Answers instead of errors: the snapshot is in the request's extensions.
async fn page(Extension(now): Extension<Arc<Snapshot>>) -> &'static str {
    let up = now.dependencies.iter().all(|one| !one.down);
    if up { "as in good times" } else { "without prices" }
}

async fn ask(shop: &mut Router, path: &str) -> Result<(StatusCode, String), BoxError> {
    let request = Request::get(path).body(Body::empty())?;
    let answer = ServiceExt::<Request<Body>>::ready(shop).await?.call(request).await?;
    let (status, body) = (answer.status(), answer.into_body());
    let bytes = axum::body::to_bytes(body, 64 * 1024).await?;
    Ok((status, String::from_utf8(bytes.to_vec())?))
}
