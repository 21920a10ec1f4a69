//! Puts the document together.

use std::sync::Arc;

use super::{BreakerStatus, CallStatus, DependencyStatus, LastError, StatusDocument};
use crate::board::History;
use crate::cause;
use crate::manager::Shared;
use crate::snapshot::Dependency;
use crate::time::{Time, millis};

/// The document of this moment.
pub(crate) fn document(shared: &Shared) -> StatusDocument {
    let (charts, log, at) = shared.look(|board, at| (board.charts(at), board.log(), at));
    let snapshot = shared.newest();
    let dependencies = snapshot.dependencies.iter().zip(charts).enumerate();
    let dependencies = dependencies.map(|(index, (known, (history, outages)))| {
        dependency(shared, index, known, history, outages, at)
    });
    StatusDocument {
        at_unix_ms: at.unix_ms(),
        level: snapshot.level,
        mode: snapshot.mode,
        flags: snapshot.flags.clone(),
        score: snapshot.score,
        cause: Arc::clone(&snapshot.cause),
        since_unix_ms: snapshot.since_unix_ms,
        now: cause::explain(&snapshot, Vec::new()).into(),
        observed_level: snapshot.observed_level,
        observed_mode: snapshot.observed_mode,
        forced_level: snapshot.forced_level.clone(),
        forced_mode: snapshot.forced_mode.clone(),
        shed: shared.shed.read(),
        dependencies: dependencies.collect(),
        queues: shared.sources.queues(),
        caches: shared.sources.caches(),
        log,
    }
}

fn dependency(
    shared: &Shared,
    index: usize,
    known: &Dependency,
    history: History,
    outages: u64,
    at: Time,
) -> DependencyStatus {
    let breaker = shared.sources.breaker(index).map(|breaker| breaker.snapshot());
    let figures = shared.sources.figures(index);
    let told = known.retry_at.map(|retry_at| retry_at - at.now);
    let next_probe = breaker.as_ref().map_or(told, |breaker| breaker.retry_after);
    let report = figures.calls.as_ref();
    DependencyStatus {
        name: Arc::clone(&known.name),
        weight: known.weight,
        score: known.score,
        down: known.down,
        status: known.status,
        detail: known.detail.clone(),
        drill: known.drill.clone(),
        next_probe_ms: next_probe.map(millis),
        outages,
        breaker: breaker.as_ref().map(BreakerStatus::from),
        calls: report.map(|report| CallStatus::new(report, &history)),
        fallbacks: figures.fallbacks,
        last_error: LastError::find(figures.last_error.clone(), report),
        facts: figures.facts.into_iter().map(Into::into).collect(),
        history,
    }
}
