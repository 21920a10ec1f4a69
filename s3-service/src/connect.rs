//! The effects of starting: making a client, putting the breaker in, asking for the bucket.

use std::sync::Arc;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{BehaviorVersion, Builder, Credentials, Region};
#[cfg(feature = "otel")]
use circuit_layer::metrics::{Recorder, S3 as S3_FAMILY};
use circuit_layer::{CircuitBreaker, HealthMetrics};

use crate::body::{ByteCounter, ByteTotals};
use crate::builder::S3Builder;
use crate::facade::S3;
use crate::init::{InitError, Start};
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

pub(crate) async fn service(
    settings: &S3Builder,
    bucket: String,
    client: &Client,
    breaker: CircuitBreaker,
) -> Result<S3, InitError> {
    let ledger = Arc::new(ledger(settings, &breaker)?);
    let counter: Arc<dyn ByteCounter> = Arc::<Ledger>::clone(&ledger);
    let interceptor = CircuitBreakerInterceptor::new(breaker.clone()).count_bytes(counter);
    let client = install::replace(client, interceptor);
    let region = client.config().region().map(|region| region.as_ref().to_owned());
    let endpoint = settings.endpoint.clone();
    #[cfg(feature = "spool")]
    let queue = queue(settings, &bucket, &breaker).await?;
    let target = Target { client, bucket };
    let s3 = S3 {
        inner: Arc::new(Inner {
            target,
            endpoint,
            region,
            breaker,
            ledger,
            #[cfg(feature = "spool")]
            queue,
        }),
    };
    if settings.start == Start::Strict
        && let Err(source) = s3.health_check().await
    {
        return Err(InitError::Bucket { bucket: s3.bucket().to_owned(), source });
    }
    #[cfg(feature = "spool")]
    if let (Some(queue), Some(spool)) = (&s3.inner.queue, &settings.spool) {
        queue.start(&s3.inner, spool.uploads());
    }
    Ok(s3)
}

#[cfg(feature = "spool")]
async fn queue(
    settings: &S3Builder,
    bucket: &str,
    breaker: &CircuitBreaker,
) -> Result<Option<crate::spool::Queue>, InitError> {
    let Some(spool) = &settings.spool else {
        return Ok(None);
    };
    let opened = spool.clone().clock(breaker.clock().clone()).open(bucket).await?;
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
