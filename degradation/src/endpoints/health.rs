//! The document of `/health`, as the draft "Health Check Response Format for HTTP APIs" (inadarei,
//! version 06) shapes it: `pass` and `warn` are served with 200, `fail` with 503.
//!
//! It fails when most of the service is gone: level critical, or a mode other than full. Anything
//! less that is not well is a warning: the service does its work, with something replaced.

use serde_json::{Map, Value, json};

use crate::cause::{ailment, explain};
use crate::level::Level;
use crate::mode::Mode;
use crate::score::FULL_SCORE;
use crate::snapshot::{Dependency, Snapshot};

/// The status of the draft. A worse one is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    Pass,
    Warn,
    Fail,
}

impl Verdict {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// The verdict on the service.
pub(super) fn overall(snapshot: &Snapshot) -> Verdict {
    let forced = snapshot.forced_level.is_some() || snapshot.forced_mode.is_some();
    let ailing = snapshot.dependencies.iter().any(|one| of(one) != Verdict::Pass);
    match (snapshot.level, snapshot.mode) {
        (Level::Critical, _) | (_, Mode::Minimal | Mode::ReadOnly) => Verdict::Fail,
        (Level::Degraded, _) => Verdict::Warn,
        (Level::Normal, Mode::Full) if forced || ailing => Verdict::Warn,
        (Level::Normal, Mode::Full) => Verdict::Pass,
    }
}

/// The verdict on one dependency. Unknown never passes.
fn of(dependency: &Dependency) -> Verdict {
    if dependency.down {
        Verdict::Fail
    } else if ailment(dependency).is_some() || dependency.score < FULL_SCORE {
        Verdict::Warn
    } else {
        Verdict::Pass
    }
}

/// The document. Members that the draft does not know are allowed by it.
pub(super) fn document(snapshot: &Snapshot, version: Option<&str>) -> Value {
    let overall = overall(snapshot);
    let checks = snapshot.dependencies.iter();
    let checks: Map<String, Value> =
        checks.map(|one| (format!("{}:score", one.name), json!([check(one)]))).collect();
    let mut document = json!({
        "status": overall.as_str(),
        "score": snapshot.score,
        "level": snapshot.level,
        "mode": snapshot.mode,
        "flags": snapshot.flags,
        "since_unix_ms": snapshot.since_unix_ms,
        "forced_level": snapshot.forced_level,
        "forced_mode": snapshot.forced_mode,
        "checks": checks,
    });
    if let Some(members) = document.as_object_mut() {
        members.extend(version.map(|version| ("version".to_owned(), json!(version))));
        if overall != Verdict::Pass {
            members.insert("output".to_owned(), json!(explain(snapshot, Vec::new())));
        }
    }
    document
}

fn check(dependency: &Dependency) -> Value {
    let verdict = of(dependency);
    let mut check = json!({
        "componentId": dependency.name,
        "componentType": "component",
        "observedValue": dependency.score,
        "observedUnit": "percent",
        "status": verdict.as_str(),
        "state": dependency.status,
        "weight": dependency.weight,
        "drill": dependency.drill,
    });
    if let Some((members, output)) = check.as_object_mut().zip(ailment(dependency)) {
        members.insert("output".to_owned(), json!(output));
    }
    check
}
