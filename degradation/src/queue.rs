//! A queue that operators can look into.
//!
//! While S3 is down, uploads wait on a disk. Somebody must be able to see how many, to try one
//! again now, and to give one up. This crate does not know the queue of another; it asks a
//! [`QueueSource`], which is a few lines over that queue's own interface.

use std::pin::Pin;
use std::sync::Arc;

use thiserror::Error;

use crate::status::QueueStatus;

/// The future of what a [`QueueSource`] is asked to do.
pub type QueueFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, QueueError>> + Send + 'a>>;

/// Why a queue did not do what it was asked to.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum QueueError {
    /// There is no such entry, or no more.
    #[error("no entry has the id `{id}`")]
    NotFound {
        /// The id that was asked for.
        id: Arc<str>,
    },
    /// The queue could not do it.
    #[error("the queue failed: {what}")]
    Failed {
        /// What went wrong, in the queue's words.
        what: Arc<str>,
    },
}

impl QueueError {
    /// There is no such entry.
    #[must_use]
    pub fn not_found(id: &str) -> Self {
        Self::NotFound { id: id.into() }
    }

    /// The queue could not do it.
    pub fn failed(what: impl std::fmt::Display) -> Self {
        Self::Failed { what: what.to_string().into() }
    }
}

/// An entry of a queue.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct QueueEntry {
    /// Names it to `retry` and `remove`.
    pub id: Arc<str>,
    /// What it is about: the key of an upload.
    pub key: Arc<str>,
    /// What is to be done: `upload`, `delete`.
    pub operation: Arc<str>,
    /// Its size.
    pub bytes: u64,
    /// How long it has waited, in milliseconds.
    pub age_ms: u64,
    /// How often it was tried.
    pub attempts: u32,
    /// Whether it was set aside because it can not succeed.
    pub dead: bool,
    /// What went wrong last.
    pub last_error: Option<Arc<str>>,
}

impl QueueEntry {
    /// An entry that waits and was not tried yet.
    #[must_use]
    pub fn new(id: &str, operation: &str, key: &str, bytes: u64, age_ms: u64) -> Self {
        let (id, operation, key) = (id.into(), operation.into(), key.into());
        Self { id, key, operation, bytes, age_ms, attempts: 0, dead: false, last_error: None }
    }

    /// How often it was tried.
    #[must_use]
    pub const fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// It was set aside because it can not succeed.
    #[must_use]
    pub const fn dead(mut self) -> Self {
        self.dead = true;
        self
    }

    /// What went wrong last.
    #[must_use]
    pub fn last_error(mut self, what: impl Into<Arc<str>>) -> Self {
        self.last_error = Some(what.into());
        self
    }
}

/// A queue as operators see it.
///
/// # Cancellation
///
/// A future that is dropped may or may not have had its effect, as when its caller lost the
/// connection; asking again is harmless.
pub trait QueueSource: Send + Sync + 'static {
    /// How full it is. It must not block; a panic leaves the queue out of the status.
    fn status(&self) -> QueueStatus;

    /// The oldest entries, at most `limit`.
    fn list(&self, limit: usize) -> QueueFuture<'_, Vec<QueueEntry>>;

    /// Tries an entry again as soon as possible, a dead one too.
    fn retry<'a>(&'a self, id: &'a str) -> QueueFuture<'a, ()>;

    /// Gives an entry up: what it holds is lost.
    fn remove<'a>(&'a self, id: &'a str) -> QueueFuture<'a, ()>;
}

impl<T: QueueSource + ?Sized> QueueSource for Arc<T> {
    fn status(&self) -> QueueStatus {
        T::status(self)
    }

    fn list(&self, limit: usize) -> QueueFuture<'_, Vec<QueueEntry>> {
        T::list(self, limit)
    }

    fn retry<'a>(&'a self, id: &'a str) -> QueueFuture<'a, ()> {
        T::retry(self, id)
    }

    fn remove<'a>(&'a self, id: &'a str) -> QueueFuture<'a, ()> {
        T::remove(self, id)
    }
}
