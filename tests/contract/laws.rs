//! The laws for middleware, each on a stack of its own over [`Inner`].

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;

use tokio_test::task::spawn;
use tower::Service;

use crate::inner::{Inner, Mood, Rig};

/// The laws that a middleware breaks, by name; none for a good one.
///
/// `stack` puts it around the inner service, which answers with `answer`.
pub(crate) fn broken<S, Request, Response>(
    answer: fn() -> Response,
    stack: impl Fn(Inner<Response>) -> S,
    request: fn() -> Request,
) -> Vec<&'static str>
where
    S: Service<Request> + Clone,
{
    broken_over(|rig| stack(Inner::new(rig, answer)), request)
}

/// The same for a stack that makes its inner service itself.
pub(crate) fn broken_over<S, Request>(
    stack: impl Fn(&Rig) -> S,
    request: fn() -> Request,
) -> Vec<&'static str>
where
    S: Service<Request> + Clone,
{
    let bench = |rig: &Rig| Bench { service: stack(rig), request };
    let laws: &[(&'static str, Law<S, Request>)] = &[
        ("calls the instance that it readied", readied_instance),
        ("a clone inherits no readiness", clone_is_unready),
        ("one readiness is used for one call", readiness_is_used_up),
        ("waits while inner is busy, and is woken", woken_when_ready),
        ("passes on that inner is broken", broken_is_told),
        ("gives back a readiness that is not used", unused_readiness),
        ("a call dropped before its first poll leaves nothing behind", dropped_unpolled),
        ("a call dropped while it waits leaves nothing behind", dropped_waiting),
        ("a call is woken when inner's is", woken_when_answered),
        ("a panic reaches the caller, and later calls work", panic_goes_on),
        ("calls of two clones wait side by side", side_by_side),
    ];
    let holds = |law: Law<S, Request>| {
        let rig = Rig::default();
        law(&rig, bench(&rig))
    };
    laws.iter().filter(|(_, law)| !holds(*law)).map(|(name, _)| *name).collect()
}

type Law<S, Request> = fn(&Rig, Bench<S, Request>) -> bool;

struct Bench<S, Request> {
    service: S,
    request: fn() -> Request,
}

impl<S: Service<Request> + Clone, Request> Bench<S, Request> {
    fn is_ready(&mut self) -> bool {
        let service = &mut self.service;
        let mut poll = spawn(std::future::poll_fn(|cx| service.poll_ready(cx)));
        matches!(poll.poll(), Poll::Ready(Ok(())))
    }

    fn call(&mut self) -> S::Future {
        self.service.call((self.request)())
    }

    /// A call from beginning to end, none of which waits.
    fn works(&mut self) -> bool {
        self.is_ready() && matches!(spawn(self.call()).poll(), Poll::Ready(Ok(_)))
    }
}

fn readied_instance<S, Request>(rig: &Rig, mut bench: Bench<S, Request>) -> bool
where
    S: Service<Request> + Clone,
{
    let worked = (0..3).all(|_| bench.works());
    worked && rig.facts().calls == 3 && rig.facts().unready_calls == 0
}

/// To panic is allowed, and to answer an error, but not to call an instance that nobody readied.
fn clone_is_unready<S, Request>(rig: &Rig, mut bench: Bench<S, Request>) -> bool
where
    S: Service<Request> + Clone,
{
    let ready = bench.is_ready();
    let mut clone = Bench { service: bench.service.clone(), request: bench.request };
    let _outcome = catch_unwind(AssertUnwindSafe(|| spawn(clone.call()).poll().is_ready()));
    ready
        && rig.facts().unready_calls == 0
        && matches!(spawn(bench.call()).poll(), Poll::Ready(Ok(_)))
}

fn readiness_is_used_up<S, Request>(rig: &Rig, mut bench: Bench<S, Request>) -> bool
where
    S: Service<Request> + Clone,
{
    let worked = bench.works();
    let _outcome = catch_unwind(AssertUnwindSafe(|| spawn(bench.call()).poll().is_ready()));
    worked && rig.facts().unready_calls == 0
}

fn woken_when_ready<S, Request>(rig: &Rig, bench: Bench<S, Request>) -> bool
where
    S: Service<Request> + Clone,
{
    rig.be(Mood::Busy);
    let mut service = bench.service;
    let mut ready = spawn(std::future::poll_fn(|cx| service.poll_ready(cx)));
    let waited = ready.poll().is_pending() && !ready.is_woken();
    rig.be(Mood::Well);
    waited && ready.is_woken() && matches!(ready.poll(), Poll::Ready(Ok(())))
}

fn broken_is_told<S, Request>(rig: &Rig, mut bench: Bench<S, Request>) -> bool
where
    S: Service<Request> + Clone,
{
    rig.be(Mood::Broken);
    let told = !bench.is_ready();
    rig.be(Mood::Well);
    told && bench.works()
}

fn unused_readiness<S, Request>(rig: &Rig, mut bench: Bench<S, Request>) -> bool
where
    S: Service<Request> + Clone,
{
    let ready = bench.is_ready() && rig.facts().reserved == 1;
    drop(bench);
    ready && rig.facts().reserved == 0
}

fn dropped_unpolled<S, Request>(rig: &Rig, mut bench: Bench<S, Request>) -> bool
where
    S: Service<Request> + Clone,
{
    for _ in 0..10 {
        if !bench.is_ready() {
            return false;
        }
        drop(bench.call());
    }
    rig.facts().alive == 0 && rig.facts().reserved == 0 && bench.works()
}

fn dropped_waiting<S, Request>(rig: &Rig, mut bench: Bench<S, Request>) -> bool
where
    S: Service<Request> + Clone,
{
    rig.be(Mood::Holding);
    for _ in 0..10 {
        if !bench.is_ready() || spawn(bench.call()).poll().is_ready() {
            return false;
        }
    }
    rig.be(Mood::Well);
    rig.facts().alive == 0 && rig.facts().reserved == 0 && bench.works()
}

fn woken_when_answered<S, Request>(rig: &Rig, mut bench: Bench<S, Request>) -> bool
where
    S: Service<Request> + Clone,
{
    rig.be(Mood::Holding);
    if !bench.is_ready() {
        return false;
    }
    let mut call = spawn(bench.call());
    let waited = call.poll().is_pending() && !call.is_woken();
    rig.be(Mood::Well);
    waited && call.is_woken() && matches!(call.poll(), Poll::Ready(Ok(_)))
}

fn panic_goes_on<S, Request>(rig: &Rig, mut bench: Bench<S, Request>) -> bool
where
    S: Service<Request> + Clone,
{
    rig.be(Mood::Panicking);
    let ready = bench.is_ready();
    let call = bench.call();
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        let _answer = spawn(call).poll();
    }));
    rig.be(Mood::Well);
    ready && unwound.is_err() && rig.facts().alive == 0 && bench.works()
}

fn side_by_side<S, Request>(rig: &Rig, mut bench: Bench<S, Request>) -> bool
where
    S: Service<Request> + Clone,
{
    rig.be(Mood::Holding);
    let mut other = Bench { service: bench.service.clone(), request: bench.request };
    if !bench.is_ready() || !other.is_ready() {
        return false;
    }
    let (mut one, mut two) = (spawn(bench.call()), spawn(other.call()));
    let waited = one.poll().is_pending() && two.poll().is_pending();
    rig.be(Mood::Well);
    let answered = |polled: Poll<Result<_, _>>| matches!(polled, Poll::Ready(Ok(_)));
    waited && answered(two.poll()) && answered(one.poll()) && rig.facts().unready_calls == 0
}
