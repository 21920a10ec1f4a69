//! A circuit breaker as a tower [`Layer`](tower_layer::Layer) and
//! [`Service`](tower_service::Service), and as a bare guard.
//!
//! When a dependency dies, its callers do not: they wait for its timeout, one after the other, hold
//! on to their memory and their connections meanwhile, and come back for more. A breaker watches
//! what calls come to. When enough of them fail it *trips*: it is *open* and rejects calls at once,
//! which spares the callers the wait and the dependency the load. After a while it is *half-open*
//! and lets a few *probes* through; if they succeed it is *closed* again.
//!
//! There are three nouns. A [`CircuitBreaker`] decides. A [`Permit`] is its decision to *admit* one
//! call, and is *settled* by an [`Outcome`] or by being dropped. A [`CircuitBreakerLayer`] does both
//! around a service:
//!
//! ```
//! use circuit_layer::{CircuitBreaker, CircuitBreakerLayer};
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let breaker = CircuitBreaker::new("search");
//! let service = ServiceBuilder::new()
//!     .layer(CircuitBreakerLayer::new(breaker.clone()))
//!     .service(service_fn(|query: &'static str| async move {
//!         Ok::<_, std::io::Error>(query.len())
//!     }));
//! assert_eq!(service.oneshot("rust").await?, 4);
//! # Ok(())
//! # }
//! ```
//!
//! Without a tower stack, ask the breaker yourself:
//!
//! ```
//! # use circuit_layer::CircuitBreaker;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let breaker = CircuitBreaker::new("search");
//! let found = breaker.call(async { Ok::<_, std::io::Error>(4) }).await?;
//! assert_eq!(found, 4);
//!
//! let permit = breaker.try_acquire()?;
//! // … do the work by hand …
//! permit.success();
//! # Ok(())
//! # }
//! ```

mod abandoned;
mod active_probe;
mod arena;
mod backoff;
mod backpressure;
mod breaker;
mod builder;
mod cause;
mod cell;
mod classify;
mod clock;
mod config_error;
mod error;
mod front;
mod future;
mod half_open;
pub mod health;
#[cfg(feature = "http")]
pub mod http;
mod keyed;
mod layer;
#[cfg(feature = "test-util")]
pub mod loopback;
mod machine;
#[cfg(feature = "otel")]
pub mod metrics;
mod name;
mod observe;
mod on_rejected;
mod outcome;
mod permit;
mod policy;
mod service;
#[cfg(feature = "tower")]
mod service_builder;
mod settle;
mod snapshot;
mod state;
mod sync;
mod window;
mod word;

pub use crate::abandoned::{IfAbandoned, abandons, if_abandoned};
pub use crate::active_probe::ActiveProbe;
pub use crate::backoff::Backoff;
pub use crate::breaker::CircuitBreaker;
pub use crate::builder::CircuitBreakerBuilder;
pub use crate::cause::Cause;
pub use crate::classify::{BoxError, BoxErrors, BoxErrorsAsFailures, Classify, ErrorsAsFailures};
#[cfg(feature = "test-util")]
pub use crate::clock::ManualClock;
pub use crate::clock::{Clock, Moment, Sleep};
pub use crate::config_error::ConfigError;
pub use crate::error::{Error, Reason, Rejected};
pub use crate::future::ResponseFuture;
pub use crate::half_open::HalfOpen;
pub use crate::health::HealthMetrics;
pub use crate::keyed::{KeyedBreakers, KeyedEvent};
pub use crate::layer::CircuitBreakerLayer;
#[cfg(feature = "tracing")]
pub use crate::observe::TracingObserver;
pub use crate::observe::{Event, Observer, Subscription, Transition};
pub use crate::on_rejected::{OnRejectedFuture, OnRejectedLayer, OnRejectedService};
pub use crate::outcome::{Outcome, Recorded};
pub use crate::permit::Permit;
pub use crate::policy::{
    Call, ConsecutiveFailures, Deferral, FailureRate, Or, SlowCallRate, TripPolicy,
};
pub use crate::service::CircuitBreakerService;
#[cfg(feature = "tower")]
pub use crate::service_builder::ServiceBuilderExt;
pub use crate::settle::{AtOnce, Settle};
pub use crate::snapshot::Snapshot;
pub use crate::state::{Control, State};
pub use crate::window::{Counts, Window};

#[cfg(all(test, circuit_loom))]
mod loom_tests;
