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
//!        │
//!        ▼
//!  DegradationLayer                    passes or rejects each request by its Class
//! ```
//!
//! Level and mode are two things because a score can not say what is gone, and a set can not say
//! how bad it is. A request passes only if both let it: [`admission`] has the table.
//!
//! [`DegradationManager`] and [`DegradationLayer`] have examples.

pub mod admission;
mod board;
mod body;
mod breaker;
mod builder;
mod cause;
mod class;
#[cfg(feature = "endpoints")]
mod endpoints;
mod entry;
mod figures;
mod health;
mod layer;
mod level;
mod manager;
mod mode;
mod pattern;
mod rejection;
mod routes;
pub mod score;
mod service;
mod snapshot;
mod tasks;

pub use crate::admission::Admission;
pub use crate::body::ResponseBody;
pub use crate::builder::{ConfigError, DegradationBuilder};
pub use crate::class::{Access, Class, Criticality};
#[cfg(feature = "endpoints")]
pub use crate::endpoints::{Endpoints, Readiness};
pub use crate::health::{Asked, Health, HealthFuture, HealthSource, Status, Wake, asked};
pub use crate::layer::DegradationLayer;
pub use crate::level::{Level, LevelRules, LevelTracker};
pub use crate::manager::{DegradationManager, UnknownDependency};
pub use crate::mode::{Flags, Mode, ModeRules};
pub use crate::routes::{RouteClass, Routes};
pub use crate::service::{DegradationService, ResponseFuture};
pub use crate::snapshot::{Change, Dependency, Order, Snapshot};
