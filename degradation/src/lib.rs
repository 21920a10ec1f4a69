//! What a service can still offer when its dependencies fail, and a tower layer that enforces it.
//!
//! When Redis dies, a service with a breaker stops waiting for it; and then? Somebody must decide
//! that reads now come from memory, that uploads are queued, that reports can wait, and when all of
//! that is over. This crate decides it in one place, from the breakers that already know:
//!
//! ```text
//!  breakers, closures, checks          each a HealthSource
//!        │  score, down
//!        ▼
//!  DegradationManager ── score ──▶ Level   how bad it is      (weights, thresholds, dwelling)
//!        │            └─ set  ──▶ Mode    what is gone       (rules), with Flags
//!        ▼
//!     Snapshot ──▶ watch, events, log, endpoints
//!  StatusDocument                     the same with breakers, calls, queues and the log, to show
//!        │
//!        ▼
//!  DegradationLayer                    passes or rejects each request by its Class
//! ```
//!
//! Level and mode are two things because a score can not say what is gone, and a set can not say
//! how bad it is. A request passes only if both let it: [`admission`] has the table.
//!
//! Operators may order what is else decided by itself, each time with a reason and a limit: by the
//! methods of the manager or, with the feature `endpoints`, over HTTP ([`ControlEndpoints`], off
//! until you mount it). The page `/status` and, in a terminal, the program `degradectl` (feature `cli`)
//! show one [`StatusDocument`].
//!
//! Two more things belong to it: a [`FallbackLayer`] answers what is rejected, from a second service
//! with a bound of its own, and a [`Shutdown`] ends the service in order.
//!
//! [`DegradationManager`], [`DegradationLayer`] and [`FallbackLayer`] have examples.

pub mod admission;
mod board;
mod body;
mod breaker;
mod builder;
mod cause;
mod class;
mod config_error;
#[cfg(feature = "endpoints")]
pub mod control;
#[cfg(feature = "endpoints")]
mod endpoints;
pub mod fallback;
mod figures;
#[cfg(feature = "otel")]
mod gauges;
mod health;
mod layer;
#[cfg(any(feature = "sqlx", feature = "openai"))]
mod ledger;
mod level;
mod manager;
mod mode;
#[cfg(feature = "openai")]
pub mod openai;
mod orders;
#[cfg(feature = "endpoints")]
mod page;
mod pattern;
mod probed;
mod queue;
mod queue_orders;
mod readiness;
mod rejection;
mod routes;
pub mod score;
mod service;
pub mod shutdown;
mod snapshot;
mod source;
mod sources;
#[cfg(feature = "sqlx")]
pub mod sqlx;
pub mod status;
mod tasks;
mod time;

pub use crate::admission::Admission;
pub use crate::board::{History, LogEntry, LogKind};
pub use crate::body::ResponseBody;
pub use crate::builder::DegradationBuilder;
pub use crate::class::{Access, Class, Criticality};
pub use crate::config_error::ConfigError;
#[cfg(feature = "endpoints")]
pub use crate::control::{ControlEndpoints, ControlToken, TokenError};
#[cfg(feature = "endpoints")]
pub use crate::endpoints::Endpoints;
pub use crate::fallback::{FallbackLayer, FallbackService, Served, ServedBy};
pub use crate::figures::{Figures, Showing};
#[cfg(feature = "otel")]
pub use crate::gauges::DegradationGauges;
pub use crate::health::{Health, Status};
pub use crate::layer::DegradationLayer;
pub use crate::level::{Level, LevelRules, LevelTracker};
pub use crate::manager::DegradationManager;
pub use crate::mode::{Flags, Mode, ModeRules};
pub use crate::orders::{BreakerOrder, ControlError};
pub use crate::probed::{ProbeFuture, Probed};
pub use crate::queue::{QueueEntry, QueueError, QueueFuture, QueueSource};
pub use crate::readiness::Readiness;
pub use crate::routes::{RouteClass, Routes};
pub use crate::service::{DegradationService, ResponseFuture};
pub use crate::shutdown::Shutdown;
pub use crate::snapshot::{Change, Dependency, Order, Snapshot};
pub use crate::source::{Asked, HealthFuture, HealthSource, Wake, Within, asked};
pub use crate::status::StatusDocument;
