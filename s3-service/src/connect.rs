//! The effects of starting: making a client, and putting the breaker in.

use std::sync::Arc;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{BehaviorVersion, Builder, Credentials, Region};
#[cfg(feature = "otel")]
use circuit_layer::metrics::{Recorder, S3 as S3_FAMILY};
use circuit_layer::{Backoff, CircuitBreaker, HealthMetrics};

use crate::active_probe::Asked;
use crate::body::{ByteCounter, ByteTotals};
use crate::builder::S3Builder;
use crate::init::InitError;
use crate::install;
use crate::interceptor::CircuitBreakerInterceptor;
use crate::ledger::{self, Ledger};
use crate::operations::Target;
use crate::service::Inner;

pub(crate) async fn client(settings: &S3Builder) -> Result<Client, InitError> {
    let is_plain = settings.endpoint.as_ref().is_some_and(|url| url.starts_with("http://"));
    if !is_plain && !cfg!(feature = "credential-chain") {
        return Err(InitError::NoTls);
    }
    let timeouts = TimeoutConfig::builder()
        .operation_timeout(settings.operation_timeout)
        .operation_attempt_timeout(settings.attempt_timeout)
        .connect_timeout(settings.connect_timeout)
        .build();
    let mut config = base(settings)
        .await?
        .region(Region::new(settings.region.clone()))
        .force_path_style(settings.path_style.unwrap_or_else(|| settings.endpoint.is_some()))
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(settings.max_attempts));
    config.set_endpoint_url(settings.endpoint.clone());
    if is_plain {
        config = config.http_client(crate::http::plain());
    }
    Ok(Client::from_conf(config.build()))
}

/// A configuration that can sign.
async fn base(settings: &S3Builder) -> Result<Builder, InitError> {
    let Some(keys) = &settings.credentials else {
        return chain().await;
    };
    let (access_key, secret_key) = (keys.access_key.clone(), keys.secret_key.clone());
    let credentials = Credentials::new(access_key, secret_key, None, None, "s3-service");
    let config = Builder::new().behavior_version(BehaviorVersion::v2026_01_12());
    Ok(config.credentials_provider(credentials))
}

#[cfg(feature = "credential-chain")]
async fn chain() -> Result<Builder, InitError> {
    let shared = aws_config::defaults(BehaviorVersion::v2026_01_12()).load().await;
    Ok(Builder::from(&shared))
}

#[cfg(not(feature = "credential-chain"))]
async fn chain() -> Result<Builder, InitError> {
    Err(InitError::MissingCredentials)
}

impl S3Builder {
    /// The service over the client that is there; nothing is asked of S3.
    pub(crate) fn assemble(&mut self) -> Result<Inner, InitError> {
        let bucket = self.bucket_name()?.to_owned();
        let client = self.client.take().ok_or(InitError::MissingCredentials)?;
        if self.breaker.is_none() && install::is_installed(&client) {
            return Err(InitError::ForeignBreaker);
        }
        let asked = self.asked_every.map(|_| Asked::new(&client, &bucket));
        let breaker = match self.breaker.take() {
            Some(breaker) => breaker,
            None => self.own_breaker(&client, asked.as_ref())?,
        };
        Ok(Inner { asked, ..service(self, bucket, &client, breaker)? })
    }

    pub(crate) fn bucket_name(&self) -> Result<&str, InitError> {
        let bucket = self.bucket.as_deref().filter(|bucket| !bucket.is_empty());
        bucket.ok_or(InitError::MissingBucket)
    }

    fn own_breaker(
        &self,
        client: &Client,
        asked: Option<&Asked>,
    ) -> Result<CircuitBreaker, InitError> {
        let timeouts = client.config().timeout_config();
        let deadline = timeouts.and_then(|timeouts| {
            timeouts.operation_attempt_timeout().or_else(|| timeouts.operation_timeout())
        });
        // An outer timeout that drops a call after this long hides no hang.
        let abandoned_after = deadline.unwrap_or(self.attempt_timeout).div_f64(2.0);
        let mut builder = CircuitBreaker::builder(self.name.as_deref().unwrap_or("s3"))
            .fail_max(self.fail_max)
            .reset_timeout(self.reset_timeout)
            .half_open_max_attempts(self.half_open_max_attempts)
            .backoff(Backoff::exponential(2.0))
            .abandoned_after(abandoned_after)
            .clock(self.clock.clone());
        if let (Some(asked), Some(pause)) = (asked, self.asked_every) {
            builder = builder.active_probe(asked.probe(pause));
        }
        Ok(builder.build()?)
    }
}

fn service(
    settings: &S3Builder,
    bucket: String,
    client: &Client,
    breaker: CircuitBreaker,
) -> Result<Inner, InitError> {
    let ledger = Arc::new(ledger(settings, &breaker)?);
    let counter: Arc<dyn ByteCounter> = Arc::<Ledger>::clone(&ledger);
    let mut interceptor = CircuitBreakerInterceptor::new(breaker.clone()).count_bytes(counter);
    if settings.spans {
        interceptor = interceptor.spans();
    }
    let client = install::replace(client, interceptor);
    let region = client.config().region().map(|region| region.as_ref().to_owned());
    let endpoint = settings.endpoint.clone();
    let target = Target { client, bucket };
    Ok(Inner {
        target,
        endpoint,
        region,
        breaker,
        ledger,
        asked: None,
        #[cfg(feature = "spool")]
        queue: None,
    })
}

#[cfg(feature = "spool")]
pub(crate) async fn queue(
    settings: &S3Builder,
    Inner { target, breaker, .. }: &Inner,
) -> Result<Option<crate::spool::Queue>, InitError> {
    let Some(spool) = &settings.spool else {
        return Ok(None);
    };
    let opened = spool.clone().clock(breaker.clock().clone()).open(&target.bucket).await?;
    Ok(Some(crate::spool::Queue::new(opened, spool.mode)))
}

#[cfg_attr(
    not(feature = "otel"),
    expect(unused_variables, reason = "only metrics are set, and fail")
)]
fn ledger(settings: &S3Builder, breaker: &CircuitBreaker) -> Result<Ledger, InitError> {
    let clock = breaker.clock().clone();
    let health = Arc::new(HealthMetrics::new(ledger::TARGET, clock.clone()));
    #[cfg(feature = "otel")]
    let recorder = match &settings.metrics {
        Some(metrics) => {
            let recorder = Recorder::new(metrics.clone(), &S3_FAMILY, settings.name.as_deref())?;
            recorder.watch(breaker, Arc::clone(&health));
            Some(recorder)
        }
        None => None,
    };
    Ok(Ledger {
        clock,
        health,
        bytes: ByteTotals::default(),
        #[cfg(feature = "otel")]
        recorder,
    })
}
