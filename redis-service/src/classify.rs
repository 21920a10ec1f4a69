//! What a failed command says about Redis.
//!
//! redis-rs tells what went wrong, not whose fault it is: half of the server's error codes are one
//! `ErrorKind::Extension`, a reply of another type than the caller asked for looks like a broken
//! wire, and "unrecoverable" means *this connection is dead*, not *Redis is sick*. So each error
//! goes through one table. It sees errors of the wire only: replies are decoded above all layers,
//! and what fails there is the caller's.
//!
//! | error | kind | counts | retires the connection |
//! | --- | --- | --- | --- |
//! | no answer in time | timeout | yes | only the third in a row |
//! | refused, reset, broken pipe, name not resolved | connection | yes | yes |
//! | a reply that is no RESP | protocol | yes | yes |
//! | `NOAUTH`, `WRONGPASS`, `AUTH` refused | auth | yes | yes |
//! | `LOADING` | loading | yes | no |
//! | `READONLY` (a failover), `UNBLOCKED` | readonly | yes | yes |
//! | `OOM` | oom | yes | no |
//! | `MASTERDOWN`, `CLUSTERDOWN`, `MISCONF`, `NOREPLICAS`, `BUSY` | other | yes | no |
//! | `TRYAGAIN` | other | no | no |
//! | any other answer: `WRONGTYPE`, `ERR`, `NOSCRIPT`, `NOPERM`, `MOVED` … | client | no | no |
//!
//! While dialling everything counts: a connection that can not be made serves nobody.

use redis::{ErrorKind as Kind, RedisError};

/// The `error_type` label of a metric: a closed set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a closed set: dashboards and alerts list it")]
pub enum ErrorKind {
    /// No answer within the deadline.
    Timeout,
    /// No connection, or it was lost.
    Connection,
    /// Redis refused the credentials, or asks for some.
    Auth,
    /// Redis is reading its data from disk.
    Loading,
    /// A write reached a replica.
    ReadOnly,
    /// Redis is at its memory limit.
    Oom,
    /// The peer does not speak the Redis protocol.
    Protocol,
    /// The caller's own mistake.
    Client,
    /// Redis says that it can not serve, for another reason.
    Other,
}

impl ErrorKind {
    /// The label of every kind, in the order of [`index`](Self::index).
    pub const LABELS: [&'static str; 9] = [
        "timeout",
        "connection",
        "auth",
        "loading",
        "readonly",
        "oom",
        "protocol",
        "client",
        "other",
    ];

    /// The kind's place in [`LABELS`](Self::LABELS).
    #[expect(clippy::as_conversions, reason = "the discriminants are 0..9, in the order of LABELS")]
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The value of the label.
    #[must_use]
    pub fn label(self) -> &'static str {
        Self::LABELS.get(self.index()).copied().unwrap_or("other")
    }
}

/// When an error came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// While a connection was made.
    Dial,
    /// In answer to a command.
    Call,
}

/// What an error means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Class {
    /// Its label.
    pub(crate) kind: ErrorKind,
    /// Whether it is a failure of Redis, for the breaker and for health.
    pub(crate) counts: bool,
    /// Whether the connection it came over is of no more use.
    pub(crate) retire: bool,
}

impl Class {
    const fn counts(kind: ErrorKind) -> Self {
        Self { kind, counts: true, retire: false }
    }

    const fn retires(kind: ErrorKind) -> Self {
        Self { kind, counts: true, retire: true }
    }

    const fn ignored(kind: ErrorKind) -> Self {
        Self { kind, counts: false, retire: false }
    }
}

/// Judges an error of the wire stage.
pub(crate) fn classify(error: &RedisError, stage: Stage) -> Class {
    let class = match error.kind() {
        Kind::Io if error.is_timeout() => Class::counts(ErrorKind::Timeout),
        Kind::Io
        | Kind::MasterNameNotFoundBySentinel
        | Kind::NoValidReplicasFoundBySentinel
        | Kind::ClusterConnectionNotFound => Class::retires(ErrorKind::Connection),
        Kind::AuthenticationFailed => Class::retires(ErrorKind::Auth),
        Kind::Parse | Kind::UnexpectedReturnType | Kind::RESP3NotSupported => {
            Class::retires(ErrorKind::Protocol)
        }
        Kind::Client | Kind::InvalidClientConfig | Kind::EmptySentinelList => {
            Class::ignored(ErrorKind::Client)
        }
        Kind::Server(_) | Kind::Extension => answer(error),
        _ => Class::counts(ErrorKind::Other),
    };
    match (stage, class.counts) {
        (Stage::Dial, false) => Class::retires(ErrorKind::Other),
        _ => class,
    }
}

/// Judges an error that Redis itself answered with: by its code, which is the first word.
fn answer(error: &RedisError) -> Class {
    match error.code() {
        Some(code) => by_code(code),
        // Several errors of one pipeline: the worst of them speaks.
        None => error.clone().into_server_errors().map_or_else(
            || Class::ignored(ErrorKind::Client),
            |errors| worst(errors.iter().map(|(_, error)| by_code(error.code()))),
        ),
    }
}

/// The class of a server error's code.
pub(crate) fn by_code(code: &str) -> Class {
    match code {
        "LOADING" => Class::counts(ErrorKind::Loading),
        "READONLY" | "UNBLOCKED" => Class::retires(ErrorKind::ReadOnly),
        "OOM" => Class::counts(ErrorKind::Oom),
        "NOAUTH" | "WRONGPASS" => Class::retires(ErrorKind::Auth),
        "MASTERDOWN" | "CLUSTERDOWN" | "MISCONF" | "NOREPLICAS" | "BUSY" => {
            Class::counts(ErrorKind::Other)
        }
        "TRYAGAIN" => Class::ignored(ErrorKind::Other),
        _ => Class::ignored(ErrorKind::Client),
    }
}

/// The first class that counts, or else the first.
fn worst(classes: impl Iterator<Item = Class> + Clone) -> Class {
    let first = classes.clone().next();
    let mut counting = classes.filter(|class| class.counts);
    counting.next().or(first).unwrap_or(Class::ignored(ErrorKind::Client))
}

#[cfg(test)]
mod tests;
