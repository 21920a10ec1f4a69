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

#[test]
fn a_call_through_a_breaker_allocates_nothing_whether_it_is_closed_or_open() {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use circuit_layer::{CircuitBreaker, CircuitBreakerLayer};
    use tower::{Layer, Service, service_fn};

    let breaker = CircuitBreaker::new("allocations");
    let echo = service_fn(|n: u64| async move { Ok::<_, std::io::Error>(n) });
    let mut service = CircuitBreakerLayer::new(breaker.clone()).layer(echo);
    let mut call = |admitted: bool| {
        let mut context = Context::from_waker(Waker::noop());
        assert!(service.poll_ready(&mut context).is_ready());
        let answer = pin!(service.call(1)).poll(&mut context);
        assert!(matches!(answer, Poll::Ready(answer) if answer.is_ok() == admitted));
    };
    call(true);
    let closed = measure(|| (0..1_000).for_each(|_| call(true)));
    breaker.force_open("test", Some(3_600_000 * MS));
    call(false);
    let open = measure(|| (0..1_000).for_each(|_| call(false)));
    assert_eq!((closed.count_total, open.count_total), (0, 0));
}

#[test]
fn spans_allocate_nothing_until_somebody_listens() {
    use redis_service::{Memory, Redis};

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let count = |redis: &Redis| {
        let calls = async || {
            for _ in 0..100 {
                assert_eq!(redis.get::<String>("k").await.unwrap(), None);
            }
        };
        runtime.block_on(calls());
        measure(|| runtime.block_on(calls())).count_total
    };
    let connect = |builder: redis_service::RedisBuilder| {
        runtime.block_on(builder.memory(&Memory::new()).connect()).unwrap()
    };
    let without = count(&connect(Redis::builder()));
    let unheard = count(&connect(Redis::builder().spans()));
    let (_spans, listening) = tests::spans::Spans::listen();
    let heard = count(&connect(Redis::builder().spans()));
    drop(listening);
    assert_eq!(unheard, without);
    assert!(heard >= without + 100, "one at the least for each span: {heard} to {without}");
}

#[test]
fn memory_is_flat_from_the_second_round_of_a_thousand_breakers() {
    use circuit_layer::{CircuitBreaker, FailureRate, Window};

    let round = || {
        let breakers: Vec<CircuitBreaker> = (0..1_000)
            .map(|_| {
                let policy = FailureRate::new(0.5, Window::calls(100));
                CircuitBreaker::builder("round").policy(policy).build().unwrap()
            })
            .collect();
        let late: Vec<_> = breakers.iter().map(|breaker| breaker.try_acquire().unwrap()).collect();
        for breaker in &breakers {
            for _ in 0..200 {
                breaker.try_acquire().unwrap().success();
            }
        }
        drop(breakers);
        // Permits that outlive their breakers hold nothing of them.
        drop(late);
    };
    let first = measure(round);
    assert!(first.bytes_current > 0, "the cells stay");
    let second = measure(round);
    assert_eq!(second.bytes_current, 0);
}
