//! What is counted about every call, and the layer that counts it. Where they are asked for, it opens
//! the [span](crate::RedisBuilder::spans) of the call too.
//!
//! | what came of the call | `status` | latency | in the health score |
//! | --- | --- | --- | --- |
//! | Redis answered | success | yes | yes |
//! | it answered a command that waits there, such as `BLPOP` | success | yes | no |
//! | an error that counts | failure | yes | yes |
//! | the caller's own mistake | failure, `error_type` client | yes | no |
//! | the breaker rejected it | rejected | no | no |
//! | it was dropped, so late that the breaker counts that | failure, `error_type` timeout | yes | yes |
//! | it was dropped before | none | no | no |

mod layer;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use circuit_layer::HealthMetrics;
use circuit_layer::health::Status;
use circuit_layer::{Clock, Error, Moment};
use redis::Value;
use serde::Serialize;
use tracing::Span;

pub use layer::{Counted, Metrics, MetricsLayer};

use crate::error::RedisError;
use crate::spans::Spans;
use crate::{Operation, Request};

/// The answer of the stack below: the breaker's rejection, or Redis' own error.
type Answer = Result<Value, Error<RedisError>>;

/// Counts per operation, cache hits, health, and the metrics of a `Meter` if there is one.
#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) health: Arc<HealthMetrics>,
    clock: Clock,
    counts: [Counts; Operation::ALL.len()],
    hits: AtomicU64,
    misses: AtomicU64,
    spans: Option<Spans>,
    #[cfg(feature = "otel")]
    recorder: Option<circuit_layer::metrics::Recorder>,
}

#[derive(Debug, Default)]
struct Counts {
    success: AtomicU64,
    failure: AtomicU64,
    rejected: AtomicU64,
}

/// What became of the calls of one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct OperationCounts {
    /// Its label.
    pub operation: &'static str,
    /// Calls that Redis answered.
    pub success: u64,
    /// Calls that failed.
    pub failure: u64,
    /// Calls that the breaker rejected.
    pub rejected: u64,
}

impl Ledger {
    pub(crate) fn new(health: Arc<HealthMetrics>, clock: Clock, spans: Option<Spans>) -> Self {
        Self {
            health,
            clock,
            counts: std::array::from_fn(|_| Counts::default()),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            spans,
            #[cfg(feature = "otel")]
            recorder: None,
        }
    }

    #[cfg(feature = "otel")]
    pub(crate) fn exporting(
        self,
        metrics: &circuit_layer::metrics::Metrics,
        instance: Option<&str>,
        breaker: &circuit_layer::CircuitBreaker,
    ) -> Result<Self, circuit_layer::metrics::RecorderError> {
        let family = &crate::family::REDIS;
        let recorder = circuit_layer::metrics::Recorder::new(metrics, family, instance)?;
        recorder.watch(breaker, Arc::clone(&self.health));
        Ok(Self { recorder: Some(recorder), ..self })
    }

    /// Calls of every operation that was ever used.
    pub(crate) fn operations(&self) -> Vec<OperationCounts> {
        let all = Operation::ALL.into_iter().zip(&self.counts);
        let used = all.map(|(operation, counts)| OperationCounts {
            operation: operation.label(),
            success: counts.success.load(Ordering::Relaxed),
            failure: counts.failure.load(Ordering::Relaxed),
            rejected: counts.rejected.load(Ordering::Relaxed),
        });
        used.filter(|c| c.success != 0 || c.failure != 0 || c.rejected != 0).collect()
    }

    /// GETs that Redis answered with a value, and with nil.
    pub(crate) fn hits_and_misses(&self) -> (u64, u64) {
        (self.hits.load(Ordering::Relaxed), self.misses.load(Ordering::Relaxed))
    }

    fn span(&self, request: &Request) -> Span {
        self.spans.as_ref().map_or_else(Span::none, |spans| spans.open(request))
    }

    fn record(&self, operation: Operation, since: Moment, waits: bool, answer: &Answer) {
        let Some(counts) = self.counts.get(operation.index()) else { return };
        let now = self.clock.now();
        let latency = now - since;
        let label = operation.label();
        match answer {
            Ok(value) => {
                counts.success.fetch_add(1, Ordering::Relaxed);
                if operation == Operation::Get {
                    let nil = matches!(value, Value::Nil);
                    if nil { &self.misses } else { &self.hits }.fetch_add(1, Ordering::Relaxed);
                }
                if !waits {
                    self.health.record(now, label, Status::Success, latency);
                }
            }
            Err(Error::Inner(error)) => {
                counts.failure.fetch_add(1, Ordering::Relaxed);
                if error.counts() {
                    self.health.record(now, label, Status::Failure, latency);
                }
            }
            Err(Error::Rejected(_)) => {
                counts.rejected.fetch_add(1, Ordering::Relaxed);
                self.health.record(now, label, Status::Rejected, latency);
            }
        }
        #[cfg(feature = "otel")]
        self.export(operation, latency, answer);
    }

    /// Nobody waited for the answer any longer, and the breaker takes that for a failure.
    fn abandoned(&self, operation: Operation, since: Moment) {
        let after = self.clock.now() - since;
        let answer = Err(Error::Inner(RedisError::Timeout { maybe_applied: true, after }));
        self.record(operation, since, false, &answer);
    }

    #[cfg(feature = "otel")]
    fn export(&self, operation: Operation, latency: std::time::Duration, answer: &Answer) {
        let Some(recorder) = &self.recorder else { return };
        let operation = operation.index();
        match answer {
            Ok(_) => recorder.success(operation, latency),
            Err(Error::Inner(error)) => {
                recorder.failure(operation, error.kind().index(), latency);
            }
            Err(Error::Rejected(_)) => recorder.rejected(operation),
        }
    }
}
