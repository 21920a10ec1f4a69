//! The operations that metrics, health and layers tell apart.

/// What a [`Request`](crate::Request) does, without its arguments.
///
/// [`label`](Self::label) is the value of the `operation` label of every metric; everything that
/// is kept per operation is indexed by [`index`](Self::index).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// `GET`.
    Get,
    /// `SET`, with or without `EX`, `PX`, `NX`, `XX`.
    Set,
    /// `DEL`.
    Delete,
    /// `INCR` and `INCRBY`.
    Incr,
    /// `LPUSH`.
    LPush,
    /// `RPOP`.
    RPop,
    /// `LLEN`.
    LLen,
    /// `LRANGE`.
    LRange,
    /// `HSET`.
    HSet,
    /// `HGET`.
    HGet,
    /// `HGETALL`.
    HGetAll,
    /// `HDEL`.
    HDel,
    /// `SADD`.
    SAdd,
    /// `SREM`.
    SRem,
    /// `SMEMBERS`.
    SMembers,
    /// `SCARD`.
    SCard,
    /// `ZADD`.
    ZAdd,
    /// `ZRANGE`.
    ZRange,
    /// `ZCARD`.
    ZCard,
    /// `EXPIRE` and `PEXPIRE`.
    Expire,
    /// `PING` as an ordinary call.
    Ping,
    /// `PING` with the short deadline of a health check.
    HealthCheck,
    /// Several commands in one round trip.
    Pipeline,
    /// Any other command.
    Raw,
}

impl Operation {
    /// Every operation, in the order of [`index`](Self::index).
    pub const ALL: [Self; 24] = [
        Self::Get,
        Self::Set,
        Self::Delete,
        Self::Incr,
        Self::LPush,
        Self::RPop,
        Self::LLen,
        Self::LRange,
        Self::HSet,
        Self::HGet,
        Self::HGetAll,
        Self::HDel,
        Self::SAdd,
        Self::SRem,
        Self::SMembers,
        Self::SCard,
        Self::ZAdd,
        Self::ZRange,
        Self::ZCard,
        Self::Expire,
        Self::Ping,
        Self::HealthCheck,
        Self::Pipeline,
        Self::Raw,
    ];

    /// The label of every operation, in the order of [`index`](Self::index).
    pub const LABELS: [&'static str; 24] = [
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
    ];

    /// The operation's name in lower snake case, as metrics carry it.
    #[must_use]
    pub fn label(self) -> &'static str {
        Self::LABELS.get(self.index()).copied().unwrap_or("raw")
    }

    /// The operation's place in [`ALL`](Self::ALL) and [`LABELS`](Self::LABELS).
    #[expect(clippy::as_conversions, reason = "the discriminants are 0..24, in the order of ALL")]
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl std::fmt::Display for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.label())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_finds_its_own_operation() {
        for (place, operation) in Operation::ALL.into_iter().enumerate() {
            assert_eq!(operation.index(), place);
            let name = format!("{operation:?}").to_lowercase();
            assert_eq!(operation.label().replace('_', ""), name);
        }
    }

    #[test]
    fn labels_are_distinct_and_in_lower_snake_case() {
        let mut labels = Operation::LABELS.to_vec();
        assert!(labels.iter().all(|l| l.bytes().all(|b| b == b'_' || b.is_ascii_lowercase())));
        labels.sort_unstable();
        labels.dedup();
        assert_eq!(labels.len(), Operation::ALL.len());
    }
}
