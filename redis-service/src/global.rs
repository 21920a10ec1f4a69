//! One process-wide client, for programs that have no place to carry a handle.
//!
//! ```no_run
//! # async fn f() -> Result<(), Box<dyn std::error::Error>> {
//! use redis_service::{Redis, close_redis, get_redis, initialize_redis};
//!
//! initialize_redis(Redis::builder().url("redis://localhost:6379/0")).await?;
//! get_redis()?.set("greeting", "hello").await?;
//! close_redis().await?;
//! # Ok(())
//! # }
//! ```

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use crate::builder::RedisBuilder;
use crate::facade::Redis;
use crate::start::StartError;

static INSTANCE: RwLock<Option<Redis>> = RwLock::new(None);

/// How long [`close_redis`] waits for calls in flight: ten times the default deadline of a call.
const DRAIN: Duration = Duration::from_secs(5);

/// Builds the client and makes it the process-wide one.
///
/// # Errors
///
/// [`StartError::AlreadyInitialized`] if there is one: close it first. Else as
/// [`RedisBuilder::connect`].
///
/// # Cancellation
///
/// Dropped, it has changed nothing.
///
/// # Panics
///
/// Outside a tokio runtime.
pub async fn initialize_redis(builder: RedisBuilder) -> Result<Redis, StartError> {
    if get_redis().is_ok() {
        return Err(StartError::AlreadyInitialized);
    }
    let redis = builder.connect().await?;
    let mut instance = INSTANCE.write().unwrap_or_else(PoisonError::into_inner);
    if instance.is_some() {
        // Somebody was faster while this one connected.
        return Err(StartError::AlreadyInitialized);
    }
    *instance = Some(redis.clone());
    drop(instance);
    Ok(redis)
}

/// The process-wide client.
///
/// # Errors
///
/// [`StartError::NotInitialized`] before [`initialize_redis`] and after [`close_redis`].
pub fn get_redis() -> Result<Redis, StartError> {
    let instance = INSTANCE.read().unwrap_or_else(PoisonError::into_inner);
    instance.clone().ok_or(StartError::NotInitialized)
}

/// Takes the process-wide client away, so that [`initialize_redis`] may be called again, refuses new
/// calls on all handles that are out, and waits for those in flight: at most 5 seconds, after which
/// they are left to their own deadlines.
///
/// # Errors
///
/// [`StartError::NotInitialized`] if there is none.
///
/// # Cancellation
///
/// The client is gone, and its calls stay refused.
pub async fn close_redis() -> Result<(), StartError> {
    let closed = INSTANCE.write().unwrap_or_else(PoisonError::into_inner).take();
    let redis = closed.ok_or(StartError::NotInitialized)?;
    if !redis.close_within(DRAIN).await {
        let in_flight = redis.get_status().pool.in_flight;
        tracing::warn!(in_flight, "redis was closed while calls were in flight");
    }
    Ok(())
}
