//! The health of a dependency as the JSON that a page or another service reads.

use std::time::Duration;

use circuit_layer::{CircuitBreaker, Clock, HealthMetrics, Moment};

#[test]
fn a_health_report_reads_well_as_json() {
    let (clock, hand) = Clock::manual();
    let breaker = CircuitBreaker::builder("redis").clock(clock.clone()).build().unwrap();
    let health = HealthMetrics::new(Duration::from_millis(100), clock);
    let clock_ms = u64::try_from((hand.now() - Moment::default()).as_millis()).unwrap();
    health.record_success("get", Duration::from_micros(1_500));
    health.record_rejected("set");
    breaker.force_open("maintenance", None);

    let mut json = serde_json::to_value(health.report(&breaker.snapshot())).unwrap();
    for operation in json["recent"].as_array_mut().unwrap() {
        let wall = operation.as_object_mut().unwrap().remove("unix_ms").unwrap();
        assert!(wall.as_u64().unwrap() > 1_700_000_000_000, "{wall} is not this century");
    }
    assert_eq!(
        json,
        serde_json::json!({
            "state": "open",
            "score": 0,
            "success_rate": 1.0,
            "requests": 2,
            "successes": 1,
            "failures": 0,
            "rejected": 1,
            "average_ms": 1.5,
            "p50_ms": 1.5,
            "p99_ms": 1.5,
            "recent": [
                { "clock_ms": clock_ms, "operation": "set", "outcome": "rejected", "latency_ms": 0.0 },
                { "clock_ms": clock_ms, "operation": "get", "outcome": "success", "latency_ms": 1.5 },
            ],
        })
    );
}
