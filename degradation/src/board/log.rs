//! What has happened lately, for those who come late.
//!
//! A channel tells only those who listen. An operator who opens the page after the alarm wants to
//! read what led to it: what changed, why, and who ordered what for which reason. So the last
//! entries are kept, each with its time, its cause and, where an operator gave one, its reason.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::time::Time;

/// How many entries are kept: an hour of one change in eighteen seconds, in some 40 KB.
const KEPT: usize = 200;

/// What an entry of the log is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LogKind {
    /// Level, mode or flags changed.
    Change,
    /// A dependency went down, came back, or nobody knows any more.
    Dependency,
    /// An operator ordered something, or an order ended.
    Order,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct LogEntry {
    /// Rises by one with each entry.
    pub id: u64,
    /// When, in milliseconds since 1970. For people only: wall time steps.
    pub at_unix_ms: u64,
    /// What it is about.
    pub kind: LogKind,
    /// The dependency or the queue that it is about; `service` if it is about all.
    pub subject: Arc<str>,
    /// What happened: `level normal → degraded`.
    pub what: Arc<str>,
    /// What made it happen.
    pub cause: Arc<str>,
    /// The operator's reason, if an operator ordered it.
    pub reason: Option<Arc<str>>,
}

/// What an entry says, before it has a number and a time.
#[derive(Debug)]
pub(crate) struct Note<'a> {
    pub(crate) kind: LogKind,
    pub(crate) subject: &'a str,
    pub(crate) what: &'a str,
    pub(crate) cause: &'a str,
    pub(crate) reason: Option<&'a str>,
}

impl<'a> Note<'a> {
    /// An operator ordered `what`.
    pub(crate) const fn order(subject: &'a str, what: &'a str, reason: &'a str) -> Self {
        let (kind, cause) = (LogKind::Order, "an operator's order");
        Self { kind, subject, what, cause, reason: Some(reason) }
    }
}

/// The subject of what concerns no single dependency.
pub(crate) const SERVICE: &str = "service";

/// The last entries.
#[derive(Debug, Default)]
pub(crate) struct Log {
    entries: VecDeque<LogEntry>,
    next: u64,
}

impl Log {
    pub(super) fn note(&mut self, note: &Note<'_>, at: Time) {
        if self.entries.len() == KEPT {
            self.entries.pop_front();
        }
        self.next += 1;
        self.entries.push_back(LogEntry {
            id: self.next,
            at_unix_ms: at.unix_ms(),
            kind: note.kind,
            subject: note.subject.into(),
            what: note.what.into(),
            cause: note.cause.into(),
            reason: note.reason.map(Arc::from),
        });
    }

    /// The newest first.
    pub(super) fn newest_first(&self) -> Vec<LogEntry> {
        self.entries.iter().rev().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use circuit_layer::Moment;

    use super::*;

    #[test]
    fn the_log_is_bounded_and_numbers_go_on() {
        let mut log = Log::default();
        let at = Time { now: Moment::from_nanos(0), unix: Duration::from_secs(1) };
        for number in 0..500 {
            log.note(&Note::order("redis", &format!("drill {number}"), "game day"), at);
        }
        let entries = log.newest_first();
        assert_eq!(entries.len(), KEPT);
        let ends = [entries.first(), entries.last()].map(|entry| entry.map(|entry| entry.id));
        assert_eq!(ends, [Some(500), Some(301)]);
        assert_eq!(&*entries[0].what, "drill 499");
        assert_eq!(entries[0].reason.as_deref(), Some("game day"));
        assert_eq!(entries[0].at_unix_ms, 1_000);
    }
}
