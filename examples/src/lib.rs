//! The inventory service: every crate of the workspace at work in one small service.
//!
//! A shop's stock is looked up all day and changed now and then. The service that does it leans on
//! four others, and each of them fails one day. What its callers get then is decided here:
//!
//! | dependency | holds | while it is down |
//! | --- | --- | --- |
//! | database | products and stock | pages come from Redis or from memory, writes are rejected |
//! | Redis | finished pages | pages come from the database |
//! | S3 | photos | wait in a durable queue, from which they are read too |
//! | OpenAI-compatible API | descriptions | what it said before, or a plain text, marked as such |
//!
//! ```text
//!  axum ── DegradationLayer ── api ──┬── pages ──┬── redis-service ── Redis
//!              ▲                     │           └── database: breaker(limit(timeout(pool)))
//!      DegradationManager            ├── s3-service ── S3
//!       ▲   ▲   ▲   ▲                └── openai: a client behind a breaker
//!       the four breakers
//! ```
//!
//! Nothing has to be set up: an S3 server, SQLite and an OpenAI-compatible server run in the process,
//! and redis-server as a child of it. Environment variables point each at a real one instead, see
//! [`settings`]. `make serve` runs it; `make demo` plays outages on it.

pub mod api;
pub mod chaos;
pub mod control;
pub mod database;
pub mod dependencies;
mod explain;
pub mod grpc;
pub mod inventory;
mod listen;
pub mod metrics;
pub mod observability;
pub mod pages;
pub mod settings;
mod stop;
mod uploads;

pub use crate::explain::explain;
pub use crate::inventory::Inventory;
pub use crate::settings::{Pace, Settings, Sources};
