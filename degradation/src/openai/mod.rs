//! An OpenAI-compatible API behind a breaker for each host and model (feature `openai`).
//!
//! Such an API differs from other HTTP services in what a breaker has to know. It says *when* it will
//! have time again; it says "no more money" with the same status as "too many requests"; one model is
//! overloaded while its sibling is idle; and an answer streams for many seconds, so its headers prove
//! little: a stream that ends without `[DONE]` looks like a short answer, and one that stalls hangs its
//! reader for ever. `async-openai` reports neither.
//!
//! ```text
//!  OpenAi            models in order, then a cached answer, then a plain one
//!    └ async-openai
//!        └ OpenAiLayer    one breaker for each host and model; judges to the end of the answer
//!            └ ReqwestService, or a stack of your own
//! ```
//!
//! | what happens | outcome |
//! | --- | --- |
//! | whole JSON, `[DONE]`, a `finish_reason` before the end, `response.completed`, `speech.audio.done` and the like | success |
//! | 400, 404, 413, 422 and other 4xx: the caller's mistake | success |
//! | refused, broken, no headers in time | failure `connect`, `transport`, `timeout` |
//! | 408, 409, 5xx | failure `server` |
//! | 429 | failure `throttled`; the API's own wait (`retry-after-ms`, `Retry-After`), at most 60 s, replaces the breaker's |
//! | 429 `insufficient_quota` | failure `quota`, for 10 minutes; [`needs_operator`] |
//! | 401, 403 | failure `access`; [`needs_operator`] |
//! | an answer that ends too early, pauses too long, breaks, is no JSON, or holds an error | failure `truncated`, `stalled`, `body`, `malformed`, `error` |
//! | a job or a response that has failed, told to whoever asks for it, with its error | success |
//! | dropped by its reader | nothing |
//!
//! An error in another form than `OpenAI`'s, such as `{"detail": …}`, a numeric `code` or a proxy's page, is an
//! `OpenAIError::ApiError` all the same, with its status, and the whole text as its message.
//!
//! [`OpenAi`] has the whole chain; [`OpenAiLayer`] is for a client of your own:
//!
//! ```
//! use async_openai::{Client, config::OpenAIConfig, middleware::ReqwestService};
//! use circuit_layer::KeyedBreakers;
//! use degradation::openai::OpenAiLayer;
//! use tower::ServiceBuilder;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let breakers = KeyedBreakers::new("openai", |builder| builder.fail_max(3))?;
//! let service = ServiceBuilder::new()
//!     .layer(OpenAiLayer::new(breakers))
//!     .service(ReqwestService::new(reqwest::Client::new()));
//! let client = Client::with_config(OpenAIConfig::new()).with_http_service(service);
//! # drop(client);
//! # Ok(())
//! # }
//! ```

mod answer;
mod attempt;
mod body;
mod builder;
mod chain;
mod end;
mod error;
mod events;
mod health;
mod layer;
mod ledger;
mod memory;
mod service;
#[cfg(feature = "test-server")]
pub mod test_server;
mod told;
mod verdict;

pub use self::answer::{Answer, AnswerStream, Source};
pub use self::builder::{OpenAiBuilder, OpenAiConfigError};
pub use self::chain::OpenAi;
pub use self::error::{AnswerError, needs_operator};
pub use self::layer::{OpenAiLayer, key};
#[cfg(feature = "otel")]
pub use self::ledger::OPENAI;
pub use self::service::OpenAiService;
