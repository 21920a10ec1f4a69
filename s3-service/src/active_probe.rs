//! The `HeadBucket` by which an open breaker finds out that S3 is back.
//!
//! It must not ask the breaker, or it would be rejected itself; and a breaker that somebody keeps must
//! keep neither the service nor its connections. So the service holds a second client, over the same
//! connections and without the breaker, and the breaker's question knows it only as long as that lasts.

use std::sync::{Arc, Weak};
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use circuit_layer::ActiveProbe;

use crate::classify::Judgement;
use crate::install;
use crate::operations::Target;

/// How long an answer may take, where the client's own deadline is not shorter.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Whom the breaker asks. Dropped, it asks nobody.
#[derive(Clone, Debug)]
pub(crate) struct Asked(Arc<Target>);

impl Asked {
    pub(crate) fn new(client: &Client, bucket: &str) -> Self {
        let config = client.config().to_builder().retry_config(RetryConfig::disabled());
        let client = install::remove(&Client::from_conf(config.build()));
        Self(Arc::new(Target { client, bucket: bucket.to_owned() }))
    }

    pub(crate) fn probe(&self, pause: Duration) -> ActiveProbe {
        let asked = Arc::downgrade(&self.0);
        ActiveProbe::new(move || ask(Weak::clone(&asked))).timeout(TIMEOUT).pause(pause)
    }
}

/// S3 is there whatever it answers, unless the answer says that it is not well: a bucket may be gone,
/// or be read by those who may not ask for it.
async fn ask(asked: Weak<Target>) -> Result<(), ()> {
    let target = asked.upgrade().ok_or(())?;
    match target.health_check().await {
        Err(error) if error.judgement() != Judgement::Success => Err(()),
        Ok(()) | Err(_) => Ok(()),
    }
}
