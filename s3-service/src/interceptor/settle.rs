//! The end of an attempt: what it says of the service, told to its permit.

use std::time::Duration;

use aws_smithy_runtime_api::client::interceptors::context::FinalizerInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::timeout::TimeoutConfig;
use circuit_layer::Outcome;

use super::facts;
use super::slot::Attempt;
use crate::classify::{ErrorType, Judgement, Kind, deadline_is_evidence};

/// What surrounds an attempt.
pub(super) struct Run<'a> {
    pub(super) components: &'a RuntimeComponents,
    pub(super) cfg: &'a ConfigBag,
}

impl Run<'_> {
    fn own_deadline(&self) -> Option<Duration> {
        let timeouts = self.cfg.load::<TimeoutConfig>()?;
        timeouts.operation_attempt_timeout().or_else(|| timeouts.operation_timeout())
    }
}

/// Settles the permit of an attempt, or hands it to the body of the answer.
pub(super) fn settle(
    mut attempt: Attempt,
    ctx: &FinalizerInterceptorContextRef<'_>,
    run: &Run<'_>,
) {
    // One that was never sent is dropped here, as ignored.
    if !attempt.transmitted {
        return;
    }
    let Some(permit) = attempt.permit.take() else { return };
    let (kind, verdict, retry_after) = facts::judge(ctx.inner(), run.components);
    if kind == Kind::Done {
        match attempt.tail.take() {
            Some(tail) => tail.carry(permit),
            None => {
                permit.record(Outcome::Success);
            }
        }
        return;
    }
    let starved = attempt.source.as_ref().is_some_and(|source| source.starved());
    let early = ctx.inner().output_or_error().is_some_and(|result| {
        result.is_err_and(|error| error.is_timeout_error())
            && !deadline_is_evidence(attempt.breaker.now() - attempt.since, run.own_deadline())
    });
    let excused = kind == Kind::Timeout && (starved || early);
    permit.record(match verdict.judgement {
        Judgement::Success => Outcome::Success,
        Judgement::Failure if !excused => Outcome::Failure {
            kind: verdict.error_type.unwrap_or(ErrorType::Other).as_str(),
            retry_after,
        },
        Judgement::Failure | Judgement::Ignored => Outcome::Ignored,
    });
}
