//! The targets of the system that this one succeeds, on the server in the process.

use std::time::{Duration, Instant};

use s3_service::{List, Upload};

use crate::support::rig_with;

const CALLS: usize = 20;
const MIB: usize = 1024 * 1024;

/// The 99th percentile of 20 calls is their slowest.
async fn check(what: &str, acceptable: Duration, mut call: impl AsyncFnMut()) {
    let mut slowest = Duration::ZERO;
    for _ in 0..CALLS {
        #[expect(clippy::disallowed_methods, reason = "what a caller's watch says is the claim")]
        let began = Instant::now();
        call().await;
        #[expect(clippy::disallowed_methods, reason = "what a caller's watch says is the claim")]
        let took = began.elapsed();
        slowest = slowest.max(took);
    }
    assert!(slowest <= acceptable, "{what} took {slowest:?}");
}

#[tokio::test]
async fn a_mebibyte_and_a_page_take_no_longer_than_acceptable() {
    let rig = rig_with(|settings| settings.attempt_timeout(Duration::from_secs(30))).await;
    let s3 = &rig.s3;
    check("UPLOAD", Duration::from_secs(30), async || {
        s3.upload(Upload::new("k", vec![7; MIB])).await.unwrap();
    })
    .await;
    check("DOWNLOAD", Duration::from_secs(30), async || {
        assert_eq!(s3.download("k").await.unwrap().into_bytes().await.unwrap().len(), MIB);
    })
    .await;
    check("LIST", Duration::from_secs(10), async || {
        assert_eq!(s3.list(List::new()).await.unwrap().objects.len(), 1);
    })
    .await;
}
