//! The books of a service: every call that came to an end, and every byte that flowed.
//!
//! A call is booked once: a download when its body is over, everything else when its answer is
//! there. A call that is dropped on the way is not booked at all, unless the breaker counts that.
//! Metrics take every error that the caller got for a failure; health takes only what the breaker
//! would: a missing object is S3 at work.

use std::sync::Arc;
use std::time::Duration;

use circuit_layer::{Clock, HealthMetrics, Moment};

use crate::body::{ByteCounter, ByteTotals, Direction};
use crate::classify::{ErrorType, Judgement};
use crate::error::S3Error;
use crate::operation::Operation;

/// The average latency above which S3's health score falls.
pub(crate) const TARGET: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) clock: Clock,
    pub(crate) health: Arc<HealthMetrics>,
    pub(crate) bytes: ByteTotals,
    #[cfg(feature = "otel")]
    pub(crate) recorder: Option<circuit_layer::metrics::Recorder>,
}

impl Ledger {
    pub(crate) fn now(&self) -> Moment {
        self.clock.now()
    }

    pub(crate) fn success(&self, operation: Operation, latency: Duration) {
        self.health.record_success(operation.as_str(), latency);
        #[cfg(feature = "otel")]
        if let Some(recorder) = &self.recorder {
            recorder.success(operation.index(), latency);
        }
    }

    pub(crate) fn error(&self, operation: Operation, error: &S3Error, latency: Duration) {
        match error.error_type() {
            None => self.rejected(operation),
            Some(error_type) => self.failure(operation, error_type, error.judgement(), latency),
        }
    }

    pub(crate) fn failure(
        &self,
        operation: Operation,
        error_type: ErrorType,
        judgement: Judgement,
        latency: Duration,
    ) {
        match judgement {
            Judgement::Success => self.health.record_success(operation.as_str(), latency),
            Judgement::Failure => self.health.record_failure(operation.as_str(), latency),
            Judgement::Ignored => {}
        }
        #[cfg(feature = "otel")]
        if let Some(recorder) = &self.recorder {
            recorder.failure(operation.index(), error_type.index(), latency);
        }
        #[cfg(not(feature = "otel"))]
        let _: ErrorType = error_type;
    }

    /// Nobody waited for S3 any longer, and the breaker takes that for a failure.
    pub(crate) fn abandoned(&self, operation: Operation, since: Moment) {
        self.failure(operation, ErrorType::Timeout, Judgement::Failure, self.now() - since);
    }

    pub(crate) fn rejected(&self, operation: Operation) {
        self.health.record_rejected(operation.as_str());
        #[cfg(feature = "otel")]
        if let Some(recorder) = &self.recorder {
            recorder.rejected(operation.index());
        }
    }
}

impl ByteCounter for Ledger {
    fn count(&self, direction: Direction, count: u64) {
        self.bytes.count(direction, count);
        #[cfg(feature = "otel")]
        if let Some(recorder) = &self.recorder {
            match direction {
                Direction::Upload => recorder.uploaded(count),
                Direction::Download => recorder.downloaded(count),
            }
        }
    }
}

#[cfg(all(test, feature = "otel"))]
mod tests {
    use circuit_layer::metrics::S3;

    use crate::classify::ErrorType;
    use crate::operation::Operation;

    #[test]
    fn the_indices_are_those_of_the_metrics() {
        assert_eq!(S3.operations, Operation::LABELS);
        assert_eq!(S3.errors, ErrorType::LABELS);
    }
}
