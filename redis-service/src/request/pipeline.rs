//! Several requests in one round trip.

use super::{Manner, Raw, Request, SetOptions};
use crate::Arg;

/// Requests that travel together and are answered together, in order.
///
/// Without [`atomic`](Self::atomic) other callers' commands may run in between, and each request
/// stands alone: one that fails does not stop the rest. The whole answers with an array, or with
/// the error of the request that failed worst; then the others may have been applied.
#[derive(Clone, Debug, Default)]
pub struct Pipeline {
    requests: Vec<Request>,
    atomic: bool,
}

impl Pipeline {
    /// An empty pipeline; it answers with an empty array and is never sent.
    #[must_use]
    pub const fn new() -> Self {
        Self { requests: Vec::new(), atomic: false }
    }

    /// Sends it as one `MULTI` … `EXEC`: nothing runs in between.
    #[must_use]
    pub const fn atomic(mut self) -> Self {
        self.atomic = true;
        self
    }

    /// One by one again.
    pub(super) const fn loose(mut self) -> Self {
        self.atomic = false;
        self
    }

    /// Adds a request. The requests of a nested pipeline are added one by one; a
    /// [`Transaction`](super::Transaction) can not be part of one, and fails the whole unsent.
    #[must_use]
    pub fn push(mut self, request: Request) -> Self {
        if let Request::Pipeline(nested) = request {
            self.requests.extend(nested.requests);
        } else {
            self.requests.push(request);
        }
        self
    }

    /// Adds a `GET`.
    #[must_use]
    pub fn get(self, key: impl Arg) -> Self {
        self.push(Request::Get { key: key.into_bytes() })
    }

    /// Adds a `SET` without options.
    #[must_use]
    pub fn set(self, key: impl Arg, value: impl Arg) -> Self {
        self.set_with(key, value, SetOptions::new())
    }

    /// Adds a `SET`.
    #[must_use]
    pub fn set_with(self, key: impl Arg, value: impl Arg, options: SetOptions) -> Self {
        let (key, value) = (key.into_bytes(), value.into_bytes());
        self.push(Request::Set { key, value, options })
    }

    /// Adds a `DEL` of one key.
    #[must_use]
    pub fn delete(self, key: impl Arg) -> Self {
        self.push(Request::Delete { keys: vec![key.into_bytes()] })
    }

    /// Adds an `INCR`.
    #[must_use]
    pub fn incr(self, key: impl Arg) -> Self {
        self.push(Request::Incr { key: key.into_bytes(), by: 1 })
    }

    /// Adds any other command. One that blocks, such as `BLPOP`, fails the whole unsent, unless the
    /// pipeline is atomic: in a transaction nothing waits. So does an empty one, in any.
    ///
    /// `WAIT` and `WAITAOF` confirm the writes that stand before them, and have their time on top of the
    /// deadline of the call. By themselves they are refused: the writes went over another connection.
    #[must_use]
    pub fn raw(self, cmd: redis::Cmd) -> Self {
        self.push(Request::Raw(Raw::new(cmd)))
    }

    /// The requests, in order.
    #[must_use]
    pub fn requests(&self) -> &[Request] {
        &self.requests
    }

    /// A transaction has a connection to itself, as everything that must not be interrupted.
    pub(crate) fn manner(&self) -> Manner {
        let own = if self.atomic { Manner::Alone } else { Manner::Shared };
        let each = self.requests.iter().map(|request| {
            let nested = matches!(request, Request::Transaction(_));
            if nested { Manner::Alters } else { request.manner() }
        });
        each.max().map_or(own, |worst| worst.max(own))
    }

    /// Whether one of its commands waits in Redis, with all that follow behind it.
    pub(crate) fn waits(&self) -> bool {
        !self.atomic && self.requests.iter().any(Request::waits)
    }

    /// Whether one of them waits for anything but what stands before it.
    pub(super) fn blocks(&self) -> bool {
        let confirms = |request: &Request| matches!(request, Request::Raw(raw) if raw.confirms());
        let mut requests = self.requests.iter();
        !self.atomic && requests.any(|request| request.waits() && !confirms(request))
    }

    /// Whether it is sent as a transaction.
    #[must_use]
    pub const fn is_atomic(&self) -> bool {
        self.atomic
    }

    /// How many requests it holds.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.requests.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }
}

impl From<Pipeline> for Request {
    fn from(pipeline: Pipeline) -> Self {
        Self::Pipeline(pipeline)
    }
}

impl From<Raw> for Request {
    fn from(raw: Raw) -> Self {
        Self::Raw(raw)
    }
}

impl FromIterator<Request> for Pipeline {
    fn from_iter<I: IntoIterator<Item = Request>>(requests: I) -> Self {
        requests.into_iter().fold(Self::new(), Self::push)
    }
}
