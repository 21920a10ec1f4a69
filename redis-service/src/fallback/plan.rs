//! What a request means for the memory: before it is sent, and once it is known what became of it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use circuit_layer::Moment;
use redis::{Arg, Value};

use super::layer::Core;
use super::{Answer, Source};
use crate::cache::{Mark, Ticket, Written};
use crate::request::Request;

/// A request as the memory sees it.
pub(super) enum Plan {
    /// Nothing to remember.
    Pass,
    Read {
        key: Bytes,
        ticket: Ticket,
    },
    Write(Writes),
    /// A write that names no key: it may have changed them all.
    ChangeAll,
}

/// Writes under way. Given up, they may have done anything.
pub(super) struct Writes {
    core: Arc<Core>,
    marks: Vec<(Bytes, Mark)>,
    /// The one key, where there is one whose value is kept.
    key: Option<Bytes>,
    keeps: Option<Kept>,
}

/// What a write leaves in its one key, if it succeeds.
struct Kept {
    value: Option<Bytes>,
    ttl: Option<Duration>,
    /// Whether it can be done without Redis.
    local: bool,
}

impl Kept {
    fn by(request: &Request) -> Option<Self> {
        if let Request::Set { value, options, .. } = request {
            let (value, local) = (Some(value.clone()), !options.is_conditional());
            return Some(Self { value, ttl: options.time_to_live(), local });
        }
        let one = matches!(request, Request::Delete { keys } if keys.len() == 1);
        one.then_some(Self { value: None, ttl: None, local: true })
    }
}

impl Plan {
    pub(super) fn of(core: &Arc<Core>, request: &Request, now: Moment) -> Self {
        if let Request::Get { key } = request {
            return Self::Read { key: key.clone(), ticket: core.cache.ticket(key, now) };
        }
        if !request.is_write() {
            return Self::Pass;
        }
        match keys(request) {
            Some(keys) => Self::write(core, keys, Kept::by(request), now),
            None => Self::ChangeAll,
        }
    }

    fn write(core: &Arc<Core>, keys: Vec<Bytes>, keeps: Option<Kept>, now: Moment) -> Self {
        let key = keeps.as_ref().and_then(|_| keys.first().cloned());
        let marks = keys.into_iter().map(|key| {
            let mark = core.cache.begin_write(&key, now);
            (key, mark)
        });
        Self::Write(Writes { core: Arc::clone(core), marks: marks.collect(), key, keeps })
    }

    /// Redis answered.
    pub(super) fn done(self, core: &Core, reply: &Value, now: Moment) {
        match self {
            Self::Pass => {}
            Self::Read { key, ticket } => core.cache.learn(ticket, &key, text(reply), now),
            Self::Write(mut writes) => {
                let keeps = writes.keeps.take();
                let written = match (keeps, reply) {
                    (Some(_), Value::Nil) => Written::Nothing,
                    (Some(Kept { value: Some(value), ttl, .. }), _) => Written::Value(value, ttl),
                    _ => Written::Unknown,
                };
                writes.end(&written);
            }
            Self::ChangeAll => core.cache.changed_unless_told(),
        }
    }

    /// Redis did not do it, or nobody knows whether it did.
    pub(super) fn failed(&mut self, core: &Core, maybe_applied: bool) {
        match self {
            Self::Write(writes) if !maybe_applied => writes.end(&Written::Nothing),
            Self::Write(writes) => writes.end(&Written::Unknown),
            Self::ChangeAll if maybe_applied => core.cache.changed_unless_told(),
            Self::Pass | Self::Read { .. } | Self::ChangeAll => {}
        }
    }

    /// What can be said without Redis, after it has failed.
    pub(super) fn answer(self, core: &Core, now: Moment) -> Option<Answer<Value>> {
        match self {
            Self::Read { key, .. } => {
                let found = core.cache.find(&key, now, core.config.max_age)?;
                let value = found.value.map_or(Value::Nil, |value| Value::BulkString(value.into()));
                let source = if found.local { Source::Local } else { Source::Memory };
                Some(Answer { value, source, age: found.age })
            }
            Self::Write(mut writes) => {
                let keeps =
                    writes.keeps.take().filter(|keeps| keeps.local && core.config.local_writes);
                let (keeps, key) = (keeps?, writes.key.take()?);
                core.local.admit(&key)?;
                let there = core.cache.find(&key, now, core.config.max_age);
                let there = there.is_some_and(|found| found.value.is_some());
                let reply =
                    if keeps.value.is_some() { Value::Okay } else { Value::Int(there.into()) };
                core.cache.write_local(&key, keeps.value, keeps.ttl, now);
                Some(Answer { value: reply, source: Source::Local, age: Duration::ZERO })
            }
            Self::Pass | Self::ChangeAll => None,
        }
    }
}

impl Writes {
    fn end(&mut self, written: &Written) {
        for (key, mark) in self.marks.drain(..) {
            self.core.cache.end_write(mark, &key, written.clone());
        }
    }
}

impl Drop for Writes {
    fn drop(&mut self) {
        self.end(&Written::Unknown);
    }
}

/// The value in a reply, if there is one.
pub(super) fn text(reply: &Value) -> Option<&[u8]> {
    if let Value::BulkString(text) = reply { Some(text) } else { None }
}

/// The keys that a write may change; `None` if it may be any.
fn keys(request: &Request) -> Option<Vec<Bytes>> {
    if let Request::Delete { keys } = request {
        return Some(keys.clone());
    }
    if let Request::Pipeline(pipeline) = request {
        let writes = pipeline.requests().iter().filter(|request| request.is_write());
        let keys: Option<Vec<_>> = writes.map(keys).collect();
        return Some(keys?.concat());
    }
    if let Request::Transaction(_) = request {
        // What it writes is decided on the way.
        return None;
    }
    if let Request::Raw(raw) = request {
        if raw.names_no_key() {
            return None;
        }
        // Where the keys stand among the arguments differs between commands; any of them may be one.
        let words = raw.cmd().args_iter().skip(1);
        let words = words.filter_map(|word| {
            if let Arg::Simple(word) = word { Some(Bytes::copy_from_slice(word)) } else { None }
        });
        let words: Vec<_> = words.collect();
        return (!words.is_empty()).then_some(words);
    }
    request.key().map(|key| vec![key.clone()])
}
