//! From two pictures to what has changed between them.

use std::sync::Arc;

use super::log::{Log, LogKind, Note, SERVICE};
use crate::cause::ailment;
use crate::health::Status;
use crate::mode::Flags;
use crate::snapshot::{Change, Dependency, Order, Snapshot};
use crate::time::Time;

/// Whether operators want to know: what is offered changed, or an order did.
pub(super) fn differs(old: &Snapshot, new: &Snapshot) -> bool {
    let drills = |snapshot: &Snapshot| -> Vec<Option<Order>> {
        snapshot.dependencies.iter().map(|dependency| dependency.drill.clone()).collect()
    };
    (old.level, old.mode, &old.flags) != (new.level, new.mode, &new.flags)
        || (&old.forced_level, &old.forced_mode) != (&new.forced_level, &new.forced_mode)
        || drills(old) != drills(new)
}

/// The change from the last snapshot, or at the start from a service with nothing amiss.
pub(super) fn change(old: Option<&Snapshot>, new: &Snapshot, at: Time) -> Option<Change> {
    let (level, mode) = old.map_or_else(Default::default, |old| (old.level, old.mode));
    let changed = match old {
        Some(old) => differs(old, new),
        None => (level, mode) != (new.level, new.mode) || !new.flags.is_empty(),
    };
    changed.then(|| Change {
        level: (level, new.level),
        mode: (mode, new.mode),
        flags: new.flags.clone(),
        score: new.score,
        cause: Arc::clone(&new.cause),
        at: at.now,
        at_unix_ms: at.unix_ms(),
    })
}

/// Writes what has changed into the log: first the dependencies, then what follows from them.
pub(super) fn record(log: &mut Log, old: Option<&Snapshot>, new: &Snapshot, at: Time) {
    for dependency in &new.dependencies {
        let before = old.and_then(|old| old.dependency(&dependency.name));
        if let Some(what) = turned(before, dependency) {
            let cause = ailment(dependency).unwrap_or_else(|| format!("{} is up", dependency.name));
            let (kind, subject) = (LogKind::Dependency, &*dependency.name);
            log.note(&Note { kind, subject, what, cause: &cause, reason: None }, at);
        }
    }
    let what = offered(old, new);
    if !what.is_empty() {
        let (kind, what) = (LogKind::Change, what.join(", "));
        log.note(
            &Note { kind, subject: SERVICE, what: &what, cause: &new.cause, reason: None },
            at,
        );
    }
}

/// What became of a dependency; None if it is as it was. At the start it is taken to be up.
fn turned(before: Option<&Dependency>, now: &Dependency) -> Option<&'static str> {
    let of = |dependency: &Dependency| match (dependency.down, dependency.status) {
        (true, _) => "went down",
        (false, Status::Unknown) => "is unknown",
        (false, Status::Up | Status::Down) => "is up",
    };
    let (before, now) = (before.map_or("is up", of), of(now));
    (before != now).then_some(now)
}

/// How level, mode and flags have changed.
fn offered(old: Option<&Snapshot>, new: &Snapshot) -> Vec<String> {
    let (level, mode) = old.map_or_else(Default::default, |old| (old.level, old.mode));
    let none = Flags::default();
    let flags = old.map_or(&none, |old| &old.flags);
    let mut what = Vec::new();
    if level != new.level {
        what.push(format!("level {level} → {}", new.level));
    }
    if mode != new.mode {
        what.push(format!("mode {mode} → {}", new.mode));
    }
    let set = new.flags.iter().filter(|flag| !flags.contains(flag));
    what.extend(set.map(|flag| format!("{flag} on")));
    let gone = flags.iter().filter(|flag| !new.flags.contains(flag));
    what.extend(gone.map(|flag| format!("{flag} off")));
    what
}
