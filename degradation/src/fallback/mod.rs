//! A second service that answers when the first is not asked.
//!
//! A breaker turns a slow failure into a fast one, which is still a failure. Often something can be
//! said all the same: the price of yesterday, a smaller model's answer, an empty list. Written into
//! each handler, such a replacement is seldom tested, and nobody counts it; and the day it is
//! needed, everybody needs it at once, so that it takes down what it falls back to. So it is a layer:
//!
//! ```text
//!              ┌─ answer ──────────────────────────────▶ Served by the service
//!  request ──▶ service
//!              └─ error ─ chosen? ─ yes ─▶ a slot? ─ yes ─▶ fallback ─▶ Served by the fallback
//!                            │ no            │ no             └ error ─▶ FallbackError::Fallback
//!                            ▼               ▼
//!                 FallbackError::Service   FallbackError::Busy
//! ```
//!
//! * Only chosen errors are answered. The default is [`Rejections`]: the dependency was not asked,
//!   so asking elsewhere repeats nothing. A failure may have had its effect; choose it with care.
//! * The fallback has a bound of its own ([`concurrency`](FallbackLayer::concurrency)). Beyond it,
//!   callers get [`FallbackError::Busy`] at once instead of piling up in front of what is next.
//! * [`Served`] says who answered. Show it: a replacement that looks like the real thing is a lie.
//! * [`FallbackCounters`] counts what it served. A fallback that is never used is never tested: see
//!   [`DegradationManager::drill`](crate::DegradationManager::drill).
//!
//! Put the breaker inside: `fallback(breaker(timeout(service)))`. The fallback is no part of what
//! the breaker judges, and should have a breaker of its own if it calls anybody.

mod choice;
mod counters;
mod error;
mod future;
mod layer;
mod served;
mod service;
#[cfg(test)]
mod tests;

pub use self::choice::{BoxRejections, Choose, Cloned, Keep, Rejections};
pub use self::counters::FallbackCounters;
pub use self::error::FallbackError;
pub use self::future::FallbackFuture;
pub use self::layer::FallbackLayer;
pub use self::served::{Served, ServedBy};
pub use self::service::FallbackService;
