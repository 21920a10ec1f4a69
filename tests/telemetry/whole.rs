//! The whole stack: a hundred thousand calls through a service, its breaker and its metrics, of
//! which some are dropped, some panic and some are rejected.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use circuit_layer::metrics::{Exporter, REDIS, Recorder};
use circuit_layer::{CircuitBreaker, Error, FailureRate, HealthMetrics, Window};
use futures_util::FutureExt;

use crate::scrape::{series, sum};

const TASKS: u64 = 4;
const EACH: u64 = 25_000;

/// What the callers counted themselves.
#[derive(Default)]
struct Seen {
    succeeded: AtomicU64,
    failed: AtomicU64,
    rejected: AtomicU64,
    dropped: AtomicU64,
}

#[derive(Debug, thiserror::Error)]
#[error("down")]
struct Down;

/// One call as a service makes it, its operation and its fate drawn by lot.
async fn call(breaker: &CircuitBreaker, recorder: &Recorder, seen: &Seen, lot: u64) {
    let operation = usize::try_from(lot % 24).unwrap();
    let latency = Duration::from_micros(lot % 5_000);
    let work = async {
        assert_ne!(lot % 10, 1, "told to panic");
        match lot % 10 {
            0 => Err(Down),
            2 => pending().await,
            _ => Ok(()),
        }
    };
    let guarded = std::panic::AssertUnwindSafe(breaker.call(work)).catch_unwind();
    let ended = tokio::select! {
        biased;
        ended = guarded => Some(ended),
        () = std::future::ready(()) => None,
    };
    let count = |counter: &AtomicU64| counter.fetch_add(1, Ordering::Relaxed);
    match ended {
        Some(Ok(Ok(()))) => {
            recorder.success(operation, latency);
            count(&seen.succeeded);
        }
        Some(Ok(Err(Error::Rejected(_)))) => {
            recorder.rejected(operation);
            count(&seen.rejected);
        }
        Some(Ok(Err(Error::Inner(Down))) | Err(_)) => {
            recorder.failure(operation, operation, latency);
            count(&seen.failed);
        }
        None => {
            count(&seen.dropped);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn after_a_hundred_thousand_calls_the_families_agree_with_each_other_and_with_the_callers() {
    std::panic::set_hook(Box::new(|_| {}));
    let exporter = Exporter::new().unwrap();
    let recorder = Recorder::new(&exporter.meter(), &REDIS, None).unwrap();
    let policy = FailureRate::new(0.5, Window::calls(10));
    let breaker = CircuitBreaker::builder("whole")
        .policy(policy)
        .reset_timeout(Duration::from_millis(1))
        .build()
        .unwrap();
    recorder.watch(
        &breaker,
        Arc::new(HealthMetrics::new(Duration::from_millis(100), breaker.clock().clone())),
    );
    let seen = Arc::new(Seen::default());
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let (breaker, recorder, seen) = (breaker.clone(), recorder.clone(), Arc::clone(&seen));
            tokio::spawn(async move {
                // A generator of its own for each task, so that a run can be repeated.
                let mut lot = task + 1;
                for _ in 0..EACH {
                    lot = lot
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1_442_695_040_888_963_407);
                    call(&breaker, &recorder, &seen, lot >> 33).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }

    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let float = |count: u64| f64::from(u32::try_from(count).unwrap());
    let (succeeded, failed) = (count(&seen.succeeded), count(&seen.failed));
    let (rejected, dropped) = (count(&seen.rejected), count(&seen.dropped));
    assert_eq!(succeeded + failed + rejected + dropped, TASKS * EACH);
    assert!(failed > 0 && rejected > 0 && dropped > 0, "{failed} {rejected} {dropped}");
    assert_eq!(breaker.snapshot().rejected, rejected);
    assert_eq!(breaker.snapshot().probes_in_flight, 0, "no permit has leaked");

    let all = series(&exporter);
    let requests = |label: &str| sum(&all, "redis_requests_total", &[label]);
    assert_eq!(requests("\"success\""), float(succeeded));
    assert_eq!(requests("\"failure\""), float(failed));
    assert_eq!(requests("\"rejected\""), float(rejected));
    for operation in REDIS.operations {
        let operation = &format!("operation=\"{operation}\"");
        let of = |label: &str| sum(&all, "redis_requests_total", &[operation, label]);
        let answered = of("\"success\"") + of("\"failure\"");
        assert_eq!(sum(&all, "redis_latency_seconds_count", &[operation]), answered);
        assert_eq!(sum(&all, "redis_errors_total", &[operation]), of("\"failure\""));
    }
}
