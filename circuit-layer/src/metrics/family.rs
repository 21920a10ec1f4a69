//! Which series there are: names, help texts, labels, buckets.
//!
//! Dashboards and alerts are written against exact names and label values. So a family is a
//! constant: closed lists of operations and error types, known before the first call, which also
//! bounds how many series there can be and lets a call count without allocating.

/// The metrics of one kind of dependency, under one prefix.
///
/// For the prefix `redis`:
///
/// | name | type | labels |
/// | --- | --- | --- |
/// | `redis_requests_total` | counter | `operation`, `status` = success, failure, rejected |
/// | `redis_errors_total` | counter | `operation`, `error_type` |
/// | `redis_latency_seconds` | histogram | `operation` |
/// | `redis_circuit_breaker_state` | gauge | – |
/// | `redis_health_score` | gauge | – |
/// | `redis_bytes_transferred` | counter | `direction` = upload, download; only with `bytes` |
///
/// Make one of your own for another dependency. It is a `static`, because its label values are
/// used without copying them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Family {
    /// What the six names begin with, lower snake case.
    pub prefix: &'static str,
    /// What the help texts call the dependency.
    pub title: &'static str,
    /// The values of `operation`, lower snake case, each once. The last is the catch-all.
    pub operations: &'static [&'static str],
    /// The values of `error_type`, lower snake case, each once. The last is the catch-all.
    pub errors: &'static [&'static str],
    /// Upper bounds of the latency buckets in seconds, strictly rising. (Other lists make the
    /// whole histogram silently disappear in the OpenTelemetry SDK.)
    pub buckets: &'static [f64],
    /// Whether bytes are counted.
    pub bytes: bool,
}

impl Family {
    /// The index of an operation, for [`Recorder`](super::Recorder); a name that is not in the list
    /// gets that of the catch-all.
    #[must_use]
    pub fn operation(&self, name: &str) -> usize {
        index(self.operations, name)
    }

    /// The index of an error type, for [`Recorder::failure`](super::Recorder::failure); a name that
    /// is not in the list gets that of the catch-all.
    #[must_use]
    pub fn error(&self, name: &str) -> usize {
        index(self.errors, name)
    }

    pub(super) fn name(&self, what: &str) -> String {
        format!("{}_{what}", self.prefix)
    }

    pub(super) fn help(&self, what: &str) -> String {
        format!("{} {what}", self.title)
    }
}

fn index(list: &[&str], name: &str) -> usize {
    let catch_all = list.len().saturating_sub(1);
    list.iter().position(|known| *known == name).unwrap_or(catch_all)
}

/// Redis. The buckets are exact at 1 ms (the target) and 10 ms (still acceptable), so that the
/// share of calls within them is exact, and end above the usual deadlines.
pub static REDIS: Family = Family {
    prefix: "redis",
    title: "Redis",
    operations: &[
        "get",
        "set",
        "delete",
        "incr",
        "lpush",
        "rpop",
        "llen",
        "lrange",
        "hset",
        "hget",
        "hgetall",
        "hdel",
        "sadd",
        "srem",
        "smembers",
        "scard",
        "zadd",
        "zrange",
        "zcard",
        "expire",
        "ping",
        "health_check",
        "pipeline",
        "raw",
    ],
    errors: &[
        "timeout",
        "connection",
        "auth",
        "loading",
        "readonly",
        "oom",
        "protocol",
        "client",
        "other",
    ],
    buckets: &[
        0.0001, 0.00025, 0.0005, 0.00075, 0.001, 0.0015, 0.002, 0.003, 0.005, 0.01, 0.025, 0.05,
        0.1, 0.25, 0.5, 1.0, 2.5,
    ],
    bytes: false,
};

/// S3. The buckets go from 0.1 s to 25 s, exact at 5 and 10 s, where a transfer is to be done.
pub static S3: Family = Family {
    prefix: "s3",
    title: "S3",
    operations: &["upload", "download", "delete", "list", "head", "copy", "health_check", "other"],
    errors: &[
        "timeout",
        "dispatch",
        "server",
        "throttling",
        "transient",
        "response",
        "body",
        "client",
        "other",
    ],
    buckets: &[0.1, 0.15, 0.25, 0.35, 0.5, 0.75, 1.0, 1.5, 2.5, 3.5, 5.0, 7.5, 10.0, 15.0, 25.0],
    bytes: true,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_finds_its_index_and_an_unknown_one_the_catch_all() {
        assert_eq!(REDIS.operation("get"), 0);
        assert_eq!(REDIS.operation("raw"), 23);
        assert_eq!(REDIS.operation("flushall"), 23);
        assert_eq!(S3.operation("upload"), 0);
        assert_eq!(S3.operation("get_object_tagging"), 7);
        assert_eq!(S3.error("dispatch"), 1);
        assert_eq!(S3.error("moon"), 8);
    }

    #[test]
    fn every_list_has_each_value_once_and_buckets_rise() {
        for family in [&REDIS, &S3] {
            for list in [family.operations, family.errors] {
                for (index, name) in list.iter().enumerate() {
                    assert_eq!(list.iter().position(|known| known == name), Some(index), "{name}");
                }
            }
            assert!(family.buckets.is_sorted_by(|a, b| a < b), "{}", family.prefix);
        }
    }
}
