//! Was it the dependency's fault?
//!
//! A breaker must not care what a response is, and whoever knows what a response is must not care
//! for breakers. So the verdict on a result is a trait of its own, with one method, and closures
//! implement it.
//!
//! One rule holds for all of them: a rejection by *another* breaker further in is nobody's failure.
//! The dependency was not asked, so nothing was learnt about it, and breakers that stand in a row
//! must not trip each other.

use std::error::Error as StdError;

use crate::error::Rejected;
use crate::outcome::Outcome;

/// The error of a stack of tower middleware.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// Turns a result into an [`Outcome`].
///
/// When: once for each admitted call that ended, on the task that polls it. It must not block. A
/// panic counts as a failure and is resumed.
///
/// Closures from `&Result<T, E>` to [`Outcome`] classify, if `E` is an error; the rejections of inner
/// breakers are ignored before they are asked. For boxed errors wrap the closure in [`BoxErrors`].
pub trait Classify<T, E> {
    /// What this result says about the dependency.
    fn classify(&self, result: &Result<T, E>) -> Outcome;
}

/// Every error is a failure, every response a success. The default.
#[derive(Clone, Copy, Debug, Default)]
pub struct ErrorsAsFailures;

impl<T, E: StdError + 'static> Classify<T, E> for ErrorsAsFailures {
    #[inline]
    fn classify(&self, result: &Result<T, E>) -> Outcome {
        match result {
            Ok(_) => Outcome::Success,
            Err(error) => judge(error, || Outcome::failure("error")),
        }
    }
}

impl<F, T, E> Classify<T, E> for F
where
    F: Fn(&Result<T, E>) -> Outcome,
    E: StdError + 'static,
{
    #[inline]
    fn classify(&self, result: &Result<T, E>) -> Outcome {
        match result {
            Ok(_) => self(result),
            Err(error) => judge(error, || self(result)),
        }
    }
}

/// [`ErrorsAsFailures`] for boxed errors, which are no errors themselves.
#[derive(Clone, Copy, Debug, Default)]
pub struct BoxErrorsAsFailures;

impl<T> Classify<T, BoxError> for BoxErrorsAsFailures {
    #[inline]
    fn classify(&self, result: &Result<T, BoxError>) -> Outcome {
        match result {
            Ok(_) => Outcome::Success,
            Err(error) => judge(&**error, || Outcome::failure("error")),
        }
    }
}

/// A closure that classifies results with boxed errors.
#[derive(Clone, Copy, Debug)]
pub struct BoxErrors<F>(pub F);

impl<F, T> Classify<T, BoxError> for BoxErrors<F>
where
    F: Fn(&Result<T, BoxError>) -> Outcome,
{
    #[inline]
    fn classify(&self, result: &Result<T, BoxError>) -> Outcome {
        match result {
            Ok(_) => (self.0)(result),
            Err(error) => judge(&**error, || (self.0)(result)),
        }
    }
}

fn judge(error: &(dyn StdError + 'static), verdict: impl FnOnce() -> Outcome) -> Outcome {
    if Rejected::find(error).is_some() { Outcome::Ignored } else { verdict() }
}
