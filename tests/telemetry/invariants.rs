//! What holds whatever the calls were, and however many threads made them.

use std::time::Duration;

use circuit_layer::metrics::{Exporter, Family, Metrics, REDIS, Recorder, S3};
use proptest::prelude::*;

use crate::scrape::{series, sum};

#[derive(Clone, Copy, Debug)]
enum Call {
    Success(usize, Duration),
    Failure(usize, usize, Duration),
    Rejected(usize),
    Bytes(u32, u32),
}

fn call() -> impl Strategy<Value = Call> {
    // Past the end of every list, too: the catch-all takes those.
    let (operation, error) = (0..26_usize, 0..11_usize);
    let latency = (0..30_000_000_u64).prop_map(Duration::from_micros);
    prop_oneof![
        (operation.clone(), latency.clone()).prop_map(|(op, latency)| Call::Success(op, latency)),
        (operation.clone(), error, latency)
            .prop_map(|(op, error, latency)| Call::Failure(op, error, latency)),
        operation.prop_map(Call::Rejected),
        any::<(u32, u32)>().prop_map(|(up, down)| Call::Bytes(up, down)),
    ]
}

fn record(recorder: &Recorder, call: Call) {
    match call {
        Call::Success(operation, latency) => recorder.success(operation, latency),
        Call::Failure(operation, error, latency) => recorder.failure(operation, error, latency),
        Call::Rejected(operation) => recorder.rejected(operation),
        Call::Bytes(up, down) => {
            recorder.uploaded(u64::from(up));
            recorder.downloaded(u64::from(down));
        }
    }
}

fn count(calls: &[Vec<Call>], matching: impl Fn(&Call) -> bool) -> f64 {
    let count = calls.iter().flatten().filter(|call| matching(call)).count();
    f64::from(u32::try_from(count).unwrap())
}

fn check(family: &'static Family, calls: &[Vec<Call>]) -> Result<(), TestCaseError> {
    let exporter = Exporter::new().unwrap();
    let metrics = Metrics::new(&exporter.meter());
    let recorder = Recorder::new(&metrics, family, None).unwrap();
    std::thread::scope(|scope| {
        for calls in calls {
            let recorder = recorder.clone();
            scope.spawn(move || calls.iter().for_each(|call| record(&recorder, *call)));
        }
        for _ in 0..3 {
            series(&exporter);
        }
    });

    let all = series(&exporter);
    let name = |what| format!("{}_{what}", family.prefix);
    let requests = |labels: &[&str]| sum(&all, &name("requests_total"), labels);
    for operation in family.operations {
        let operation = &format!("operation=\"{operation}\"");
        let answered =
            requests(&[operation, "\"success\""]) + requests(&[operation, "\"failure\""]);
        prop_assert_eq!(sum(&all, &name("latency_seconds_count"), &[operation]), answered);
        let errors = sum(&all, &name("errors_total"), &[operation]);
        prop_assert_eq!(errors, requests(&[operation, "\"failure\""]));
    }
    prop_assert_eq!(requests(&["\"success\""]), count(calls, |c| matches!(c, Call::Success(..))));
    prop_assert_eq!(requests(&["\"failure\""]), count(calls, |c| matches!(c, Call::Failure(..))));
    prop_assert_eq!(requests(&["\"rejected\""]), count(calls, |c| matches!(c, Call::Rejected(_))));
    if family.bytes {
        let moved = |upload: bool| -> f64 {
            calls
                .iter()
                .flatten()
                .map(|call| match call {
                    Call::Bytes(up, down) => f64::from(if upload { *up } else { *down }),
                    Call::Success(..) | Call::Failure(..) | Call::Rejected(_) => 0.0,
                })
                .sum()
        };
        prop_assert_eq!(sum(&all, "s3_bytes_transferred", &["\"upload\""]), moved(true));
        prop_assert_eq!(sum(&all, "s3_bytes_transferred", &["\"download\""]), moved(false));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..Default::default() })]

    #[test]
    fn latencies_are_the_answered_calls_and_errors_the_failed_ones(
        calls in prop::collection::vec(prop::collection::vec(call(), 0..250), 4),
    ) {
        check(&REDIS, &calls)?;
        check(&S3, &calls)?;
    }
}

/// The random calls above seldom meet on one series; these always do.
#[test]
fn no_call_is_lost_where_threads_meet() {
    const CALLS: u32 = 20_000;
    let exporter = Exporter::new().unwrap();
    let recorder = Recorder::new(&exporter.meter(), &S3, None).unwrap();
    let latency = Duration::from_millis(250);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..CALLS {
                    recorder.success(0, latency);
                    recorder.failure(0, 0, latency);
                    recorder.rejected(0);
                    recorder.uploaded(3);
                }
            });
        }
    });
    let (all, each) = (series(&exporter), f64::from(4 * CALLS));
    for (metric, label, expected) in [
        ("s3_requests_total", "\"success\"", each),
        ("s3_requests_total", "\"failure\"", each),
        ("s3_requests_total", "\"rejected\"", each),
        ("s3_errors_total", "\"timeout\"", each),
        ("s3_latency_seconds_count", "\"upload\"", 2.0 * each),
        ("s3_bytes_transferred", "\"upload\"", 3.0 * each),
    ] {
        assert_eq!(sum(&all, metric, &[label]), expected, "{metric} {label}");
    }
}
