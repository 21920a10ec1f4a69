//! The laws for services that end a stack: they speak to a server, so nothing can be put under them.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use futures_util::future::join_all;
use tower::{Service, ServiceExt};

const BOUND: Duration = Duration::from_secs(10);

/// The laws that a service breaks, by name; none for a good one.
///
/// `request` changes something on the server, and `changed` tells whether that has happened.
pub(crate) async fn broken<S, Request>(
    service: S,
    request: impl Fn() -> Request,
    changed: impl AsyncFn() -> bool,
) -> Vec<&'static str>
where
    S: Service<Request> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Response: Send,
    S::Error: Send,
    Request: Send + 'static,
{
    let works = async || matches!(answer(service.clone(), request()).await, Some(Ok(_)));
    let mut broken = Vec::new();
    let mut check = |law, holds: bool| {
        if !holds {
            broken.push(law);
        }
    };

    let mut ready = service.clone();
    if tokio::time::timeout(BOUND, ready.ready()).await.is_ok_and(|ready| ready.is_ok()) {
        drop(ready.call(request()));
    }
    check("a call that is not polled does nothing", !changed().await);
    check("a call is woken when its answer is there", works().await && changed().await);
    check("a call may be dropped at any point", dropped(&service, &request, &works).await);
    let calls = (0..64).map(|_| tokio::spawn(answer(service.clone(), request())));
    let answers = join_all(calls).await;
    let answered = answers.iter().all(|answer| matches!(answer, Ok(Some(Ok(_)))));
    check("calls of clones go side by side", answered);
    broken
}

/// One call within the bound.
async fn answer<S: Service<Request>, Request>(
    service: S,
    request: Request,
) -> Option<Result<S::Response, S::Error>> {
    tokio::time::timeout(BOUND, service.oneshot(request)).await.ok()
}

/// Drops a call after its first poll, another after its second, and so on to the last; the service
/// must work on after each of them.
async fn dropped<S, Request>(
    service: &S,
    request: &impl Fn() -> Request,
    works: &impl AsyncFn() -> bool,
) -> bool
where
    S: Service<Request> + Clone,
{
    for polls in 1..1_000 {
        let mut service = service.clone();
        if service.ready().await.is_err() {
            return false;
        }
        let call = pin!(service.call(request()));
        let ended = tokio::time::timeout(BOUND, polled(call, polls)).await;
        if ended.is_err() || !works().await {
            return false;
        }
        if ended == Ok(true) {
            return true;
        }
    }
    false
}

/// Polls so many times, each time when woken. True if the call ended.
async fn polled<F: Future>(mut call: Pin<&mut F>, polls: usize) -> bool {
    let mut left = polls;
    poll_fn(|cx| {
        let ended = call.as_mut().poll(cx).is_ready();
        left -= 1;
        if ended || left == 0 { Poll::Ready(ended) } else { Poll::Pending }
    })
    .await
}
