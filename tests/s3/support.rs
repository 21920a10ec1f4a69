//! A server with a bucket, and a service of it whose clock stands still.

use std::time::Duration;

use circuit_layer::{Clock, ManualClock};
use s3_service::test_server::S3Server;
use s3_service::{S3, S3Builder, Start};

pub(crate) const BUCKET: &str = "bucket";
pub(crate) const RESET: Duration = Duration::from_secs(60);

pub(crate) struct Rig {
    pub(crate) server: S3Server,
    pub(crate) time: ManualClock,
    pub(crate) s3: S3,
}

pub(crate) async fn server() -> S3Server {
    let server = S3Server::start().await.unwrap();
    server.create_bucket(BUCKET).await.unwrap();
    server
}

/// Settings for `server`: no retries, and a clock that only the test moves.
pub(crate) fn settings(server: &S3Server) -> (S3Builder, ManualClock) {
    let (clock, time) = Clock::manual();
    let settings = S3::builder()
        .bucket(BUCKET)
        .endpoint(server.endpoint())
        .credentials(server.access_key(), server.secret_key())
        .max_attempts(1)
        .start(Start::Lazy)
        .clock(clock);
    (settings, time)
}

pub(crate) async fn rig() -> Rig {
    rig_with(|settings| settings).await
}

pub(crate) async fn rig_with(change: impl FnOnce(S3Builder) -> S3Builder) -> Rig {
    let server = server().await;
    let (settings, time) = settings(&server);
    let s3 = change(settings).build().await.unwrap();
    Rig { server, time, s3 }
}

/// Waits, within a bound, until something has come true.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(10), async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    });
    assert!(waited.await.is_ok(), "waited in vain: {what}");
}
