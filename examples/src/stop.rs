//! How the service ends: what is done with what it holds, and in which order.
//!
//! [`Shutdown`] keeps the order and the bounds; here is what this service has to end. The queue comes
//! first, as it holds what was acknowledged. By the time a step begins, no request is left that would
//! miss what it closes.

use std::convert::Infallible;
use std::time::Duration;

use degradation::{Readiness, Shutdown};
use s3_service::{Spool, SpoolError};

use crate::dependencies::Dependencies;
use crate::settings::Pace;

/// How long each client may take to close. Three of them and the drain fit into the 30 seconds that
/// Kubernetes gives.
const STEP: Duration = Duration::from_secs(5);

/// How long an upload that is on its way from the queue may take to end, within the step.
const ON_ITS_WAY: Duration = Duration::from_secs(4);

/// Ends the service of this readiness.
pub(crate) fn shutdown(
    readiness: &Readiness,
    pace: &Pace,
    dependencies: &Dependencies,
) -> Shutdown {
    let Dependencies { redis, s3, database, .. } = dependencies.clone();
    Shutdown::new(readiness)
        .notice(pace.notice)
        .drain_within(pace.drain)
        .step_within(STEP)
        .step("spool", async move {
            match s3.spool() {
                Some(spool) => close(spool).await,
                None => Ok(()),
            }
        })
        .step("redis", async move {
            redis.close_within(ON_ITS_WAY).await;
            Ok::<_, Infallible>(())
        })
        .step("database", async move {
            database.close().await;
            Ok::<_, Infallible>(())
        })
}

/// An upload that S3 does not take in time is cut off: it is in the folder still, and sent again at
/// the next start.
async fn close(spool: &Spool) -> Result<(), SpoolError> {
    tokio::time::timeout(ON_ITS_WAY, spool.close()).await.unwrap_or(Ok(()))
}
