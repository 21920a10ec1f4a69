//! The laws of tower: readiness is reserved, used once, inherited by no clone, and given back.

use std::future::poll_fn;

use tokio_test::assert_pending;
use tower::limit::ConcurrencyLimit;

use super::*;

type Limited = DegradationService<ConcurrencyLimit<Inner>>;

async fn is_ready(service: &mut Limited) -> bool {
    poll_fn(|cx| Poll::Ready(Service::<Request<()>>::poll_ready(service, cx).is_ready())).await
}

#[tokio::test]
async fn a_request_to_shed_does_not_wait_for_a_busy_service_and_one_that_passes_does() {
    let manager = manager();
    let mut busy: Limited = layer(&manager).layer(ConcurrencyLimit::new(Inner::default(), 1));
    let mut service = busy.clone();
    assert!(is_ready(&mut busy).await, "takes the only slot");
    assert!(!is_ready(&mut service).await, "in normal times there is backpressure");
    manager.force_level(Level::Degraded, "a test", None);
    assert!(is_ready(&mut service).await);
    let shed = service.call(get("/report")).await.unwrap();
    assert_eq!(shed.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(is_ready(&mut service).await);
    let waiting = tokio::spawn(service.call(get("/checkout")));
    drop(service);
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished(), "the slot is taken");
    drop(busy);
    assert_eq!(waiting.await.unwrap().unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn a_request_that_waits_for_a_busy_service_is_shed_once_there_is_something_to_shed() {
    let manager = manager();
    let mut busy: Limited = layer(&manager).layer(ConcurrencyLimit::new(Inner::default(), 1));
    let service = busy.clone();
    assert!(is_ready(&mut busy).await, "takes the only slot, for good");
    let mut waiting = tokio_test::task::spawn(service.oneshot(get("/report")));
    assert_pending!(waiting.poll());
    manager.force_level(Level::Degraded, "a test", None);
    manager.release("before it looked");
    assert!(waiting.is_woken());
    assert_pending!(waiting.poll(), "there is backpressure again");

    manager.force_mode(Mode::ReadOnly, "a test", None);
    assert!(waiting.is_woken());
    let Poll::Ready(shed) = waiting.poll() else { panic!("it waits for the stuck service") };
    drop(waiting);
    assert_eq!(shed.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
    drop(busy);
}

#[tokio::test]
async fn a_shed_request_gives_the_reserved_readiness_back() {
    let manager = manager();
    let mut service: Limited = layer(&manager).layer(ConcurrencyLimit::new(Inner::default(), 1));
    let mut other = service.clone();
    manager.force_level(Level::Degraded, "a test", None);
    assert!(is_ready(&mut service).await, "takes the only slot");
    let shed = service.call(get("/report")).await.unwrap();
    assert_eq!(shed.status(), StatusCode::SERVICE_UNAVAILABLE);
    manager.release("so that readiness is inner's alone");
    assert!(is_ready(&mut other).await, "the slot is free");
    drop(other);
    assert!(is_ready(&mut service).await, "as it is for its next request");
    drop(service);
}

#[tokio::test]
async fn a_shed_request_leaves_the_line_it_stood_in() {
    let manager = manager();
    manager.force_level(Level::Degraded, "a test", None);
    let mut busy: Limited = layer(&manager).layer(ConcurrencyLimit::new(Inner::default(), 1));
    let (mut service, mut other) = (busy.clone(), busy.clone());
    assert!(is_ready(&mut busy).await, "takes the only slot");
    assert!(is_ready(&mut service).await, "stands in line, and is ready to shed");
    service.call(get("/report")).await.unwrap();
    drop(busy);
    manager.release("so that readiness is inner's alone");
    assert!(is_ready(&mut other).await, "the slot went to nobody in the meantime");
}

#[tokio::test]
async fn a_readied_service_is_called_in_place_and_once_for_each_readiness() {
    let manager = manager();
    let inner = Inner::default();
    let (calls, polls) = (Arc::clone(&inner.calls), Arc::clone(&inner.polls));
    let mut service = layer(&manager).layer(inner);
    for _ in 0..3 {
        let ready = ServiceExt::<Request<()>>::ready(&mut service).await.unwrap();
        ready.call(get("/any")).await.unwrap();
    }
    assert_eq!(calls.load(Ordering::Relaxed), 3);
    assert_eq!(polls.load(Ordering::Relaxed), 3, "inner is asked once for each call");
}

#[tokio::test]
async fn a_clone_inherits_no_readiness() {
    let manager = manager();
    let mut service = layer(&manager).layer(Inner::default());
    let _ready = ServiceExt::<Request<()>>::ready(&mut service).await.unwrap();
    let mut clone = service.clone();
    assert!(!clone.ready);
    // Inner would panic if it were called without having been readied.
    assert_eq!(clone.call(get("/any")).await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn dropping_a_waiting_request_gives_its_place_back() {
    let manager = manager();
    manager.force_level(Level::Degraded, "a test", None);
    let mut busy: Limited = layer(&manager).layer(ConcurrencyLimit::new(Inner::default(), 1));
    let mut service = busy.clone();
    assert!(is_ready(&mut busy).await);
    assert!(is_ready(&mut service).await);
    let mut waiting = Box::pin(service.call(get("/checkout")));
    assert!(poll_fn(|cx| Poll::Ready(waiting.as_mut().poll(cx).is_pending())).await);
    drop(waiting);
    drop(busy);
    manager.release("so that readiness is inner's alone");
    assert!(is_ready(&mut service).await);
}
