//! How long the dependency asks to be left alone.

use std::time::Duration;

use circuit_layer::http::retry_after;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::support::{Script, answer, breaker, status};

const DATE: &str = "Wed, 21 Oct 2015 07:28:00 GMT";
const LATER: &str = "Wed, 21 Oct 2015 07:30:05 GMT";

fn check(headers: &[(&'static str, &'static str)], seconds: Option<f64>) {
    let map: HeaderMap = headers
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        .collect();
    assert_eq!(retry_after(&map), seconds.map(Duration::from_secs_f64), "{headers:?}");
}

#[test]
fn seconds_dates_and_pushback_are_understood_and_nothing_else() {
    check(&[], None);
    check(&[("retry-after", "120")], Some(120.0));
    check(&[("retry-after", " 0 ")], Some(0.0));
    check(&[("retry-after", "-1")], None);
    check(&[("retry-after", "1.5")], None);
    check(&[("retry-after", "soon")], None);
    check(&[("retry-after", LATER), ("date", DATE)], Some(125.0));
    check(&[("retry-after", DATE), ("date", LATER)], Some(0.0));
    check(&[("retry-after", LATER)], None);
    check(&[("grpc-retry-pushback-ms", "1500"), ("retry-after", "120")], Some(1.5));
    check(&[("grpc-retry-pushback-ms", "-1")], None);
    check(&[("retry-after", "99999999999999999999")], None);
}

#[tokio::test]
async fn a_503_that_trips_says_how_long_to_wait() {
    let (breaker, _) = breaker();
    let response = status(503).header("retry-after", "7").body(Script::default()).unwrap();
    answer(&breaker, response).await;
    assert_eq!(breaker.snapshot().retry_after, Some(Duration::from_secs(7)));
}
