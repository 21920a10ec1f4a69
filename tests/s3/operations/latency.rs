//! The targets of the system that this one succeeds, on the server in the process.

use std::time::{Duration, Instant};

use s3_service::{List, Upload};

use crate::support::rig_with;

const CALLS: usize = 20;
const MIB: usize = 1024 * 1024;

/// Holds the 99th percentile, which of 20 calls is the slowest, to what is acceptable, and reports
/// the median beside its target.
async fn check(what: &str, target: Duration, acceptable: Duration, mut call: impl AsyncFnMut()) {
    let mut times = Vec::new();
    for _ in 0..CALLS {
        #[expect(clippy::disallowed_methods, reason = "what a caller's watch says is the claim")]
        let began = Instant::now();
        call().await;
        #[expect(clippy::disallowed_methods, reason = "what a caller's watch says is the claim")]
        let took = began.elapsed();
        times.push(took);
    }
    times.sort();
    let (median, slowest) = (times[CALLS.div_euclid(2)], times[CALLS - 1]);
    let verdict = if median <= target { "within" } else { "MISSES" };
    println!("{what}: p50 {median:?} {verdict} the target of {target:?}, p99 {slowest:?}");
    assert!(slowest <= acceptable, "{what} took {slowest:?}");
}

#[tokio::test]
async fn a_mebibyte_and_a_page_take_no_longer_than_acceptable() {
    let rig = rig_with(|settings| settings.attempt_timeout(Duration::from_secs(30))).await;
    let s3 = &rig.s3;
    check("UPLOAD", Duration::from_secs(5), Duration::from_secs(30), async || {
        s3.upload(Upload::new("k", vec![7; MIB])).await.unwrap();
    })
    .await;
    check("DOWNLOAD", Duration::from_secs(5), Duration::from_secs(30), async || {
        assert_eq!(s3.download("k").await.unwrap().into_bytes().await.unwrap().len(), MIB);
    })
    .await;
    check("LIST", Duration::from_secs(2), Duration::from_secs(10), async || {
        assert_eq!(s3.list(List::new()).await.unwrap().objects.len(), 1);
    })
    .await;
}
