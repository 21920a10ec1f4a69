//! One process-wide instance, for programs that have no place to carry a handle.

use std::sync::{PoisonError, RwLock};

use crate::builder::S3Builder;
use crate::facade::S3;
use crate::init::InitError;

static INSTANCE: RwLock<Option<S3>> = RwLock::new(None);

/// Builds the service and makes it the process-wide one.
///
/// # Errors
/// [`InitError::AlreadyInitialized`] if there is one: close it first. Else as
/// [`S3Builder::build`].
///
/// # Cancellation
/// Dropped, it has changed nothing.
pub async fn initialize_s3(settings: S3Builder) -> Result<S3, InitError> {
    if get_s3().is_ok() {
        return Err(InitError::AlreadyInitialized);
    }
    let s3 = settings.build().await?;
    let mut instance = INSTANCE.write().unwrap_or_else(PoisonError::into_inner);
    if instance.is_some() {
        // Somebody was faster while this one was being built.
        return Err(InitError::AlreadyInitialized);
    }
    *instance = Some(s3.clone());
    drop(instance);
    Ok(s3)
}

/// The process-wide service.
///
/// # Errors
/// [`InitError::NotInitialized`] before [`initialize_s3`] and after [`close_s3`].
pub fn get_s3() -> Result<S3, InitError> {
    let instance = INSTANCE.read().unwrap_or_else(PoisonError::into_inner);
    instance.clone().ok_or(InitError::NotInitialized)
}

/// Forgets the process-wide service; [`initialize_s3`] may then be called again. Handles that are
/// out go on working, and its connections close with the last of them. Its upload queue is closed
/// for good: what is on its way is waited for, and what waits is there for the next service.
///
/// # Errors
/// [`InitError::NotInitialized`] if there is none; `InitError::Spool` if the queue can not be synced.
///
/// # Cancellation
/// Dropped, it has forgotten the service.
pub async fn close_s3() -> Result<(), InitError> {
    let closed = INSTANCE.write().unwrap_or_else(PoisonError::into_inner).take();
    let closed = closed.ok_or(InitError::NotInitialized)?;
    #[cfg(feature = "spool")]
    if let Some(spool) = closed.spool() {
        spool.close().await?;
    }
    drop(closed);
    Ok(())
}
