//! The services at the bottom, and what calls through the stacks above them.

use std::future::{Future, poll_fn};
use std::hint::black_box;
use std::io;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use tower::{Service, service_fn};

/// Runs so many operations.
pub type Run = Box<dyn FnMut(u64) + Send>;

/// What can be measured.
pub trait Target:
    Service<u64, Response = u64, Error: Send, Future: Send> + Clone + Send + 'static
{
}

impl<S> Target for S where
    S: Service<u64, Response = u64, Error: Send, Future: Send> + Clone + Send + 'static
{
}

/// Two callers that share what a clone shares.
pub fn both<S: Clone>(service: S, drive: fn(S) -> Run) -> [Run; 2] {
    [drive(service.clone()), drive(service)]
}

/// Answers at once, and never fails.
pub fn inner() -> impl Service<
    u64,
    Response = u64,
    Error = io::Error,
    Future = impl Future<Output = io::Result<u64>> + Send,
> + Clone
+ Send
+ 'static {
    service_fn(|n: u64| ready(black_box(n)))
}

pub fn ready(n: u64) -> impl Future<Output = io::Result<u64>> + Send {
    async move { Ok(n) }
}

/// Fails when it is told to.
pub fn work(n: u64) -> impl Future<Output = io::Result<u64>> + Send {
    async move { if n == u64::MAX { Err(io::ErrorKind::Other.into()) } else { Ok(n) } }
}

/// Waits once, as a call does that goes over a network.
pub fn pending_once() -> impl Service<
    u64,
    Response = u64,
    Error = io::Error,
    Future = impl Future<Output = io::Result<u64>> + Send,
> + Clone
+ Send
+ 'static {
    service_fn(|n: u64| {
        let mut polled = false;
        poll_fn(move |_| {
            if std::mem::replace(&mut polled, true) {
                Poll::Ready(Ok(black_box(n)))
            } else {
                Poll::Pending
            }
        })
    })
}

/// Polls to completion, which must be the first poll. In place, because a move of a future is no part
/// of what it costs.
macro_rules! once {
    ($future:expr) => {
        match std::pin::pin!($future)
            .poll(&mut std::task::Context::from_waker(std::task::Waker::noop()))
        {
            std::task::Poll::Ready(answer) => answer,
            std::task::Poll::Pending => unreachable!("nothing here waits"),
        }
    };
}
pub(super) use once;

/// Looks at an answer as a caller does, and not at every byte of an error type that it has not got.
#[inline]
pub fn consume<E>(answer: Result<u64, E>) {
    match answer {
        Ok(value) => black_box(value),
        Err(_) => black_box(0),
    };
}

/// Each call answers at its first poll.
pub fn driven<S>(mut service: S) -> Run
where
    S: Service<u64, Response = u64> + Send + 'static,
{
    Box::new(move |operations| {
        let mut context = Context::from_waker(Waker::noop());
        for n in 0..operations {
            let _ready = service.poll_ready(&mut context);
            consume(once!(service.call(n)));
        }
    })
}

/// The same, and every so many calls one fails.
pub fn driven_with_failures<S>(mut service: S, every: u64) -> Run
where
    S: Service<u64, Response = u64> + Send + 'static,
{
    Box::new(move |operations| {
        let mut context = Context::from_waker(Waker::noop());
        let mut left = every;
        for n in 0..operations {
            left -= 1;
            let fails = left == 0;
            if fails {
                left = every;
            }
            let _ready = service.poll_ready(&mut context);
            consume(once!(service.call(if fails { u64::MAX } else { n })));
        }
    })
}

/// Each call answers at its second poll.
pub fn driven_twice<S>(mut service: S) -> Run
where
    S: Service<u64, Response = u64> + Send + 'static,
{
    Box::new(move |operations| {
        let mut context = Context::from_waker(Waker::noop());
        for n in 0..operations {
            let _ready = service.poll_ready(&mut context);
            let mut call = pin!(service.call(n));
            let _waits = call.as_mut().poll(&mut context).is_pending();
            consume(once!(call));
        }
    })
}

/// Each call is awaited in a task of tokio, as most are.
pub fn driven_in_task<S>(service: S) -> Run
where
    S: Service<u64, Response = u64> + Send + 'static,
    S::Future: Send,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut service = Some(service);
    Box::new(move |operations| {
        let mut taken = service.take().expect("it comes back");
        let task = async move {
            for n in 0..operations {
                let _ready = poll_fn(|cx| taken.poll_ready(cx)).await;
                consume(taken.call(n).await);
            }
            taken
        };
        service = Some(runtime.block_on(task));
    })
}
