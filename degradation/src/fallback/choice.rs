//! Which errors are answered, and with which request.

use std::error::Error as StdError;

use circuit_layer::{BoxError, Rejected};

/// Chooses the errors that the fallback answers. Closures from `&E` to `bool` choose.
///
/// When: once for each call that failed, on the task that polls it. It must not block; a panic
/// reaches the caller.
pub trait Choose<E> {
    /// Whether to ask the fallback.
    fn chooses(&self, error: &E) -> bool;
}

/// Rejections, however deep they are wrapped: [`Rejected::find`]. The default.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rejections;

impl<E: StdError + 'static> Choose<E> for Rejections {
    fn chooses(&self, error: &E) -> bool {
        Rejected::find(error).is_some()
    }
}

/// [`Rejections`] among boxed errors, which are no errors themselves.
#[derive(Clone, Copy, Debug, Default)]
pub struct BoxRejections;

impl Choose<BoxError> for BoxRejections {
    fn chooses(&self, error: &BoxError) -> bool {
        Rejected::find(&**error).is_some()
    }
}

impl<E, F: Fn(&E) -> bool> Choose<E> for F {
    fn chooses(&self, error: &E) -> bool {
        self(error)
    }
}

/// Keeps a request for the fallback before the service takes it. Closures from `&R` to `Option<R>`
/// keep.
///
/// When: once within each `call`, before the service is called. It must not block; a panic reaches
/// the caller.
pub trait Keep<R> {
    /// The request for the fallback; None if this one is not to be answered by it.
    fn keep(&self, request: &R) -> Option<R>;
}

/// A clone of every request. The default.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cloned;

impl<R: Clone> Keep<R> for Cloned {
    fn keep(&self, request: &R) -> Option<R> {
        Some(request.clone())
    }
}

impl<R, F: Fn(&R) -> Option<R>> Keep<R> for F {
    fn keep(&self, request: &R) -> Option<R> {
        self(request)
    }
}
