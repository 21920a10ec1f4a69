//! A recorder and a health record are called once per call of a service, for ever: neither may
//! allocate once it has seen an operation. A test binary of its own, because it counts allocations.

use std::time::Duration;

use allocation_counter::measure;
use circuit_layer::metrics::{Exporter, REDIS, Recorder, S3};
use circuit_layer::{Clock, HealthMetrics, State};

const MS: Duration = Duration::from_millis(1);

#[test]
fn counting_a_call_allocates_nothing() {
    let exporter = Exporter::new().unwrap();
    for (family, name) in [(&REDIS, None), (&S3, Some("backup"))] {
        let recorder = Recorder::new(&exporter.meter(), family, name).unwrap();
        let record = |rounds: usize| {
            for operation in (0..family.operations.len()).cycle().take(rounds) {
                recorder.success(operation, MS);
                recorder.failure(operation, operation, 20 * MS);
                recorder.rejected(operation);
                recorder.uploaded(4096);
                recorder.downloaded(4096);
            }
        };
        record(family.operations.len());
        let counted = measure(|| record(1_000));
        assert_eq!(
            counted.count_total, 0,
            "{} allocations for {}",
            counted.count_total, family.prefix
        );
    }
}

#[test]
fn recording_health_allocates_nothing() {
    let (clock, hand) = Clock::manual();
    let health = HealthMetrics::new(100 * MS, clock);
    let counted = measure(|| {
        for _ in 0..1_000 {
            hand.advance(100 * MS);
            health.record_success("get", MS);
            health.record_failure("get", 20 * MS);
            health.record_rejected("get");
            assert!(health.score(State::Closed) <= 100);
        }
    });
    assert_eq!(counted.count_total, 0, "{} allocations", counted.count_total);
}
