//! The future of a [`Fallback`](super::Fallback).

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use redis::Value;

use super::Answer;
use super::layer::Core;
use super::plan::Plan;
use crate::cache::Stamp;
use crate::error::Error;

type Boxed = Pin<Box<dyn Future<Output = Result<Answer<Value>, Error>> + Send>>;

pin_project! {
    /// The future of [`Fallback`](super::Fallback).
    pub struct Answering<F> {
        #[pin]
        step: Step<F>,
    }
}

pin_project! {
    #[project = StepProj]
    enum Step<F> {
        Plain { #[pin] inner: F },
        Asking { #[pin] inner: F, asked: Option<Asked> },
        After { first: Boxed },
    }
}

/// What is done with the outcome.
struct Asked {
    core: Arc<Core>,
    plan: Plan,
    begun: Stamp,
}

impl<F> Answering<F> {
    pub(super) const fn plain(inner: F) -> Self {
        Self { step: Step::Plain { inner } }
    }

    pub(super) const fn asking(inner: F, core: Arc<Core>, plan: Plan, begun: Stamp) -> Self {
        Self { step: Step::Asking { inner, asked: Some(Asked { core, plan, begun }) } }
    }

    pub(super) const fn after(first: Boxed) -> Self {
        Self { step: Step::After { first } }
    }
}

impl<F, E> Future for Answering<F>
where
    F: Future<Output = Result<Value, E>>,
    Error: From<E>,
{
    type Output = Result<Answer<Value>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().step.project() {
            StepProj::Plain { inner } => {
                let outcome = ready!(inner.poll(cx));
                Poll::Ready(outcome.map(Answer::fresh).map_err(Error::from))
            }
            StepProj::Asking { inner, asked } => {
                let outcome = ready!(inner.poll(cx)).map_err(Error::from);
                Poll::Ready(match asked.take() {
                    Some(Asked { core, plan, begun }) => core.resolve(plan, outcome, begun),
                    // Polled after its end; then it only passes on.
                    None => outcome.map(Answer::fresh),
                })
            }
            StepProj::After { first } => first.as_mut().poll(cx),
        }
    }
}

impl<F> fmt::Debug for Answering<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answering").finish_non_exhaustive()
    }
}
