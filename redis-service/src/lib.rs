//! Redis as a tower [`Service`](tower_service::Service), behind a circuit breaker.
//!
//! When Redis dies, most clients make it worse: a pool waits 30 seconds for a connection and never
//! says why, a multiplexed connection never comes back, a hung server holds every caller. Here each
//! call has one deadline, gets the true cause at once, and a [breaker](circuit_layer) answers for a
//! Redis that is known to be down.
//!
//! ```text
//! Redis              typed, cheap to clone; decodes the replies, above all layers
//!   └─ fallback      answers from memory what Redis does not, and says how old it is
//!     └─ metrics     counts, latency, health; a span per call, if asked for
//!       └─ breaker     rejects while Redis is down, probes until it is back
//!           └─ RedisService<D: Dial>     one deadline per call, one shared connection
//!                 └─ D      how to connect: a single node, …
//! ```
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # #[cfg(feature = "test-util")] {
//! use redis_service::{FallbackConfig, Memory, Redis, Source};
//! use std::time::Duration;
//!
//! # let memory = Memory::new();
//! let redis = Redis::builder()
//!     .deadline(Duration::from_millis(200))
//!     .fallback(FallbackConfig::new())
//! #   .memory(&memory)
//!     .connect()
//!     .await?;
//! redis.set("price", 42).await?;
//! # memory.go_down();
//! // Redis dies …
//! let price = redis.get_answer::<u64>("price").await?;
//! assert_eq!((price.value, price.source), (Some(42), Source::Memory));
//! # }
//! # Ok(())
//! # }
//! ```
//!
//! Without a server, [`Redis::memory`] is a client of a Redis in memory (feature `test-util`); with
//! [`get_or_load`](Redis::get_or_load) it is a cache in front of something slower; a program without a
//! place for a handle has [`initialize_redis`], [`get_redis`] and [`close_redis`].
//!
//! | module | what it decides |
//! | --- | --- |
//! | `request` | what a call is: its operation, key, whether it writes, whether it may be repeated |
//! | `classify` | what an error says about Redis |
//! | `dial`, `manager` | how one connection is made, and which are of no more use |
//! | `lanes`, `dialling`, `pause` | which connection a call uses, and who dials when there is none |
//! | `lane`, `combiner`, `alone` | how calls share a connection, and which have one to themselves |
//! | `service`, `flight` | the deadline, the repetition, and what a missing answer teaches |
//! | `active_probe` | how an open breaker finds out that Redis is back |
//! | `metrics`, `spans` | what is counted, and what a trace tells of a call |
//! | `config`, `target`, `tls` | where Redis is, and how it is reached |
//! | [`fallback`] | what is answered without Redis, and who tells which keys have changed |
//! | `cache` | what is remembered, and how far it may be trusted |
//! | `facade` | the typed operations; who loads what is missing; health and status |
//! | `global` | the process-wide client |
//! | `memory` | a Redis in memory, for tests |

mod active_probe;
mod alone;
mod arg;
mod builder;
mod cache;
mod classify;
mod combiner;
mod config;
mod dial;
mod dialling;
mod engine;
mod error;
mod facade;
#[cfg(test)]
mod fake;
pub mod fallback;
#[cfg(feature = "otel")]
mod family;
mod flight;
mod global;
mod judge;
mod lane;
mod lanes;
mod manager;
#[cfg(feature = "test-util")]
mod memory;
mod metrics;
mod operation;
mod pause;
mod request;
mod service;
mod slot;
mod spans;
mod start;
mod target;
#[cfg(all(feature = "test-server", unix))]
pub mod test_server;
mod tls;

pub use ::bb8;
pub use ::bb8_redis;
pub use ::redis;

pub use ::redis::Value;
pub use arg::Arg;
pub use builder::RedisBuilder;
pub use classify::ErrorKind;
pub use config::{ConfigReport, RedisConfig};
#[cfg(feature = "cluster")]
pub use dial::cluster::{Cluster, ClusterLink};
pub use dial::pooled::{Borrowed, Pooled};
#[cfg(feature = "sentinel")]
pub use dial::sentinel::Sentinel;
pub use dial::{Dial, SingleNode};
pub use engine::Engine;
pub use error::{CallError, DialError, Error, RedisError};
#[cfg(feature = "otel")]
pub use facade::RedisGauges;
pub use facade::{End, Health, Redis, Role, Stack, Status};
pub use fallback::{Answer, Fallback, FallbackConfig, FallbackLayer, FallbackReport, Source};
pub use global::{close_redis, get_redis, initialize_redis};
pub use judge::Judge;
pub use lanes::PoolReport;
#[cfg(feature = "test-util")]
pub use memory::{Memory, MemoryConn};
pub use metrics::{Counted, Metrics, MetricsLayer, OperationCounts};
pub use operation::Operation;
pub use request::{Pipeline, Raw, Request, SetOptions, Transaction};
pub use service::{RedisService, ServiceConfig};
pub use start::{Start, StartError};
