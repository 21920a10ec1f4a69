//! Callers who do not wait.

use std::time::Duration;

use bytes::Bytes;
use circuit_layer::State;
use s3_service::Upload;

use crate::support::{Frames, Then, rig_with, until};

/// Half-open with one slot is the strictest witness: a permit that is not given back keeps it taken.
#[tokio::test]
async fn four_hundred_calls_cancelled_at_any_moment_leak_no_permit() {
    let change = |settings: s3_service::S3Builder| {
        settings.fail_max(1).half_open_max_attempts(1).attempt_timeout(Duration::from_secs(60))
    };
    let rig = rig_with(change).await;
    let breaker = rig.s3.breaker().clone();
    rig.s3.upload(Upload::new("k", vec![7; 10_000])).await.unwrap();
    let (mut cancelled, mut answered) = (0, 0);
    for n in 0..400_u32 {
        breaker.reset("the next round");
        breaker.force_open("half-open comes after it", Some(Duration::from_secs(1)));
        rig.time.advance(Duration::from_secs(2));
        let s3 = rig.s3.clone();
        let call = tokio::spawn(async move {
            match n % 4 {
                0 => drop(s3.upload(Upload::new("k", vec![7; 10_000])).await),
                1 => drop(s3.head("k").await),
                2 => drop(s3.health_check().await),
                _ => {
                    let Ok(object) = s3.download("k").await else { return };
                    drop(object.into_bytes().await);
                }
            }
        });
        // Each round is let run for another number of turns of the scheduler.
        for _ in 0..n {
            tokio::task::yield_now().await;
        }
        call.abort();
        match call.await {
            Ok(()) => answered += 1,
            Err(ended) => cancelled += i32::from(ended.is_cancelled()),
        }
        assert_eq!(breaker.snapshot().probes_in_flight, 0, "after {n} turns");
    }
    assert!(cancelled > 20 && answered > 20, "{cancelled} cancelled, {answered} answered");
    breaker.reset("done");
    assert_eq!(breaker.state(), State::Closed);
    rig.s3.head("k").await.unwrap();
}

#[tokio::test]
async fn a_caller_who_gives_up_early_says_nothing_and_one_who_waited_long_tells_of_a_hang() {
    for (waited, state, failures) in [(4, State::Closed, 0), (6, State::Open, 1)] {
        let rig = rig_with(|settings| settings.fail_max(1)).await;
        rig.server.inject(s3_service::test_server::Fault::Stall);
        let asked = rig.server.requests();
        let s3 = rig.s3.clone();
        let call = tokio::spawn(async move { s3.head("k").await });
        until("the call arrives", || rig.server.requests() > asked).await;
        rig.time.advance(Duration::from_secs(waited));
        call.abort();
        assert!(call.await.unwrap_err().is_cancelled());
        assert_eq!(rig.s3.breaker().state(), state, "half of the deadline of 10 s is 5 s");
        let report = rig.s3.get_health().report;
        assert_eq!(
            (report.requests, report.failures),
            (failures, failures),
            "as the breaker has it"
        );
    }
}

/// What a service that passes uploads on meets whenever a client of its own hangs up.
#[tokio::test]
async fn an_upload_that_is_dropped_while_its_source_has_nothing_to_give_says_nothing_of_s3() {
    let rig = rig_with(|settings| settings.fail_max(1)).await;
    let (asked, s3) = (rig.server.requests(), rig.s3.clone());
    let body = Frames::of([Bytes::from_static(b"a")]).missing(1).then(Then::Wait);
    let call = tokio::spawn(async move { s3.upload(Upload::new("k", body)).await });
    until("the call arrives", || rig.server.requests() > asked).await;
    rig.time.advance(Duration::from_secs(60));
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    assert_eq!(rig.s3.breaker().state(), State::Closed);
    assert_eq!(rig.s3.get_health().report.requests, 0);
}
