//! From a command to the request that gives the order.

use serde_json::{Value, json};

use crate::arguments::{BreakerOrder, Force, Level, Mode};

/// What is sent: `POST` to these segments below the control router, with this body.
#[derive(Debug, PartialEq)]
pub(crate) struct Order {
    pub(crate) path: Vec<String>,
    pub(crate) body: Value,
    /// What was ordered, in words.
    pub(crate) told: String,
}

impl Order {
    fn new(path: &[&str], body: Value, told: impl Into<String>) -> Self {
        let path = path.iter().map(|&segment| segment.to_owned()).collect();
        Self { path, body, told: told.into() }
    }

    pub(crate) fn force(force: &Force) -> Self {
        match force {
            Force::Level { level, why, limit } => {
                let level = match level {
                    Level::Normal => "normal",
                    Level::Degraded => "degraded",
                    Level::Critical => "critical",
                };
                let body = with(json!({ "level": level }), &why.reason, limit.seconds);
                Self::new(&["level"], body, format!("the level is forced to {level}"))
            }
            Force::Mode { mode, why, limit } => {
                let mode = match mode {
                    Mode::Full => "full",
                    Mode::Minimal => "minimal",
                    Mode::ReadOnly => "read_only",
                };
                let body = with(json!({ "mode": mode }), &why.reason, limit.seconds);
                Self::new(&["mode"], body, format!("the mode is forced to {mode}"))
            }
            Force::Breaker { dependency, order, why, limit } => {
                let (order, told) = match order {
                    BreakerOrder::Open => ("force_open", "forced open"),
                    BreakerOrder::Closed => ("force_closed", "forced closed"),
                    BreakerOrder::Disabled => ("disable", "disabled"),
                    BreakerOrder::ObserveOnly => ("observe_only", "observed only"),
                };
                let told = format!("the breaker of {dependency} is {told}");
                Self::breaker(dependency, order, &why.reason, limit.seconds, told)
            }
        }
    }

    pub(crate) fn release(breaker: Option<&str>, reason: &str) -> Self {
        match breaker {
            Some(name) => {
                let told = format!("the breaker of {name} is released");
                Self::breaker(name, "release", reason, None, told)
            }
            None => {
                Self::new(&["release"], json!({ "reason": reason }), "level and mode are released")
            }
        }
    }

    pub(crate) fn reset(breaker: Option<&str>, reason: &str) -> Self {
        match breaker {
            Some(name) => {
                let told = format!("the breaker of {name} is reset");
                Self::breaker(name, "reset", reason, None, told)
            }
            None => Self::new(&["reset"], json!({ "reason": reason }), "every order has ended"),
        }
    }

    pub(crate) fn drill(dependency: &str, reason: &str, seconds: Option<u64>) -> Self {
        let (action, told) = match seconds {
            Some(_) => ("drill", format!("{dependency} counts as down")),
            None => ("end-drill", format!("the drill of {dependency} has ended")),
        };
        Self::new(&["dependencies", dependency, action], with(json!({}), reason, seconds), told)
    }

    pub(crate) fn retry(queue: &str, id: &str, reason: &str) -> Self {
        Self::entry(queue, id, "retry", reason, format!("{id} is tried again"))
    }

    pub(crate) fn drop_entry(queue: &str, id: &str, reason: &str) -> Self {
        Self::entry(queue, id, "drop", reason, format!("{id} is given up"))
    }

    fn entry(queue: &str, id: &str, action: &str, reason: &str, told: String) -> Self {
        let path = ["queues", queue, "entries", id, action];
        Self::new(&path, json!({ "reason": reason }), told)
    }

    fn breaker(name: &str, order: &str, reason: &str, seconds: Option<u64>, told: String) -> Self {
        let body = with(json!({ "order": order }), reason, seconds);
        Self::new(&["dependencies", name, "breaker"], body, told)
    }
}

fn with(mut body: Value, reason: &str, seconds: Option<u64>) -> Value {
    if let Some(members) = body.as_object_mut() {
        members.insert("reason".to_owned(), reason.into());
        members.extend(seconds.map(|seconds| ("seconds".to_owned(), seconds.into())));
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::{Limit, Why};

    fn check(order: &Order, path: &str, body: &Value) {
        assert_eq!((order.path.join("/"), &order.body), (path.to_owned(), body));
        assert!(!order.told.is_empty());
    }

    #[test]
    fn each_order_is_the_request_that_the_control_router_takes() {
        let why = || Why { reason: "disks".to_owned() };
        let limit = |seconds| Limit { seconds };
        let level = Force::Level { level: Level::Critical, why: why(), limit: limit(Some(600)) };
        let told = json!({ "level": "critical", "reason": "disks", "seconds": 600 });
        check(&Order::force(&level), "level", &told);
        let mode = Force::Mode { mode: Mode::ReadOnly, why: why(), limit: limit(None) };
        check(&Order::force(&mode), "mode", &json!({ "mode": "read_only", "reason": "disks" }));
        let (dependency, order) = ("redis".to_owned(), BreakerOrder::Open);
        let breaker = Force::Breaker { dependency, order, why: why(), limit: limit(Some(5)) };
        let told = json!({ "order": "force_open", "reason": "disks", "seconds": 5 });
        check(&Order::force(&breaker), "dependencies/redis/breaker", &told);

        let reason = json!({ "reason": "r" });
        check(&Order::release(None, "r"), "release", &reason);
        check(&Order::reset(None, "r"), "reset", &reason);
        let told = json!({ "order": "reset", "reason": "r" });
        check(&Order::reset(Some("s3"), "r"), "dependencies/s3/breaker", &told);
        let told = json!({ "reason": "r", "seconds": 60 });
        check(&Order::drill("s3", "r", Some(60)), "dependencies/s3/drill", &told);
        check(&Order::drill("s3", "r", None), "dependencies/s3/end-drill", &reason);
        check(&Order::retry("uploads", "7", "r"), "queues/uploads/entries/7/retry", &reason);
        check(&Order::drop_entry("uploads", "7", "r"), "queues/uploads/entries/7/drop", &reason);
    }
}
