//! The service under the middleware: it notes whether it is used as tower allows.

use std::future::Future;
use std::io;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tower::Service;

/// What [`Inner`] does, and what was done to it. Clones are the same one.
#[derive(Clone, Default)]
pub(crate) struct Rig(Arc<Mutex<Facts>>);

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Mood {
    #[default]
    Well,
    /// `poll_ready` waits until it is well.
    Busy,
    /// `poll_ready` fails.
    Broken,
    /// Calls wait until it is well.
    Holding,
    /// Calls panic when they are polled.
    Panicking,
}

#[derive(Default)]
pub(crate) struct Facts {
    mood: Mood,
    pub(crate) calls: usize,
    /// Calls of an instance that had not been readied.
    pub(crate) unready_calls: usize,
    /// Instances that are ready, and have not been called or dropped since.
    pub(crate) reserved: usize,
    /// Calls that have not been dropped.
    pub(crate) alive: usize,
    waiting: Vec<Waker>,
}

impl Rig {
    pub(crate) fn facts(&self) -> MutexGuard<'_, Facts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes its mood, and wakes whoever waits for that.
    pub(crate) fn be(&self, mood: Mood) {
        self.facts().mood = mood;
        let waiting = std::mem::take(&mut self.facts().waiting);
        waiting.into_iter().for_each(Waker::wake);
    }

    fn is(&self, mood: Mood) -> bool {
        self.facts().mood == mood
    }

    fn wait(&self, cx: &Context<'_>) {
        self.facts().waiting.push(cx.waker().clone());
    }
}

/// Answers any request with `answer`, if it was readied before. An instance that is ready holds a
/// reservation, as one of a concurrency limit does.
pub(crate) struct Inner<Response, Error = io::Error> {
    pub(crate) rig: Rig,
    ready: bool,
    answer: fn() -> Response,
    fail: fn() -> Error,
}

impl<Response> Inner<Response> {
    pub(crate) fn new(rig: &Rig, answer: fn() -> Response) -> Self {
        Self::failing(rig, answer, || io::ErrorKind::NotConnected.into())
    }
}

impl<Response, Error> Inner<Response, Error> {
    /// The same with an error of another type.
    pub(crate) fn failing(rig: &Rig, answer: fn() -> Response, fail: fn() -> Error) -> Self {
        Self { rig: rig.clone(), ready: false, answer, fail }
    }

    fn unready(&mut self) -> bool {
        let was_ready = std::mem::take(&mut self.ready);
        self.rig.facts().reserved -= usize::from(was_ready);
        was_ready
    }
}

impl<Response, Error> Clone for Inner<Response, Error> {
    fn clone(&self) -> Self {
        Self::failing(&self.rig, self.answer, self.fail)
    }
}

impl<Response, Error> Drop for Inner<Response, Error> {
    fn drop(&mut self) {
        self.unready();
    }
}

impl<Request, Response, Error> Service<Request> for Inner<Response, Error> {
    type Response = Response;
    type Error = Error;
    type Future = Call<Response, Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if self.rig.is(Mood::Broken) {
            return Poll::Ready(Err((self.fail)()));
        }
        if self.rig.is(Mood::Busy) {
            self.rig.wait(cx);
            return Poll::Pending;
        }
        self.rig.facts().reserved += usize::from(!self.ready);
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request) -> Self::Future {
        let was_ready = self.unready();
        let mut facts = self.rig.facts();
        facts.calls += 1;
        facts.unready_calls += usize::from(!was_ready);
        facts.alive += 1;
        drop(facts);
        Call { rig: self.rig.clone(), answer: self.answer, marker: PhantomData }
    }
}

/// A call of [`Inner`].
pub(crate) struct Call<Response, Error = io::Error> {
    rig: Rig,
    answer: fn() -> Response,
    marker: PhantomData<fn() -> Error>,
}

impl<Response, Error> Future for Call<Response, Error> {
    type Output = Result<Response, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        assert!(!self.rig.is(Mood::Panicking), "told to panic");
        if self.rig.is(Mood::Holding) {
            self.rig.wait(cx);
            return Poll::Pending;
        }
        Poll::Ready(Ok((self.answer)()))
    }
}

impl<Response, Error> Drop for Call<Response, Error> {
    fn drop(&mut self) {
        self.rig.facts().alive -= 1;
    }
}
