//! The cases: one service each, built new for each measurement.

use circuit_layer::Clock;

use super::drive::{Run, both, driven, driven_in_task, driven_twice, inner, pending_once};
use super::{metrics, ours, peers};

pub struct Case {
    pub name: &'static str,
    /// The case without a breaker that it is compared with.
    pub bare: &'static str,
    /// Two callers of one breaker.
    pub new: fn() -> [Run; 2],
}

const READY: &str = "bare service, ready at once";
const TASK: &str = "bare service, in a tokio task";
const PENDING: &str = "bare service, pending once";
const NOTHING: &str = "metrics: nothing counted";

const fn case(name: &'static str, bare: &'static str, new: fn() -> [Run; 2]) -> Case {
    Case { name, bare, new }
}

pub const CASES: &[Case] = &[
    case(READY, READY, || both(inner(), driven)),
    case("ours, consecutive", READY, || both(ours::consecutive(), driven)),
    case("failsafe, consecutive", READY, || peers::failsafe(false)),
    case("tower-resilience, consecutive, in a task", TASK, || peers::tower_resilience(false)),
    case("ours, count 100, clean", READY, || both(ours::count(), driven)),
    case("recloser, count 100, clean", READY, || peers::recloser(false, 0)),
    case("ours, count 100, 1 in 128 fails", READY, || ours::failing(128)),
    case("recloser, count 100, 1 in 128 fails", READY, || peers::recloser(false, 128)),
    case("ours, time 10 s", READY, || both(ours::time(Clock::default()), driven)),
    case("ours, time 10 s, coarse clock", READY, || both(ours::time(Clock::coarse()), driven)),
    case("seatbelt, time 10 s", READY, || peers::seatbelt(false)),
    case("ours, open", READY, || both(ours::open(Clock::default()), driven)),
    case("ours, open, coarse clock", READY, || both(ours::open(Clock::coarse()), driven)),
    case("seatbelt, open", READY, || peers::seatbelt(true)),
    case("failsafe, open", READY, || peers::failsafe(true)),
    case("recloser, open", READY, || peers::recloser(true, 0)),
    case("tower-resilience, open, in a task", TASK, || peers::tower_resilience(true)),
    case(TASK, TASK, || both(inner(), driven_in_task)),
    case("ours, consecutive, in a tokio task", TASK, || both(ours::consecutive(), driven_in_task)),
    case(PENDING, PENDING, || both(pending_once(), driven_twice)),
    case("ours, consecutive, pending once", PENDING, || both(ours::pending(), driven_twice)),
    case(NOTHING, NOTHING, metrics::nothing),
    case("metrics: ours, counter and latency", NOTHING, metrics::ours),
    case("metrics: OpenTelemetry, the same two", NOTHING, metrics::plain),
    case("metrics: ours, the record of health", NOTHING, metrics::health),
];

pub fn find(name: &str) -> Option<&'static Case> {
    CASES.iter().find(|case| case.name == name)
}

pub fn names() -> Vec<&'static str> {
    CASES.iter().map(|case| case.name).collect()
}
