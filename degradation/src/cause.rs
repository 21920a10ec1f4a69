//! The reason of a decision, in one line that an operator can act on.
//!
//! "Degraded" alone starts a search; "score 50: database down (open: 5 consecutive failures)" ends
//! one. Every dependency that is not well is named, with its source's own words.

use crate::health::Status;
use crate::score::FULL_SCORE;
use crate::snapshot::{Dependency, Snapshot};

/// Explains a snapshot. What was just ordered, or has just ended, comes first.
pub(crate) fn explain(snapshot: &Snapshot, mut parts: Vec<String>) -> String {
    if let Some(order) = &snapshot.forced_level {
        parts.push(format!("level forced to {}: {}", snapshot.level, order.reason));
    }
    if let Some(order) = &snapshot.forced_mode {
        parts.push(format!("mode forced to {}: {}", snapshot.mode, order.reason));
    }
    let ailing: Vec<String> = snapshot.dependencies.iter().filter_map(ailment).collect();
    let ailing =
        if ailing.is_empty() { "all dependencies are up".to_owned() } else { ailing.join(", ") };
    parts.push(format!("score {}: {ailing}", snapshot.score));
    parts.join("; ")
}

/// What is wrong with one dependency; None if nothing is.
pub(crate) fn ailment(dependency: &Dependency) -> Option<String> {
    let Dependency { name, score, down, status, detail, drill, .. } = dependency;
    if let Some(order) = drill {
        return Some(format!("{name} down (drill: {})", order.reason));
    }
    let state = match (status, down) {
        (Status::Unknown, true) => format!("{name} unknown, last down"),
        (Status::Unknown, false) => format!("{name} unknown"),
        (_, true) => format!("{name} down"),
        (_, false) if *score < FULL_SCORE => format!("{name} at {score}"),
        (_, false) => return None,
    };
    Some(match detail {
        Some(detail) => format!("{state} ({detail})"),
        None => state,
    })
}
