//! Answers while Redis can not give any.
//!
//! A breaker turns a dead Redis from a slow error into a quick one; the callers still have no value.
//! Most of them would rather have the one of a moment ago, if they are told how old it is. So
//! [`FallbackLayer`] remembers what `GET`s and `SET`s have shown, in bounded memory, and answers from it
//! when the stack below it is rejected or fails. What it does not remember is the error, at once.
//!
//! ```text
//! caller ─▶ fallback ─▶ metrics ─▶ breaker ─▶ RedisService ─▶ Redis
//!              │ ▲                                               │
//!              ▼ │ age                                           │ CLIENT TRACKING: which keys change
//!             cache ◀──────────── tracker ◀──────────────────────┘
//! ```
//!
//! It stands above the metrics, so a call that it answers is counted for what Redis did: `rejected` or
//! `failure`, never `success`.
//!
//! # How old is what it answers
//!
//! [`Answer::age`] is never less than the time since the value was last what Redis held. While the
//! tracker is connected, changed keys are forgotten as Redis tells them, so a value was current at the
//! last sign of life of that connection (every second). Without the tracker (see
//! [`FallbackConfig::tracking`]) the age counts from when the value was read or written.
//!
//! What was kept before an outage may have been overwritten during it. So it is dropped as a whole
//! when Redis answers again, before that answer is handed out.
//!
//! | call | while Redis serves | rejected or failing |
//! | --- | --- | --- |
//! | `GET` | the reply is remembered | from memory, or the error |
//! | `SET` | the value is remembered, with its time to live | the error; with local writes: kept in memory |
//! | `DEL` of one key | forgotten | the error; with local writes: nil until Redis is back |
//! | any other write | its keys are forgotten | the error |
//! | any other read | – | the error |
//!
//! # Examples
//!
//! In a client, with the defaults:
//!
//! ```no_run
//! # async fn f() -> Result<(), Box<dyn std::error::Error>> {
//! use redis_service::{FallbackConfig, Redis, Source};
//!
//! let redis = Redis::builder().fallback(FallbackConfig::default()).connect().await?;
//! let price = redis.get_answer::<u64>("price").await?;
//! if price.source == Source::Memory {
//!     println!("{:?}, {:?} ago", price.value, price.age);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! As a layer of its own, smaller, and over any service that answers requests:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use redis_service::{Error, FallbackConfig, FallbackLayer, Request, Source, Value};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! let small = FallbackConfig::new().max_entries(100).max_age(std::time::Duration::from_secs(30));
//! let service = ServiceBuilder::new()
//!     .layer(FallbackLayer::new(small))
//!     .service_fn(|_: Request| async { Ok::<_, Error>(Value::BulkString(b"1".to_vec())) });
//! let answer = service.oneshot(Request::Get { key: "k".into() }).await?;
//! assert_eq!(answer.source, Source::Redis);
//! # Ok(())
//! # }
//! ```

mod answer;
mod config;
mod deletion;
mod future;
mod layer;
pub(crate) mod listen;
mod local;
mod oldest;
mod plan;
mod report;
mod tracker;

pub use answer::{Answer, Source};
pub use config::FallbackConfig;
pub use future::Answering;
pub(crate) use layer::Core;
pub use layer::{Fallback, FallbackLayer};
pub use report::FallbackReport;
